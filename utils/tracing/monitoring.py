"""The engine for Python 3.12 and later: :mod:`sys.monitoring`.

The rule kept here: only functions in scope cost anything.  The start of every
function is reported once; a function out of scope is then switched off for
good (DISABLE), and one in scope gets local events for its returns and yields.
Exceptions can only be watched globally.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from utils.errors import EnvironmentLack
from utils.tracing.buffer import EXTRA, RECORD, SHIFT, Buffer, Kind
from utils.tracing.hooks import Left, Plan, Planner, entered, left
from utils.tracing.scope import Scope
from utils.tracing.snapshots import type_name

TOOL_NAME = "socketio-lab"

# 0, 1, 2 and 5 are spoken for: debugger, coverage, profiler and optimizer.
_TOOL_IDS = (4, 3, 2)


class MonitoringEngine:
    """Notes calls through :mod:`sys.monitoring`, in all threads."""

    def __init__(self, buffer: Buffer, scope: Scope) -> None:
        self._buffer = buffer
        self._planner = Planner(buffer, scope)
        self._plans: dict[int, Plan] = {}  # id(code) → plan, of what is in scope
        self._tool: int | None = None

    def start(self) -> None:
        if self._tool is not None:
            return
        monitoring = sys.monitoring
        events = monitoring.events
        self._tool = tool = _free_tool_id()
        self._local_events = events.PY_START | events.PY_RETURN | events.PY_YIELD | events.PY_RESUME
        for event, callback in self._callbacks().items():
            monitoring.register_callback(tool, event, callback)
        for number in {plan.code >> SHIFT for plan in self._plans.values()}:
            code = self._buffer.codes[number]
            if code is not None:
                monitoring.set_local_events(tool, code, self._local_events)
        # What an earlier recording with another scope has switched off may be wanted now.
        monitoring.restart_events()
        monitoring.set_events(tool, events.PY_START | events.PY_UNWIND | events.PY_THROW)
        self._planner.note_running(self._plan)

    def stop(self) -> None:
        if self._tool is None:
            return
        monitoring = sys.monitoring
        tool, self._tool = self._tool, None
        monitoring.set_events(tool, monitoring.events.NO_EVENTS)
        for number in {plan.code >> SHIFT for plan in self._plans.values()}:
            code = self._buffer.codes[number]
            if code is not None:
                monitoring.set_local_events(tool, code, monitoring.events.NO_EVENTS)
        for event in self._callbacks():
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)

    def refine(self, code: CodeType, kind: Kind, offset: int) -> Kind | None:
        return kind

    def _plan(self, code: CodeType) -> Plan | None:
        """The plan for ``code``, with its local events switched on."""
        plan = self._plans.get(id(code))
        if plan is None:
            plan = self._planner.plan(code)
            if plan is not None:
                self._plans[id(code)] = plan
                if self._tool is not None:
                    sys.monitoring.set_local_events(self._tool, code, self._local_events)
        return plan

    def _callbacks(self) -> dict[int, Callable[..., Any]]:
        """The callbacks; their free names are looked up once, here, for speed."""
        buffer, here, plans = self._buffer, self._buffer.here, self._plans
        numbers, clock, full = buffer.numbers, buffer.clock, buffer.full
        getframe, pack, disable = sys._getframe, RECORD.pack, sys.monitoring.DISABLE
        enter, leave, unwind = int(Kind.ENTER), int(Kind.LEAVE), int(Kind.UNWIND)

        def on_start(code: CodeType, offset: int) -> Any:
            try:
                try:
                    plan = plans[id(code)]
                except KeyError:
                    found = self._plan(code)
                    if found is None:
                        return disable
                    plan = found
                try:
                    thread = here.number
                except AttributeError:
                    thread = buffer.enlist(getframe(1))
                chunk = buffer.chunk
                head = plan[0] | enter
                if not plan[4]:
                    chunk.extras.append((thread, entered(plan, getframe(1))))
                    head |= EXTRA
                try:
                    frame = getframe(2)
                except ValueError:
                    caller = at = 0
                else:
                    calling = frame.f_code
                    try:
                        caller = numbers[id(calling)]
                    except KeyError:
                        caller = buffer.number(calling)
                    at = frame.f_lasti
                records = chunk.records
                records += pack(clock(), thread, head, caller, at)
                if len(records) >= full:
                    buffer.seal(chunk)
            except Exception:
                buffer.faults += 1
            return None

        def on_return(code: CodeType, offset: int, result: Any) -> Any:
            try:
                now = clock()
                plan = plans[id(code)]
                try:
                    thread = here.number
                except AttributeError:
                    thread = buffer.enlist(getframe(1))
                chunk = buffer.chunk
                head = plan[0] | leave
                if not plan[4]:
                    chunk.extras.append((thread, left(plan, result)))
                    head |= EXTRA
                records = chunk.records
                records += pack(now, thread, head, 0, offset)
                if len(records) >= full:
                    buffer.seal(chunk)
            except Exception:
                buffer.faults += 1
            return None

        def on_unwind(code: CodeType, offset: int, exception: BaseException) -> Any:
            try:
                plan = plans.get(id(code))
                if plan is not None:
                    thread = _number(here, buffer)
                    chunk = buffer.chunk
                    chunk.extras.append((thread, type_name(type(exception))))
                    chunk.records += pack(clock(), thread, plan[0] | unwind | EXTRA, 0, offset)
            except Exception:
                buffer.faults += 1

        def note_generator(kind: Kind) -> Callable[..., Any]:
            def callback(code: CodeType, offset: int, value: Any = None) -> Any:
                try:
                    plan = plans.get(id(code))
                    if plan is not None:
                        thread = _number(here, buffer)
                        chunk = buffer.chunk
                        chunk.extras.append((thread, Left(None, frame=id(getframe(1)))))
                        chunk.records += pack(clock(), thread, plan[0] | kind | EXTRA, 0, offset)
                except Exception:
                    buffer.faults += 1

            return callback

        events = sys.monitoring.events
        return {
            events.PY_START: on_start,
            events.PY_RETURN: on_return,
            events.PY_UNWIND: on_unwind,
            events.PY_YIELD: note_generator(Kind.YIELD),
            events.PY_RESUME: note_generator(Kind.RESUME),
            events.PY_THROW: note_generator(Kind.RESUME),
        }


def _number(here: Any, buffer: Buffer) -> int:
    try:
        number: int = here.number
    except AttributeError:
        number = buffer.enlist(sys._getframe(2))
    return number


def _free_tool_id() -> int:
    for tool in _TOOL_IDS:
        try:
            sys.monitoring.use_tool_id(tool, TOOL_NAME)
        except ValueError:
            continue
        return tool
    raise EnvironmentLack(
        "calls cannot be recorded",
        why="other tools use all of sys.monitoring's places",
        next_step="stop the debugger, the coverage measurement or the profiler first",
    )
