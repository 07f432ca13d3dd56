"""The same journey on two sets of versions: which functions stayed, changed, went and came.

The rule kept here: two steps are the same one if they are of one kind, in one
library and of one name; their order does the rest.  Whether a function's
source changed is told by the text that a reader is shown, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

from utils.records import Excerpt, Journey, Level, Message, Sources, Step, StepKind


class Fate(Enum):
    """What became of a step from one set of versions to the other."""

    SAME = "same"  # as it was, to the letter and to the line
    MOVED = "moved"  # the same text at another place
    CHANGED = "changed"  # the same function with another text, or the same message with other bytes
    RENAMED = "renamed"  # its work is done by a function of the same name in another class
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Row:
    """A step on the one side, on the other, or on both."""

    fate: Fate
    left: Step | None
    right: Step | None


def compare(
    left: Journey,
    right: Journey,
    level: Level = Level.ESSENTIAL,
    sources: tuple[Sources | None, Sources | None] = (None, None),
) -> tuple[Row, ...]:
    """The steps of two journeys side by side, at ``level``, in the order of both.

    ``sources`` are those that the two recordings keep: with them a function's
    whole text is compared, without them only what its excerpt shows.
    """
    return tuple(_align(left.at(level), right.at(level), sources))


def _align(
    left: Sequence[Step], right: Sequence[Step], sources: tuple[Sources | None, Sources | None]
) -> Iterator[Row]:
    """Pairs of steps; what has no counterpart stands alone, the older side first."""
    matcher = SequenceMatcher(None, [*map(_key, left)], [*map(_key, right)], autojunk=False)
    for operation, start, end, other_start, other_end in matcher.get_opcodes():
        mine, theirs = left[start:end], list(right[other_start:other_end])
        if operation == "equal":
            for one, other in zip(mine, theirs, strict=True):
                yield Row(_fate(one, other, sources), one, other)
            continue
        for one in mine:
            heir = next((other for other in theirs if _work(other) == _work(one)), None)
            if heir is None:
                yield Row(Fate.GONE, one, None)
                continue
            for other in theirs[: theirs.index(heir)]:
                yield Row(Fate.NEW, None, other)
            del theirs[: theirs.index(heir) + 1]
            yield Row(Fate.RENAMED, one, heir)
        for other in theirs:
            yield Row(Fate.NEW, None, other)


def _key(step: Step) -> Hashable:
    return step.kind, step.process, step.library and step.library.name, step.title


def _work(step: Step) -> Hashable:
    """What a step does, whichever class it does it in."""
    return step.kind, step.process, step.library and step.library.name, step.title.rpartition(".")[2]


def _fate(left: Step, right: Step, sources: tuple[Sources | None, Sources | None]) -> Fate:
    if left.kind is StepKind.WIRE:
        # Masking keys are drawn at random: they make no difference.
        same = left.message and right.message and _plain(left.message) == _plain(right.message)
        return Fate.SAME if same else Fate.CHANGED
    if left.excerpt is None or right.excerpt is None:
        return Fate.SAME if left.excerpt is right.excerpt else Fate.CHANGED
    if _text(left.excerpt, sources[0]) != _text(right.excerpt, sources[1]):
        return Fate.CHANGED
    placed = [(excerpt.path, excerpt.current) for excerpt in (left.excerpt, right.excerpt)]
    return Fate.SAME if placed[0] == placed[1] else Fate.MOVED


def _plain(message: Message) -> Hashable:
    return len(message.unit.raw), message.unit.payload


def _text(excerpt: Excerpt, sources: Sources | None) -> Hashable:
    """What the function says: all of it where its digest was kept, else what is shown of it."""
    if sources is not None:
        definition = sources.definitions.get(excerpt.filename, {}).get(excerpt.function)
        if definition is not None:
            return definition.digest
    return tuple(line and line[1] for line in excerpt.lines)
