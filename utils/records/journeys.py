"""What the views render: journeys, step by step.

The rule kept here: a step is plain texts and numbers, ready to be shown, and
stands in the order of cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import NamedTuple

from utils.records.sources import Excerpt, Library, Link
from utils.records.traffic import Message


class StepKind(Enum):
    """What a step of a journey is."""

    CALL = "call"  # a function is entered
    SEND = "send"  # bytes go into a socket
    RECV = "recv"  # bytes come out of a socket
    WIRE = "wire"  # a message on the wire
    HANDOFF = "handoff"  # work passes to another thread
    SOCKET = "socket"  # a connection begins or ends
    CLOCK = "clock"  # the time is over for which a thread slept


class Level(IntEnum):
    """How deep to look; each level shows all of the levels before it."""

    LIBRARY = 1  # where one library calls into another, and the wire
    ESSENTIAL = 2  # the functions that do the work
    ALL = 3  # everything recorded


class Touch(NamedTuple):
    """Bytes of a message that passed through a step; ``ranges`` are (start, end) in its ``unit.raw``."""

    what: str  # a verb: "writes", "reads", ...
    message: Message
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a journey, ready to be rendered: plain texts and numbers.

    ``since_ns`` counts from the journey's start; ``turn`` numbers the turns (see
    :mod:`utils.journeys.turns`) in the order in which they are told.  ``message`` and ``span`` are
    the bytes in play: ``span`` is a (start, end) in ``message.unit.raw``.  ``call`` is the
    id, in its process, of the call that is entered, that moved bytes, or that handed on.
    """

    kind: StepKind
    level: Level
    process: str
    thread: str
    title: str  # the function's qualified name, or the message's summary
    since_ns: int
    depth: int
    duration_ns: int | None = None
    library: Library | None = None
    excerpt: Excerpt | None = None
    link: Link | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    result: str | None = None
    note: str = ""  # one sentence, made from the facts
    message: Message | None = None
    span: tuple[int, int] | None = None
    onward: bool = False  # bytes or work leave the thread here
    turn: int = 0  # which turn of which thread: steps of one turn share it
    call: int | None = None
    touches: tuple[Touch, ...] = ()  # see utils.provenance.touched


@dataclass(frozen=True, slots=True)
class Journey:
    """What happened to one message, from the line that asked for it onwards.

    ``steps`` stand in the order of cause, not of the clock: a thread's work is
    told to its end before the work that it handed on.  ``wakers`` tells, for the
    number of each turn but the first, which turn sent or handed on what woke it.
    """

    name: str
    start_ns: int  # real time of the first step
    steps: tuple[Step, ...]
    mode: str  # the capture's mode
    traced: bool = True
    wakers: Mapping[int, int] = field(default_factory=dict)

    def at(self, level: Level) -> tuple[Step, ...]:
        """The steps that ``level`` shows."""
        return tuple(step for step in self.steps if step.level <= level)
