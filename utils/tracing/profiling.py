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
from types import CodeType, FrameType
from typing import Any

from utils.tracing import reach
from utils.tracing.buffer import EXTRA, RECORD, Buffer, Kind
from utils.tracing.hooks import Left, Plan, Planner, entered, left
from utils.tracing.scope import Scope

Hook = Callable[[FrameType, str, Any], None]

_RETURNS = frozenset({opcode.opmap["RETURN_VALUE"]})
_YIELDS = frozenset({opcode.opmap["YIELD_VALUE"]})
_RETURN_GENERATOR = opcode.opmap["RETURN_GENERATOR"]
_RESUME = opcode.opmap["RESUME"]
# No more than so many decisions about code out of scope are remembered.
_MOST_DECISIONS = 100_000


class ProfilingEngine:
    """Notes calls through :func:`sys.setprofile`."""

    def __init__(self, buffer: Buffer, scope: Scope) -> None:
        self._buffer = buffer
        self._planner = Planner(buffer, scope)
        self._plans: dict[int, Plan | None] = {}  # id(code) → plan; None: out of scope
        self._kept: list[CodeType] = []  # what is out of scope, so that its id stays its own
        self._hook: Hook | None = None

    def start(self) -> None:
        if self._hook is not None:
            return
        self._before_threads = threading.getprofile()
        self._hook = hook = self._make_hook()
        threading.setprofile(hook)
        self._planner.note_running(self._plan)
        reach.set_everywhere(hook)

    def stop(self) -> None:
        hook, self._hook = self._hook, None
        if hook is None:
            return
        reach.remove_everywhere(hook)
        if threading.getprofile() is hook:
            # Its annotation forgets that None, too, is a hook.
            threading.setprofile(self._before_threads)  # type: ignore[arg-type]

    def refine(self, code: CodeType, kind: Kind, offset: int) -> Kind | None:
        operation = code.co_code[offset]
        if operation == _RETURN_GENERATOR:
            return None  # a generator that never ran is thrown away
        if kind is Kind.LEAVE:
            if operation in _RETURNS:
                return Kind.LEAVE
            return Kind.YIELD if operation in _YIELDS else Kind.UNWIND
        if kind is Kind.ENTER and (operation != _RESUME or code.co_code[offset + 1] != 0):
            return Kind.RESUME
        return kind

    def _plan(self, code: CodeType) -> Plan | None:
        try:
            return self._plans[id(code)]
        except KeyError:
            pass
        plan = self._planner.plan(code)
        if plan is None:
            if len(self._kept) >= _MOST_DECISIONS:
                return None
            self._kept.append(code)
        self._plans[id(code)] = plan
        return plan

    def _make_hook(self) -> Hook:
        """The hook; its free names are looked up once, here, for speed."""
        buffer, here, plans = self._buffer, self._buffer.here, self._plans
        numbers, clock, full = buffer.numbers, buffer.clock, buffer.full
        pack = RECORD.pack
        enter, leave = int(Kind.ENTER), int(Kind.LEAVE)

        def hook(frame: FrameType, event: str, arg: Any) -> None:
            if event == "call":
                try:
                    code = frame.f_code
                    try:
                        plan = plans[id(code)]
                    except KeyError:
                        plan = self._plan(code)
                    if plan is None:
                        return
                    if self._hook is not hook:
                        sys.setprofile(None)  # a thread that stop() could not reach
                        return
                    try:
                        thread = here.number
                    except AttributeError:
                        thread = buffer.enlist(frame)
                    chunk = buffer.chunk
                    head = plan[0] | enter
                    if not plan[4]:
                        chunk.extras.append((thread, entered(plan, frame)))
                        head |= EXTRA
                    if (outer := frame.f_back) is None:
                        caller = at = 0
                    else:
                        calling = outer.f_code
                        try:
                            caller = numbers[id(calling)]
                        except KeyError:
                            caller = buffer.number(calling)
                        at = outer.f_lasti
                    records = chunk.records
                    records += pack(clock(), thread, head, caller, at)
                    if len(records) >= full:
                        buffer.seal(chunk)
                except Exception:
                    buffer.faults += 1
            elif event == "return":
                try:
                    now = clock()
                    plan = plans.get(id(frame.f_code))
                    if plan is None or self._hook is not hook:
                        return
                    try:
                        thread = here.number
                    except AttributeError:
                        thread = buffer.enlist(frame)
                    chunk = buffer.chunk
                    head = plan[0] | leave
                    if not plan[4]:
                        value = Left(None, frame=id(frame)) if plan[3] else left(plan, arg)
                        chunk.extras.append((thread, value))
                        head |= EXTRA
                    records = chunk.records
                    records += pack(now, thread, head, 0, frame.f_lasti)
                    if len(records) >= full:
                        buffer.seal(chunk)
                except Exception:
                    buffer.faults += 1

        return hook
