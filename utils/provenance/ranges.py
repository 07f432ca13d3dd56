"""Runs of a message's bytes: (start, end) pairs, sorted and apart from each other.

The rule kept here: arithmetic only; no range knows what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]


def size(ranges: Ranges) -> int:
    """How many bytes they hold."""
    return sum(end - start for start, end in ranges)


def joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Any ranges, sorted, those that touch made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def common(one: Iterable[tuple[int, int]], other: Iterable[tuple[int, int]]) -> Ranges:
    """The bytes in both."""
    others = tuple(other)
    return joined((max(a, c), min(b, d)) for a, b in one for c, d in others)


def without(one: Iterable[tuple[int, int]], other: Iterable[tuple[int, int]]) -> Ranges:
    """The bytes of ``one`` that are not in ``other``."""
    left = list(joined(one))
    for start, end in joined(other):
        left = [
            piece
            for low, high in left
            for piece in ((low, min(high, start)), (max(low, end), high))
            if piece[0] < piece[1]
        ]
    return tuple(left)


def once(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The bytes that lie in exactly one of ``ranges``."""
    edges = sorted(edge for start, end in ranges for edge in ((start, 1), (end, -1)) if start < end)
    found = []
    depth = before = 0
    for at, change in edges:
        if depth == 1 and before < at:
            found.append((before, at))
        depth += change
        before = at
    return joined(found)
