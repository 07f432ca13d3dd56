"""Where the time of a journey goes, hop by hop.

The rule kept here: a hop is a stretch of one journey that one process (or the
wire) answers for; hops may overlap, since a broadcast goes several ways at
once.  The times of a traced run include the tracer's own cost, and whatever
shows them says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from utils.records import Journey, Step, StepKind


@dataclass(frozen=True, slots=True)
class Hop:
    """One stretch of a journey.  Times are nanoseconds of one clock."""

    label: str
    process: str  # who answers for it: "server", "client", "wire", ...
    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


def hops(journey: Journey) -> tuple[Hop, ...]:
    """The hops of a journey in the order of telling; times count from its start.

    One hop for each turn of a thread, and one for each way between a send and
    the recv that took its bytes (labelled as the wire's: kernel, loopback and
    the waking of the reader).
    """
    found: list[Hop] = []
    sent: dict[object, tuple[int, str]] = {}  # a message's place → when it left, and which way
    for _, group in groupby(journey.steps, key=lambda step: step.turn):
        turn = list(group)
        found.extend(_on_the_wire(turn, sent))
        acting = [step for step in turn if step.kind is not StepKind.WIRE]
        start = min(_arrival(step) for step in acting)
        # A hop ends when the work is passed on; what the thread tidies up
        # afterwards keeps nobody waiting.
        passed_on = [_passed(step) for step in acting if step.onward]
        end = max(passed_on or [_end(step) for step in acting])
        found.append(Hop(f"{acting[0].process} · {acting[0].thread}", acting[0].process, start, end))
        # A message that is sent piece by piece may be read before its last piece is sent.
        left: dict[object, int] = {}
        for step in turn:
            if step.kind is StepKind.SEND:
                left.setdefault(_place(step), step.since_ns)
            elif step.kind is StepKind.WIRE:
                sent[_place(step)] = (left.get(_place(step), start), step.thread)
    return tuple(found)


def _on_the_wire(turn: list[Step], sent: dict[object, tuple[int, str]]) -> Iterator[Hop]:
    first = turn[0]
    if first.kind is StepKind.RECV and first.message is not None:
        left = sent.pop(_place(first), None)
        if left is not None:
            yield Hop(f"wire · {left[1]}", "wire", left[0], first.since_ns)


def _place(step: Step) -> object:
    """Which message a step is about: its flow and its place in the stream."""
    return None if step.message is None else (step.message.flow, step.message.start)


def _arrival(step: Step) -> int:
    """When the turn begins: a hand-off ends, and its taker acts, when it is taken."""
    return _end(step) if step.kind is StepKind.HANDOFF else step.since_ns


def _passed(step: Step) -> int:
    """When the bytes or the work left: a send when it returns, a hand-off when it begins."""
    return _end(step) if step.kind is StepKind.SEND else step.since_ns


def _end(step: Step) -> int:
    return step.since_ns + (step.duration_ns or 0)
