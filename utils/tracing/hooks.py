"""What the engines have in common: the plan for a code object, and what is noted.

The rule kept here: a hook never raises into the program and never changes it.
The plan for a function is made once; each engine keeps its plans by ``id(code)``
(hashing a code object costs more than all the rest), which is safe because the
buffer keeps every planned code object alive.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple, Protocol

from utils.tracing.buffer import EXTRA, SHIFT, Buffer, Kind
from utils.tracing.handoffs import Role, identities, role_of, takes
from utils.tracing.scope import Depth, Scope
from utils.tracing.snapshots import freeze

_GENERATORS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Plan(NamedTuple):
    """How the calls of one code object are noted."""

    code: int  # its number, shifted to its place in a record
    names: tuple[str, ...] | None  # the arguments that a snapshot takes; None: no snapshot
    role: Role | None
    generator: bool
    plain: bool  # nothing but the record


class Entered(NamedTuple):
    """The extra of an ENTER."""

    arguments: tuple[Any, ...] | None  # frozen, in the order of the plan's names
    identities: tuple[int, int] | None
    frame: int = 0  # id of a generator's frame
    at: int = 0  # and where in its code it stands


class Left(NamedTuple):
    """The extra of a LEAVE or a YIELD."""

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
        """What a record of ``kind`` at ``offset`` means, where the engine cannot tell at once.

        None for a record that tells nothing.
        """


class Planner:
    """Makes plans, and the notes that are not plain."""

    def __init__(self, buffer: Buffer, scope: Scope) -> None:
        self._buffer = buffer
        self._scope = scope

    def plan(self, code: CodeType) -> Plan | None:
        """The plan for ``code``; None if it is not recorded."""
        depth = self._scope.decide(code)
        if depth is Depth.NEVER:
            return None
        names = argument_names(code) if depth is Depth.CLOSE else None
        role = role_of(self._scope, code)
        generator = bool(code.co_flags & _GENERATORS)
        return Plan(
            self._buffer.number(code) << SHIFT,
            names,
            role,
            generator,
            plain=names is None and role is None and not generator,
        )

    def note_running(self, plans: Callable[[CodeType], Plan | None]) -> None:
        """Note, for every thread, the calls that it is in just now."""
        for ident, innermost in sys._current_frames().items():
            stack = []
            frame: FrameType | None = innermost
            while frame is not None:
                stack.append(frame)
                frame = frame.f_back
            number = None
            for frame in reversed(stack):
                plan = plans(frame.f_code)
                if plan is None:
                    continue
                if number is None:
                    number = self._buffer.assign(ident, innermost)
                caller = frame.f_back
                self._note_running_call(number, plan, frame, caller)

    def _note_running_call(
        self, thread: int, plan: Plan, frame: FrameType, caller: FrameType | None
    ) -> None:
        kind = Kind.RUNNING
        buffer = self._buffer
        code, at = (buffer.number(caller.f_code), caller.f_lasti) if caller is not None else (0, 0)
        flags = 0
        if not plan.plain:
            # Its arguments may have changed since it was called: they are not looked at.
            found = identities(plan.role, frame) if plan.role is not None else None
            arguments = () if plan.names is not None else None
            value = Entered(arguments, found, id(frame) if plan.generator else 0)
            buffer.chunk.extras.append((thread, value))
            flags = EXTRA
        buffer.note(kind | flags, thread, plan.code >> SHIFT, code, at)


def argument_names(code: CodeType) -> tuple[str, ...]:
    """The names of the arguments of ``code``, ``*args`` and ``**kwargs`` last."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


def entered(plan: Plan, frame: FrameType) -> Entered:
    """What is noted, beside the record, when a call with ``plan`` begins."""
    _, names, role, generator, _ = plan
    arguments = None
    if names is not None:
        values = frame.f_locals
        arguments = tuple([freeze(values[name]) for name in names]) if names else ()
    found = identities(role, frame) if role is not None else None
    if generator:
        return Entered(arguments, found, id(frame), frame.f_lasti)
    return Entered(arguments, found)


def left(plan: Plan, result: Any) -> Left:
    """What is noted, beside the record, when it returns ``result``."""
    if plan.role is None:
        return Left(freeze(result))
    return Left(freeze(result), id(result), takes(result))
