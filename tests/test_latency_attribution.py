"""Hops follow each other, lose what tracing cost, and are held against the untraced total."""

from __future__ import annotations

import pytest

from tests.test_journey import CLIENTS, a_bid
from utils import lab
from utils.journeys.journey import journey
from utils.latency.attribution import attribute
from utils.wire.units import Side


@pytest.fixture
def bid():
    world, messages = a_bid()
    return journey(world, messages, messages[0], clients=CLIENTS), world.traces


def test_hops_and_waking_make_up_the_traced_whole(bid):
    told, traces = bid
    found = attribute([told], traces, 100, 0)
    assert sum(share.traced_ns for share in found.shares) + found.waking_ns == found.traced_ns
    assert all(share.tracing_ns == 0 for share in found.shares)


def test_what_tracing_cost_comes_off_and_never_more_than_there_is(bid):
    told, traces = bid
    found = attribute([told], traces, 100, 1e9)
    assert all(0 <= share.corrected_ns <= share.traced_ns for share in found.shares)
    assert any(share.tracing_ns > 0 for share in found.shares)


def test_what_no_hop_explains_is_the_rest_whichever_way_it_falls(bid):
    told, traces = bid
    for total in (10, 10_000):
        found = attribute([told], traces, total, 0)
        assert found.unexplained_ns == total - found.traced_ns


def test_no_journey_is_no_attribution():
    with pytest.raises(ValueError, match="at least one journey"):
        attribute([], [], 1, 0)


def test_of_many_round_trips_the_quietest_quarter_counts():
    run = lab.replay("echoes")
    asked = run.events("echo", Side.CLIENT)[2:10]
    found = attribute([run._journeys.of(one, "echo") for one in asked], run.recording.traces, 1e6, 100)
    assert found.rounds == 2
    assert [share.process for share in found.shares].count("wire") == 2


def test_a_run_draws_it_and_says_when_there_are_too_few():
    from utils.errors import InputError

    run = lab.replay("echoes")
    assert run.attribution("echo", 1e6).text.startswith("Attribution of echo: ")
    with pytest.raises(InputError, match="no 1001 round trips"):
        run.attribution("echo", 1e6, skip=1000)
