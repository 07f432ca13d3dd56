"""What the engines have in common: the plan for a code object, and what is noted.

The rule kept here: a hook never raises into the program and never changes it.
The plan for a function is made once.  The engines keep their plans by
``id(code)``, since hashing a code object costs more than all the rest; a plan
holds its code, so the id stays its own.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from operator import itemgetter
from types import CodeType, FrameType
from typing import Any, NamedTuple, Protocol

from utils.tracing.buffer import BOOTSTRAP, Buffer, Kind, thread_of
from utils.tracing.catalog import Depth
from utils.tracing.handoffs import Role, identities, role_of, takes
from utils.tracing.scope import Scope
from utils.tracing.snapshots import freeze, freeze_whole

_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Plan(NamedTuple):
    """How the calls of one code object are noted.

    ``enter`` gives the extra of an ENTER, from the frame of a call that has just
    begun; ``leave`` that of a LEAVE, from the result.  They are made once for
    each code, so that a call has nothing to decide; None where there is nothing
    to tell but the row itself.
    """

    code: CodeType
    freeze: Callable[[Any], Any] | None  # takes the snapshots of arguments and result, if there are any
    names: tuple[str, ...]  # of the arguments that the snapshot takes
    role: Role | None
    generator: bool
    birth: bool  # no call is noted, but that a thread begins
    enter: Callable[[FrameType], Any] | None = None
    leave: Callable[[Any], Any] | None = None

    @property
    def plain(self) -> bool:
        """Whether there is nothing to note but the row itself."""
        return not (self.freeze or self.role or self.generator or self.birth)


class Entered(NamedTuple):
    """What the extra of an ENTER tells; see :func:`read_enter`."""

    arguments: tuple[Any, ...] | None  # frozen, in the order of the plan's names
    identities: tuple[int, int] | None = None
    frame: int = 0  # id of a generator's frame
    at: int = 0  # and where in its code it stands


class Left(NamedTuple):
    """What the extra of a LEAVE tells; see :func:`read_leave`."""

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
    role, generator = role_of(scope, code), bool(code.co_flags & _GENERATORS)
    plan = Plan(code, snapshot, names, role, generator, birth=False)
    return plan if plan.plain else plan._replace(enter=_entering(plan), leave=_leaving(plan))


def argument_names(code: CodeType) -> tuple[str, ...]:
    """The names of the arguments that a snapshot of ``code`` takes.

    In the order of ``co_varnames``, ``*args`` and ``**kwargs`` last.  A method's
    own object is left out: its class is in the qualified name.
    """
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[:count]
    return names[1:] if names and names[0] in ("self", "cls") else names


# ── what a call tells ────────────────────────────────────────────────────────
# In plain tuples of atoms: the garbage collector lets go of them at its first
# look, and of no instance of a subclass.


def _entering(plan: Plan) -> Callable[[FrameType], tuple[Any, ...]]:
    """Notes a beginning: the frozen arguments, then two numbers of a generator or of a role."""
    names, keep, touched = plan.names, plan.freeze, None if plan.role is None else identities(plan.role)
    if plan.generator:
        snapshot = _snapshot(plan)
        return lambda frame: (*snapshot(frame), id(frame), frame.f_lasti)
    if touched is None:
        return _snapshot(plan)
    if keep is None or not names:
        return lambda frame: touched(frame.f_locals)

    def enter(frame: FrameType) -> tuple[Any, ...]:
        values = frame.f_locals
        return (*[keep(values[name]) for name in names], *touched(values))

    return enter


def _snapshot(plan: Plan) -> Callable[[FrameType], tuple[Any, ...]]:
    """Freezes the arguments; to look at a frame's locals is what costs."""
    names, keep = plan.names, plan.freeze
    if keep is None or not names:
        return lambda frame: ()
    if len(names) == 1:
        (name,) = names
        return lambda frame: (keep(frame.f_locals[name]),)
    pick = itemgetter(*names)
    return lambda frame: tuple([keep(value) for value in pick(frame.f_locals)])


def read_enter(plan: Plan, extra: tuple[Any, ...]) -> Entered:
    """What ``plan.enter`` has noted."""
    if not plan.generator and plan.role is None:
        return Entered(extra)
    *frozen, first, second = extra
    arguments = None if plan.freeze is None else tuple(frozen)
    if plan.generator:
        return Entered(arguments, None, first, second)
    return Entered(arguments, (first, second))


def _leaving(plan: Plan) -> Callable[[Any], Any]:
    """Notes a result: frozen; and where the call may have taken something, what, and whether.

    Of a generator, the id of its frame stands beside; who does not know it writes 0.
    """
    role, keep = plan.role, plan.freeze or _forget
    if plan.generator:
        return lambda result: (keep(result), 0)
    if role is None or role.gives:
        return keep
    return lambda result: (keep(result), id(result), takes(role, result))


def _forget(result: Any) -> None:
    """Where no result is kept."""


def read_leave(plan: Plan, extra: Any) -> Left:
    """What ``plan.leave`` has noted."""
    if plan.generator:
        result, frame = extra
        return Left(result, frame=frame)
    return Left(extra) if plan.role is None or plan.role.gives else Left(*extra)


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
            touched = None if plan.role is None else identities(plan.role)(frame.f_locals)
            extra = (None if plan.freeze is None else (), touched, id(frame) if plan.generator else 0)
            caller, at = (frame.f_back.f_code, frame.f_back.f_lasti) if frame.f_back else (None, 0)
            buffer.note(Kind.RUNNING, extra, plan.code, caller, at, ident)
