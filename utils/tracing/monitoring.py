"""The engine for Python 3.12 and later: :mod:`sys.monitoring`.

The rule kept here: only functions in scope cost anything, and each costs what
its plan needs.  The start of every function is reported once; one that is out
of scope is switched off for good (DISABLE), one in scope gets local events.
Two tool ids are taken: the callbacks of the *plain* one note a row and do not
look anything up; those of the *close* one know plans, take snapshots, and
watch for new functions and for exceptions, which can only be watched globally.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

from utils.errors import EnvironmentLack
from utils.tracing.buffer import Buffer, Kind
from utils.tracing.hooks import Plan, make_plan, note_running
from utils.tracing.scope import Scope
from utils.tracing.snapshots import type_name

assert sys.version_info >= (3, 12)

TOOL_NAME = "socketio-lab"

# 0, 1, 2 and 5 are meant for debuggers, coverage, profilers and optimizers: the last resort.
_TOOL_IDS = (4, 3, 2, 5)

Callbacks = dict[int, Callable[..., Any]]


class MonitoringEngine:
    """Notes calls through :mod:`sys.monitoring`, in all threads."""

    def __init__(self, buffer: Buffer, scope: Scope) -> None:
        self._buffer = buffer
        self._scope = scope
        self._plans: dict[int, Plan] = {}  # id(code) → plan, of what is in scope
        # What the hooks ask of it, at once: id(code) → Plan.enter, → Plan.leave; and the codes
        # whose LEAVE tells something even of None, which is else its own frozen form.
        self._enters: dict[int, Callable[[FrameType], Any]] = {}
        self._leaves: dict[int, Callable[[Any], Any]] = {}
        self._tell_none: set[int] = set()
        self._tools: tuple[int, int] | None = None  # close, plain

    def start(self) -> None:
        if self._tools is not None:
            return
        monitoring, events = sys.monitoring, sys.monitoring.events
        self._tools = close, plain = _free_tool_ids()
        for tool, callbacks in ((close, self._close_callbacks()), (plain, self._plain_callbacks())):
            for event, callback in callbacks.items():
                monitoring.register_callback(tool, event, callback)
        for plan in self._plans.values():
            self._listen(plan)
        # What an earlier recording with another scope has switched off may be wanted now.
        monitoring.restart_events()
        monitoring.set_events(close, events.PY_START | events.PY_UNWIND | events.PY_THROW)
        note_running(self._buffer, self._plan)

    def stop(self) -> None:
        if self._tools is None:
            return
        monitoring = sys.monitoring
        tools, self._tools = self._tools, None
        for tool in tools:
            monitoring.set_events(tool, monitoring.events.NO_EVENTS)
            for plan in self._plans.values():
                monitoring.set_local_events(tool, plan.code, monitoring.events.NO_EVENTS)
            for event in _EVENTS:
                monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)

    def refine(self, code: CodeType, kind: Kind, offset: int) -> Kind | None:
        return kind

    def _plan(self, code: CodeType) -> Plan | None:
        """The plan for ``code``, with its local events switched on."""
        plan = self._plans.get(id(code))
        if plan is None:
            plan = make_plan(self._scope, code)
            if plan is not None:
                self._plans[id(code)] = plan
                if plan.enter is not None and plan.leave is not None:
                    self._leaves[id(code)] = plan.leave
                    if plan.leave is not plan.freeze:
                        self._tell_none.add(id(code))
                    self._enters[id(code)] = plan.enter
                self._listen(plan)
        return plan

    def _begin(self, code: CodeType, frame: FrameType) -> Any:
        """A call that is no common one: a function's first, or one that only tells of a thread."""
        new = id(code) not in self._plans
        plan = self._plan(code)
        if plan is None:
            return sys.monitoring.DISABLE
        if plan.birth:
            self._buffer.meet(frame.f_locals["self"], get_ident())
            return None
        if new:
            extra = None if plan.enter is None else plan.enter(frame)
            caller, at = (frame.f_back.f_code, frame.f_back.f_lasti) if frame.f_back else (None, 0)
            self._buffer.note(Kind.ENTER, extra, code, caller, at)
        # From now on a plain function's own callbacks see to it.
        return sys.monitoring.DISABLE if plan.plain else None

    def _listen(self, plan: Plan) -> None:
        """Switch on the local events that ``plan`` needs."""
        if self._tools is None:
            return
        events = sys.monitoring.events
        wanted = events.PY_START if plan.birth else events.PY_START | events.PY_RETURN
        if plan.generator:
            wanted |= events.PY_YIELD | events.PY_RESUME
        sys.monitoring.set_local_events(self._tools[plan.plain], plan.code, wanted)

    # ── the callbacks; their free names are looked up once, here, for speed ──

    def _plain_callbacks(self) -> Callbacks:
        buffer, rows, extend = self._buffer, self._buffer.rows, self._buffer.extend
        clock, full, getframe = buffer.clock, buffer.full, sys._getframe

        def on_start(code: CodeType, offset: int) -> None:
            try:
                caller = getframe(2)
                extend((get_ident(), clock(), 0, code, caller.f_code, caller.f_lasti, None))
            except ValueError:  # nobody called it: it is where its thread begins
                extend((get_ident(), clock(), 0, code, None, 0, None))

        def on_return(code: CodeType, offset: int, result: Any) -> None:
            extend((get_ident(), clock(), 1, code, None, offset, None))
            if len(rows) >= full:
                buffer.pack()

        events = sys.monitoring.events
        return {events.PY_START: on_start, events.PY_RETURN: on_return}

    def _close_callbacks(self) -> Callbacks:
        buffer, rows, extend = self._buffer, self._buffer.rows, self._buffer.extend
        clock, full, getframe = buffer.clock, buffer.full, sys._getframe
        plans, leaves, tell_none, entering = self._plans, self._leaves, self._tell_none, self._enters.get
        begin, unwind, yielding, resuming = self._begin, Kind.UNWIND, Kind.YIELD, Kind.RESUME

        def on_start(code: CodeType, offset: int) -> Any:
            try:
                frame, enter = getframe(1), entering(id(code))
                if enter is None:
                    return begin(code, frame)
                extra, caller = enter(frame), frame.f_back
                if caller is None:
                    extend((get_ident(), clock(), 0, code, None, 0, extra))
                else:
                    extend((get_ident(), clock(), 0, code, caller.f_code, caller.f_lasti, extra))
            except Exception:
                buffer.faults += 1

        def on_return(code: CodeType, offset: int, result: Any) -> None:
            try:
                now = clock()
                number = id(code)
                extra = None if result is None and number not in tell_none else leaves[number](result)
                extend((get_ident(), now, 1, code, None, offset, extra))
                if len(rows) >= full:
                    buffer.pack()
            except Exception:
                buffer.faults += 1

        def on_unwind(code: CodeType, offset: int, exception: BaseException) -> None:
            try:
                if id(code) in plans and not plans[id(code)].birth:
                    extend((get_ident(), clock(), unwind, code, None, offset, type_name(type(exception))))
            except Exception:
                buffer.faults += 1

        def on_yield(code: CodeType, offset: int, value: Any) -> None:
            try:
                extend((get_ident(), clock(), yielding, code, None, offset, id(getframe(1))))
            except Exception:
                buffer.faults += 1

        def on_resume(code: CodeType, offset: int, thrown: Any = None) -> None:
            try:
                if id(code) in plans:
                    frame, caller = getframe(1), getframe(2)
                    extend((get_ident(), clock(), resuming, code, caller.f_code, caller.f_lasti, id(frame)))
            except Exception:
                buffer.faults += 1

        events = sys.monitoring.events
        return {
            events.PY_START: on_start,
            events.PY_RETURN: on_return,
            events.PY_UNWIND: on_unwind,
            events.PY_YIELD: on_yield,
            events.PY_RESUME: on_resume,
            events.PY_THROW: on_resume,
        }


_EVENTS = tuple(
    getattr(sys.monitoring.events, name)
    for name in ("PY_START", "PY_RETURN", "PY_UNWIND", "PY_YIELD", "PY_RESUME", "PY_THROW")
)


def _free_tool_ids() -> tuple[int, int]:
    taken: list[int] = []
    for tool in _TOOL_IDS:
        try:
            sys.monitoring.use_tool_id(tool, TOOL_NAME)
        except ValueError:
            continue
        taken.append(tool)
        if len(taken) == 2:
            return taken[0], taken[1]
    for tool in taken:
        sys.monitoring.free_tool_id(tool)
    raise EnvironmentLack(
        "calls cannot be recorded",
        why="other tools use the places of sys.monitoring",
        next_step="stop the debugger, the coverage measurement or the profiler first",
    )
