"""The order and shape of a journey's steps: lanes, and how deep each step stands.

The rule kept here: a lane is one thread of one process, all the wire is one
lane, and the lanes of a process stand together, in the order of first
appearance.  A step is indented by the shown calls around it, not by the hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from utils.records import Step, StepKind
from utils.views.palette import Mark, marks


class Lane(NamedTuple):
    """One line of the swim-lane strip; ``thread`` is empty for the wire."""

    process: str
    thread: str


def lane_of(step: Step) -> Lane:
    return Lane(step.process, "" if step.kind is StepKind.WIRE else step.thread)


def lanes(steps: Iterable[Step]) -> dict[Lane, Mark]:
    """The lanes of ``steps`` in the order in which they are drawn, with their marks."""
    seen = dict.fromkeys(lane_of(step) for step in steps)
    drawn_as = marks(lane.process for lane in seen)
    order = {process: place for place, process in enumerate(drawn_as)}
    return {lane: drawn_as[lane.process] for lane in sorted(seen, key=lambda lane: order[lane.process])}


def depths(steps: Sequence[Step]) -> list[int]:
    """For each step, how many of the steps before it in its turn are around it."""
    found = []
    around: list[int] = []
    turn = None
    for step in steps:
        if (step.turn, step.process, step.thread) != turn:
            turn = (step.turn, step.process, step.thread)
            around = []
        while around and around[-1] >= step.depth:
            around.pop()
        found.append(len(around))
        # Only a call has something inside it.
        if step.kind is StepKind.CALL:
            around.append(step.depth)
    return found


class Arrow(NamedTuple):
    """From one step to another, by their indices: work handed on, or bytes on their way."""

    start: int
    end: int
    kind: str  # "hand-off" or "bytes"


def arrows(steps: Sequence[Step]) -> list[Arrow]:
    """What leads from lane to lane: each hand-off, and each message onto the wire and off it."""
    found = []
    calls: dict[tuple[str, int | None], int] = {}
    sent: int | None = None
    on_wire: dict[tuple[object, int], int] = {}
    for number, step in enumerate(steps):
        message = None if step.message is None else (step.message.flow, step.message.start)
        if step.kind is StepKind.CALL:
            calls[step.process, step.call] = number
        elif step.kind is StepKind.HANDOFF and step.call is not None:
            giver = calls.get((step.process, step.call))
            if giver is not None:
                found.append(Arrow(giver, number, "hand-off"))
        elif step.kind is StepKind.SEND:
            sent = number
        elif step.kind is StepKind.WIRE and message is not None:
            on_wire[message] = number
            if sent is not None:
                found.append(Arrow(sent, number, "bytes"))
        elif step.kind is StepKind.RECV and message in on_wire:
            found.append(Arrow(on_wire[message], number, "bytes"))
    return found
