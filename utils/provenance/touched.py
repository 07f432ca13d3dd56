"""A journey whose steps know which bytes they made, carried or took apart.

The rule kept here: the ledger is read the other way round; nothing is added to
it.  A step is told of the bytes for which it is an entry, and of no others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from utils.provenance.ledger import Ledger, Part
from utils.provenance.ranges import joined
from utils.records import Journey, Message, Step, StepKind, Touch

#: What a call has done to bytes, as a verb; what it did most for stands first.
WORDS = {
    Part.MADE: "writes",
    Part.READ: "reads",
    Part.VALUE: "gives the values in",
    Part.GIVEN: "gets the values in",
    Part.CARRIED: "carries",
}

Touched = Mapping[tuple[str, int], list[Touch]]


def messages_of(journey: Journey) -> list[Message]:
    """The messages that the journey's steps show, each once."""
    found = {
        (step.message.flow, step.message.start): step.message
        for step in journey.steps
        if step.message is not None
    }
    return list(found.values())


def with_touches(journey: Journey, ledger: Callable[[Message], Ledger]) -> Journey:
    """``journey``, its calls told which bytes of its messages passed through them.

    The bytes in play of such a step are those of the message that it wrote or read.
    """
    touched = _by_call(map(ledger, messages_of(journey)))

    def told(step: Step) -> Step:
        if step.kind is not StepKind.CALL or step.call is None:
            return step
        touches = touched.get((step.process, step.call))
        if not touches:
            return step
        # What it did most for are the bytes in play, even where they go out only later.
        return replace(step, touches=tuple(touches), message=touches[0].message)

    return replace(journey, steps=tuple(map(told, journey.steps)))


def _by_call(ledgers: Iterable[Ledger]) -> Touched:
    """(process, call) → what it did to which bytes."""
    found: dict[tuple[str, int], list[Touch]] = defaultdict(list)
    for ledger in ledgers:
        ranges: dict[tuple[str, int, Part], list[tuple[int, int]]] = defaultdict(list)
        for field in ledger.fields:
            for entry in (*field.written, *field.read):
                if entry.part in WORDS and entry.call is not None:
                    place = (entry.process, entry.call, entry.part)
                    ranges[place].append((field.span.start, field.span.end))
        order = list(WORDS)
        for process, call, part in sorted(ranges, key=lambda place: order.index(place[2])):
            pieces = joined(ranges[process, call, part])
            found[process, call].append(Touch(WORDS[part], ledger.message, pieces))
    return found
