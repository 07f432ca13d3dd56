"""Hops follow each other, lose what tracing cost, and are held against the untraced total."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_journey import CLIENTS, a_bid
from utils import lab
from utils.journeys.journey import journey
from utils.latency.attribution import Attribution, Share, attribute
from utils.wire.units import Side


@pytest.fixture
def bid():
    world, messages = a_bid()
    return journey(world, messages, messages[0], clients=CLIENTS), world.traces


def test_hops_and_waking_make_up_the_traced_whole(bid):
    told, traces = bid
    found = attribute([told], traces, 100, 0)
    assert sum(share.traced_ns for share in found.shares) + found.waking.traced_ns == found.traced_ns
    assert all(share.tracing_ns == 0 for share in found.shares)


def test_what_tracing_cost_comes_off_and_never_more_than_there_is(bid):
    told, traces = bid
    found = attribute([told], traces, 100, 1e9)
    assert all(0 <= share.corrected_ns <= share.traced_ns for share in found.shares)
    assert any(share.tracing_ns > 0 for share in found.shares)


def test_what_passes_between_hops_is_traced_too_and_loses_it(bid):
    told, traces = bid
    found = attribute([told], traces, 100, 1)
    assert 0 < found.waking.tracing_ns < found.waking.traced_ns
    assert found.waking.corrected_ns == found.waking.traced_ns - found.waking.tracing_ns


def test_each_call_is_counted_once_half_when_it_begins_and_half_when_it_ends(bid):
    told, traces = bid
    found = attribute([told], traces, 100, 1)
    begin, end = told.start_ns, told.start_ns + found.traced_ns
    noted = [moment for trace in traces for call in trace.calls for moment in (call.enter_ns, call.leave_ns)]
    within = sum(moment is not None and begin <= moment < end for moment in noted)
    # On the wire nobody's calls delay anything.
    assert sum(share.tracing_ns for share in (*found.shares, found.waking)) <= within / 2
    assert found.shares[0].tracing_ns == 0.5  # the emit begins; it ends when the work has been passed on


def test_the_rest_falls_one_way_or_the_other_and_has_its_name(bid):
    told, traces = bid
    found = attribute([told], traces, 10_000, 0)
    assert (found.unexplained_ns, found.slowed_ns) == (10_000 - found.traced_ns, 0)
    found = attribute([told], traces, 10, 0)
    assert (found.unexplained_ns, found.slowed_ns) == (0, found.traced_ns - 10)


def test_a_traced_run_on_a_busy_machine_is_called_slower_and_nothing_is_counted_twice():
    """All parts took three times as long as untraced, their calls a tenth of it."""
    parts = [Share(label, "server", 300, 30) for label in "abc"]
    found = Attribution(tuple(parts), Share("between", "wire", 300, 30), 1200, 400, 5)
    assert found.explained_ns == 4 * 270
    assert (found.slowed_ns, found.unexplained_ns, found.overcorrected_ns) == (680, 0, 0)


def test_a_correction_larger_than_what_it_corrects_takes_all_and_says_what_it_could_not():
    """The tracer is taken to cost four times what it did, as when its cost is measured on a busier machine."""
    parts = (Share("short", "server", 100, 400), Share("long", "server", 900, 400))
    found = Attribution(parts, Share("between", "wire", 0, 0), 1000, 700, 5)
    assert [share.corrected_ns for share in parts] == [0, 500]
    assert [share.taken_off_ns for share in parts] == [100, 400]
    assert (found.overcorrected_ns, found.unexplained_ns, found.slowed_ns) == (300, 200, 0)


SHARES = st.builds(Share, st.just("a hop"), st.just("server"), st.integers(0, 10**7), st.integers(0, 10**7))


@given(st.lists(SHARES, max_size=12), SHARES, st.integers(1, 10**7))
def test_whatever_was_measured_the_parts_make_up_the_untraced_total(shares, waking, untraced):
    found = Attribution(tuple(shares), waking, 0, untraced, 1)
    assert found.explained_ns + found.unexplained_ns == untraced + found.slowed_ns
    assert 0 in (found.unexplained_ns, found.slowed_ns)
    for share in (*shares, waking):
        assert share.corrected_ns + share.taken_off_ns == share.traced_ns
    asked = sum(share.tracing_ns for share in (*shares, waking))
    taken = sum(share.taken_off_ns for share in (*shares, waking))
    assert found.overcorrected_ns == asked - taken


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
