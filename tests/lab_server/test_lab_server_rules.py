"""The rules, as a table and as laws."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_server.rules import MAX_CENTS, Refused, Standing, in_words, judge, same_person

FRESH = Standing(opening_cents=1000, increment_cents=50, closes_at=2000, closed=False)
LED = Standing(1000, 50, 2000, False, highest_cents=1500, leader="Ada")


@pytest.mark.parametrize(
    ("standing", "bidder", "cents", "now", "code"),
    [
        (FRESH, "Ada", 999, 0, "too_low"),
        (FRESH, "Ada", 1000, 2000, "closed"),
        (Standing(1000, 50, 2000, True), "Ada", 1000, 0, "closed"),
        (LED, "Grace", 1549, 0, "too_low"),
        (LED, "Ada", 5000, 0, "own_lead"),
        (LED, "ADA", 5000, 0, "own_lead"),
        (FRESH, "Ada", MAX_CENTS + 1, 0, "too_high"),
    ],
)
def test_a_bid_is_refused(standing: Standing, bidder: str, cents: int, now: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        judge(standing, bidder, cents, now)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("standing", "bidder", "cents", "now"),
    [
        (FRESH, "Ada", 1000, 0),
        (FRESH, "Ada", 1000, 1999),
        (LED, "Grace", 1550, 0),
        (FRESH, "Ada", MAX_CENTS, 0),
    ],
)
def test_a_bid_is_accepted(standing: Standing, bidder: str, cents: int, now: int) -> None:
    judge(standing, bidder, cents, now)


def test_a_bid_that_is_too_low_is_told_what_would_do() -> None:
    with pytest.raises(Refused) as refused:
        judge(LED, "Grace", 1500, 0)
    judge(LED, "Grace", refused.value.details["minimum_cents"], 0)


@given(st.lists(st.tuples(st.sampled_from(["Ada", "Grace", "Jo"]), st.integers(1, 10_000)), max_size=40))
def test_prices_rise_by_the_increment_and_nobody_follows_himself(bids: list[tuple[str, int]]) -> None:
    standing, accepted = FRESH, []
    for bidder, cents in bids:
        try:
            judge(standing, bidder, cents, 0)
        except Refused:
            continue
        accepted.append((bidder, cents))
        standing = Standing(1000, 50, 2000, False, highest_cents=cents, leader=bidder)
    for (first, lower), (second, higher) in pairwise(accepted):
        assert higher >= lower + 50
        assert not same_person(first, second)
    assert all(cents >= 1000 for _, cents in accepted)


@given(st.integers(0, MAX_CENTS))
def test_a_sum_in_words_reads_back(cents: int) -> None:
    euros, _, rest = in_words(cents).replace(",", "").partition(".")
    assert int(euros) * 100 + int(rest) == cents
    assert len(rest) == 2
