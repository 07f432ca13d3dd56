"""What the engines have in common: the plan for a code object, and what is noted.

The rule kept here: a hook never raises into the program and never changes it.
The plan for a function is made once.  The engines keep their plans by
``id(code)``, since hashing a code object costs more than all the rest; a plan
holds its code, so the id stays its own.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple, Protocol

from utils.tracing.buffer import BOOTSTRAP, Buffer, Kind, thread_of
from utils.tracing.catalog import Depth
from utils.tracing.handoffs import Role, identities, role_of, takes
from utils.tracing.scope import Scope
from utils.tracing.snapshots import freeze, freeze_whole

_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Plan(NamedTuple):
    """How the calls of one code object are noted."""

    code: CodeType
    freeze: Callable[[Any], Any] | None  # takes the snapshots of arguments and result, if there are any
    names: tuple[str, ...]  # of the arguments that the snapshot takes
    role: Role | None
    generator: bool
    birth: bool  # no call is noted, but that a thread begins

    @property
    def plain(self) -> bool:
        """Whether there is nothing to note but the row itself."""
        return not (self.freeze or self.role or self.generator or self.birth)


class Entered(NamedTuple):
    """The extra of an ENTER that tells more than arguments."""

    arguments: tuple[Any, ...] | None  # frozen, in the order of the plan's names
    identities: tuple[int, int] | None = None
    frame: int = 0  # id of a generator's frame
    at: int = 0  # and where in its code it stands


class Left(NamedTuple):
    """The extra of a LEAVE that tells more than a result."""

    result: Any  # frozen
    identity: int = 0  # id of the result
    takes: bool = False
    frame: int = 0  # id of a generator's frame


class Engine(Protocol):
    """Lets the interpreter report calls to the buffer."""

    def start(self) -> None:
        """Begin to note calls, in all threads that can be reached."""

    def stop(self) -> None:
        """Leave nothing behind."""

    def refine(self, code: CodeType, kind: Kind, offset: int) -> Kind | None:
        """What a row of ``kind`` at ``offset`` means, where the engine cannot tell at once.

        None for a row that tells nothing.
        """


def make_plan(scope: Scope, code: CodeType) -> Plan | None:
    """The plan for ``code``; None if it is not recorded."""
    if code is BOOTSTRAP:
        return Plan(code, None, (), None, False, birth=True)
    depth = scope.decide(code)
    if depth is Depth.NEVER:
        return None
    snapshot = {Depth.CLOSE: freeze, Depth.WHOLE: freeze_whole}.get(depth)
    names = argument_names(code) if snapshot is not None else ()
    return Plan(code, snapshot, names, role_of(scope, code), bool(code.co_flags & _GENERATORS), birth=False)


def argument_names(code: CodeType) -> tuple[str, ...]:
    """The names of the arguments that a snapshot of ``code`` takes.

    In the order of ``co_varnames``, ``*args`` and ``**kwargs`` last.  A method's
    own object is left out: its class is in the qualified name.
    """
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[:count]
    return names[1:] if names and names[0] in ("self", "cls") else names


def arguments(
    names: tuple[str, ...], frame: FrameType, snapshot: Callable[[Any], Any] = freeze
) -> tuple[Any, ...]:
    """The frozen arguments of the call that has just begun in ``frame``."""
    if not names:
        return ()
    values = frame.f_locals
    return tuple([snapshot(values[name]) for name in names])


# A named tuple's own constructor is a Python function: too slow for a hook.
_make_entered = functools.partial(tuple.__new__, Entered)
_make_left = functools.partial(tuple.__new__, Left)


def entered(plan: Plan, frame: FrameType) -> Entered:
    """What is noted when a call begins that has a role or is a generator's."""
    _, snapshot, names, role, generator, _ = plan
    values = frame.f_locals if names or role is not None else {}
    found = tuple([snapshot(values[name]) for name in names]) if snapshot is not None else None
    touched = identities(role, values) if role is not None else None
    return _make_entered((found, touched, id(frame), frame.f_lasti) if generator else (found, touched, 0, 0))


def left(plan: Plan, result: Any, frame: int = 0) -> Left:
    """What is noted when such a call returns, or a generator's ``frame`` yields, ``result``."""
    return _make_left(
        (plan[1](result) if plan[1] is not None else None, id(result), takes(plan[3], result), frame)
    )


def note_running(buffer: Buffer, plan_of: Callable[[CodeType], Plan | None]) -> None:
    """Note every thread, and the calls that it is in just now."""
    for ident, innermost in sys._current_frames().items():
        stack = []
        frame: FrameType | None = innermost
        while frame is not None:
            stack.append(frame)
            frame = frame.f_back
        buffer.meet(thread_of(innermost, ident), ident)
        for frame in reversed(stack):
            plan = plan_of(frame.f_code)
            if plan is None or plan.birth:
                continue
            # Its arguments may have changed since it was called: they are not looked at.
            extra = Entered(
                () if plan.freeze is not None else None,
                identities(plan.role, frame.f_locals) if plan.role is not None else None,
                id(frame) if plan.generator else 0,
            )
            caller, at = (frame.f_back.f_code, frame.f_back.f_lasti) if frame.f_back else (None, 0)
            buffer.note(Kind.RUNNING, extra, plan.code, caller, at, ident)
