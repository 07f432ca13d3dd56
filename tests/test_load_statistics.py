"""Histograms keep three digits; intervals hold what they should; ratios are taken turn by turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_load_values import result, turn
from utils.load import statistics


@given(st.lists(st.integers(1, 50_000_000_000), min_size=1, max_size=50))
def test_a_histogram_keeps_each_sample_to_three_digits(samples):
    kept = statistics.unpack(statistics.pack(samples))
    assert len(kept) == len(samples)
    assert np.allclose(kept, sorted(samples), rtol=1e-3)


def test_nothing_is_a_histogram_too():
    assert len(statistics.unpack(statistics.pack([]))) == 0


def test_a_sample_beyond_the_bounds_counts_as_the_bound():
    assert statistics.unpack(statistics.pack([-5, 10**12])).tolist() == pytest.approx([1, 6e10], rel=1e-3)


def test_the_interval_of_a_median_mostly_holds_the_truth():
    chance = np.random.default_rng(7)
    held = 0
    for _ in range(20):
        turns = [turn(*chance.gamma(4, 2, 100)) for _ in range(6)]
        found = statistics.quantile(result("gamma", *turns), 0.5)
        assert found.low <= found.value <= found.high
        held += found.low <= 7.344e6 <= found.high  # the median of that distribution, in ns
    assert held >= 15


def test_the_same_turns_give_the_same_interval():
    one = result("one", turn(1, 2, 3), turn(2, 3, 4))
    assert statistics.quantile(one, 0.9) == statistics.quantile(one, 0.9)


def test_a_busy_moment_that_meets_both_does_not_tell_in_their_ratio():
    # The third round ran on a machine ten times as slow.
    slow = result("slow", turn(4, 4), turn(4, 4), turn(40, 40))
    fast = result("fast", turn(2, 2), turn(2, 2), turn(20, 20))
    assert statistics.ratio(slow, fast).value == pytest.approx(2, rel=1e-3)


def test_only_what_was_granted_counts_as_throughput():
    one = result("one", turn(1, 1, 1, 1, refused=1, unanswered=1, elapsed_ns=500_000_000))
    assert statistics.throughput(one) == 4


def test_the_servers_processor_time_is_told_for_each_request():
    assert statistics.server_cpu(result("one", turn(1, 1, server_cpu_ns=1000))) == 500


def test_client_by_client_the_median_of_the_turns():
    turns = [turn(1, by_client=times) for times in ((1, 5), (2, 6), (9, 9))]
    assert statistics.by_client(turns).tolist() == [2, 6]
