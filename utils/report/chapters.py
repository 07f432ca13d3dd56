"""What the report tells of one deed, and of the recording as a whole: typed values.

The rule kept here: everything is asked of the recording, nothing is worded.  A
chapter is made when its turn comes and let go of afterwards, so that a report
takes no more memory than its longest chapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from utils.deeds.finding import Deed
from utils.latency.hops import Hop, hops
from utils.provenance.ledger import Ledger
from utils.provenance.touched import with_touches
from utils.recording.facts import Facts
from utils.records import Journey, Level, Message, Step, StepKind

#: Of a journey so many messages are told byte by byte; the rest is counted.
MOST_MESSAGES = 60


@dataclass(frozen=True, slots=True)
class Turn:
    """What one thread did, between being woken and waiting again; ``number`` counts from 1.

    ``like`` is the number of an earlier turn that went through the very same
    functions; ``steps`` are numbered through the chapter, from ``first`` on.
    """

    number: int
    first: int
    steps: tuple[Step, ...]
    like: int | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One deed with its whole journey, the bytes that it put on the wire, and where its time went."""

    deed: Deed
    journey: Journey  # its steps know which bytes they touched
    level: Level
    turns: tuple[Turn, ...]
    messages: tuple[Message, ...]  # on the wire, in the order of cause
    left_out: int  # messages beyond the bound
    ledgers: tuple[Ledger, ...]  # one for each message
    hops: tuple[Hop, ...]

    @property
    def shown(self) -> tuple[Step, ...]:
        return self.journey.at(self.level)

    @property
    def size(self) -> int:
        """Bytes in its messages."""
        return sum(len(message.unit.raw) for message in self.messages)

    @property
    def unexplained(self) -> int:
        """Bytes that lack a writer, or a reader although they were received."""
        return sum(ledger.unexplained for ledger in self.ledgers)

    @property
    def outside(self) -> list[str]:
        """The programs that wrote or read some of its messages, and were not traced."""
        names = {name for ledger in self.ledgers for name in (ledger.sender, ledger.receiver) if name}
        return sorted(names)

    def main(self) -> Ledger | None:
        """The ledger of the message that it is about: its cause, or the first that carries its event."""
        place = _place(self.deed.cause) if isinstance(self.deed.cause, Message) else None
        about = [one for one in self.ledgers if place is not None and _place(one.message) == place]
        carrying = [one for one in self.ledgers if _carries(one.message, self.deed.event)]
        return next(iter([*about, *carrying, *self.ledgers]), None)


def chapter(subject: Facts, deed: Deed, level: Level) -> Chapter:
    """Everything about ``deed``.  Raises InputError if it has no journey."""
    journey = with_touches(subject.told(deed), subject.book.ledger)
    messages = _on_the_wire(journey)
    told = messages[:MOST_MESSAGES]
    return Chapter(
        deed,
        journey,
        level,
        tuple(_turns(journey.at(level))),
        tuple(told),
        len(messages) - len(told),
        tuple(map(subject.book.ledger, told)),
        hops(journey),
    )


def _on_the_wire(journey: Journey) -> list[Message]:
    found = {
        _place(step.message): step.message
        for step in journey.steps
        if step.kind is StepKind.WIRE and step.message is not None
    }
    return list(found.values())


def _turns(steps: Iterable[Step]) -> Iterator[Turn]:
    seen: dict[tuple[object, ...], int] = {}
    first = 1
    groups = groupby(steps, key=lambda step: (step.turn, step.process, step.thread))
    for number, (_, group) in enumerate(groups, 1):
        told = tuple(group)
        shape = tuple(map(_shape, told))
        like = seen.get(shape) if len(told) > 1 else None
        seen.setdefault(shape, number)
        yield Turn(number, first, told, like)
        first += len(told)


def _shape(step: Step) -> tuple[object, ...]:
    """What makes two steps the same, but for whom they are done."""
    if step.kind is StepKind.WIRE:
        return step.kind, step.thread.startswith("server")
    where = None if step.excerpt is None else (step.excerpt.path, step.excerpt.current)
    library = None if step.library is None else step.library.name
    return step.kind, step.process, step.thread.partition(" (")[0], step.title, library, where


def _place(message: object) -> tuple[object, int]:
    assert isinstance(message, Message)
    return message.flow, message.start


def _carries(message: Message, event: str) -> bool:
    return bool(event) and any(
        packet.socketio is not None and packet.socketio.event == event for packet in message.unit.packets
    )
