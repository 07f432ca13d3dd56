"""The chain of a journey: what must be the same in every recording of it."""

from __future__ import annotations

import re

from utils.records import Journey, Level, StepKind

#: From here on a message's summary holds what differs from run to run: ids, times.
_VARIES = re.compile(r"[\[{#]")


def chain(journey: Journey, level: Level = Level.ESSENTIAL) -> tuple[tuple[str, ...], ...]:
    """Process, thread, kind, title and level of each step."""
    return tuple(
        (
            step.process,
            step.thread,
            step.kind.value,
            _VARIES.split(step.title)[0] if step.kind is StepKind.WIRE else step.title,
            step.level.name,
        )
        for step in journey.at(level)
    )
