"""The engine for Python 3.11: :func:`sys.setprofile`.

The rule kept here: the hook decides by one look into a dict and returns.
Python 3.11 reports every call of the process, also of C functions, and copies
the locals of each frame before it asks: that is the floor of the cost.  It
does not tell a return of None from an exception, nor a generator's first entry
from a later one: :meth:`ProfilingEngine.refine` reads that off the bytecode
afterwards.  The type of an exception is not known here.
"""

from __future__ import annotations

import opcode
import sys
import threading
from collections.abc import Callable
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

from utils.tracing import reach
from utils.tracing.buffer import Buffer, Kind, thread_of
from utils.tracing.hooks import Plan, make_plan, note_running
from utils.tracing.scope import Scope

Hook = Callable[[FrameType, str, Any], None]

_RETURN = opcode.opmap["RETURN_VALUE"]
_YIELD = opcode.opmap["YIELD_VALUE"]
_RETURN_GENERATOR = opcode.opmap["RETURN_GENERATOR"]
_RESUME = opcode.opmap["RESUME"]

#: No more than so many decisions about code out of scope are remembered.
_MOST_DECISIONS = 100_000


class ProfilingEngine:
    """Notes calls through :func:`sys.setprofile`."""

    def __init__(self, buffer: Buffer, scope: Scope) -> None:
        self._buffer = buffer
        self._scope = scope
        self._plans: dict[int, Plan | None] = {}  # id(code) → plan; None: out of scope
        self._kept: list[CodeType] = []  # what is out of scope, so that its id stays its own
        self._hook: Hook | None = None

    def start(self) -> None:
        if self._hook is not None:
            return
        self._before_threads = threading.getprofile()
        self._hook = hook = self._make_hook()
        self._newcomer = self._make_newcomer(hook)
        threading.setprofile(self._newcomer)
        note_running(self._buffer, self._plan)
        reach.set_everywhere(hook)

    def stop(self) -> None:
        hook, self._hook = self._hook, None
        if hook is None:
            return
        reach.remove_everywhere(hook)
        reach.remove_everywhere(self._newcomer)
        if threading.getprofile() is self._newcomer:
            # Its annotation forgets that None, too, is a hook.
            threading.setprofile(self._before_threads)  # type: ignore[arg-type, unused-ignore]

    def refine(self, code: CodeType, kind: Kind, offset: int) -> Kind | None:
        operation = code.co_code[offset]
        if operation == _RETURN_GENERATOR:
            return None  # a generator that never ran is thrown away
        if kind is Kind.LEAVE:
            if operation == _RETURN:
                return Kind.LEAVE
            return Kind.YIELD if operation == _YIELD else Kind.UNWIND
        if kind is Kind.ENTER and (operation != _RESUME or code.co_code[offset + 1] != 0):
            return Kind.RESUME
        return kind

    def _plan(self, code: CodeType) -> Plan | None:
        try:
            return self._plans[id(code)]
        except KeyError:
            pass
        plan = make_plan(self._scope, code)
        if plan is not None and plan.birth:
            plan = None  # the newcomer's hook sees to it
        if plan is None:
            if len(self._kept) >= _MOST_DECISIONS:
                return None
            self._kept.append(code)
        self._plans[id(code)] = plan
        return plan

    def _make_newcomer(self, hook: Hook) -> Hook:
        """The hook of a thread that begins: it notes the thread, and makes way for ``hook``."""
        buffer = self._buffer

        def newcomer(frame: FrameType, event: str, arg: Any) -> None:
            try:
                if self._hook is not hook:
                    sys.setprofile(None)
                    return
                buffer.meet(thread_of(frame, get_ident()), get_ident())
                sys.setprofile(hook)
                hook(frame, event, arg)
            except Exception:
                buffer.faults += 1

        return newcomer

    def _make_hook(self) -> Hook:
        """The hook; its free names are looked up once, here, for speed."""
        buffer, rows, extend = self._buffer, self._buffer.rows, self._buffer.extend
        clock, full = buffer.clock, buffer.full
        plan_of, unknown = self._plan, _Unknown()
        find = self._plans.get

        def hook(frame: FrameType, event: str, arg: Any) -> None:
            if event == "call":
                try:
                    code = frame.f_code
                    plan: Any = find(id(code), unknown)
                    if plan:
                        if plan is unknown:
                            plan = plan_of(code)
                            if plan is None:
                                return
                        if self._hook is not hook:
                            sys.setprofile(None)  # a thread that stop() could not reach
                            return
                        enter = plan.enter
                        extra: Any = None if enter is None else enter(frame)
                        caller = frame.f_back
                        if caller is None:
                            extend((get_ident(), clock(), 0, code, None, 0, extra))
                        else:
                            extend((get_ident(), clock(), 0, code, caller.f_code, caller.f_lasti, extra))
                except Exception:
                    buffer.faults += 1
            elif event == "return":
                try:
                    now = clock()
                    code = frame.f_code
                    plan = find(id(code))
                    if plan:
                        leave = plan.leave
                        if leave is None or (arg is None and leave is plan.freeze):
                            extra = None
                        elif plan.generator:
                            extra = leave(arg)[0], id(frame)
                        else:
                            extra = leave(arg)
                        extend((get_ident(), now, 1, code, None, frame.f_lasti, extra))
                        if len(rows) >= full:
                            buffer.pack()
                except Exception:
                    buffer.faults += 1

        return hook


class _Unknown:
    """Stands for a plan that is not made yet; true, as a plan is."""
