"""Ranges of bytes are sets of bytes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from utils.provenance.ranges import common, joined, once, size, without

pairs = st.tuples(st.integers(0, 40), st.integers(0, 40))
some = st.lists(pairs, max_size=8)


def bytes_in(ranges):
    return {at for start, end in ranges for at in range(start, end)}


def is_tidy(ranges):
    return all(start < end for start, end in ranges) and all(
        one[1] < other[0] for one, other in zip(ranges, ranges[1:], strict=False)
    )


@given(some)
def test_joined_are_the_same_bytes_once(ranges):
    found = joined(ranges)
    assert is_tidy(found)
    assert bytes_in(found) == bytes_in(ranges)
    assert size(found) == len(bytes_in(ranges))


@given(some, some)
def test_common_and_without(one, other):
    assert bytes_in(common(one, other)) == bytes_in(one) & bytes_in(other)
    assert bytes_in(without(one, other)) == bytes_in(one) - bytes_in(other)
    assert is_tidy(without(one, other))


@given(some)
def test_once_is_what_exactly_one_holds(ranges):
    counts = Counter(at for start, end in ranges for at in range(start, end))
    assert bytes_in(once(ranges)) == {at for at, number in counts.items() if number == 1}
