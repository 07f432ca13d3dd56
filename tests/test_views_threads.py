"""The threads of a journey: one lane each, and every turn with what woke it."""

from __future__ import annotations

import pytest

from tests.markup_reader import Reader
from tests.test_journey import CLIENTS, a_bid
from utils import lab
from utils.journeys.journey import journey
from utils.records import Journey
from utils.views.threads import threads, turns


@pytest.fixture(scope="module")
def bid() -> Journey:
    return lab.replay("one_bid").journey("replace old value")


def test_each_turn_but_the_first_was_woken_by_one_before_it(bid):
    told = turns(bid)
    assert told[0].waker is None and told[0].by == ""
    assert all(turn.waker is not None and turn.waker < turn.number and turn.by for turn in told[1:])


def test_the_handler_hands_on_to_a_writer_for_each_client(bid):
    told = {turn.number: turn for turn in turns(bid)}
    writers = [turn for turn in told.values() if turn.thread.startswith("writer")]
    assert [turn.thread for turn in writers] == ["writer (alice)", "writer (bob)"]
    assert {(turn.by, told[turn.waker].thread) for turn in writers} == {
        ("Queue.put", "_handle_event_internal")
    }


def test_every_way_of_waking_is_named(bid):
    assert {turn.by for turn in turns(bid)} == {"", "Queue.put", "Event.set", "Thread.start", "bytes"}
    assert {turn.by for turn in turns(lab.replay("heartbeat").journey("heartbeat"))} >= {
        "bytes",
        "Thread.start",
    }


def test_in_a_known_world_the_wakers_are_those_that_handed_on():
    world, messages = a_bid()
    told = journey(world, messages, messages[0], clients=CLIENTS)
    assert told.wakers == {2: 1, 3: 2, 4: 3, 5: 4, 6: 3, 7: 6}


def test_the_picture_has_a_lane_for_each_thread_a_box_for_each_turn_and_says_so(bid):
    view = threads(bid)
    told = turns(bid)
    read = Reader(view.html)
    (svg,) = read.find("svg", role="img")
    lanes = {turn.lane for turn in told}
    assert f"{len(told)} turns in {len(lanes)} threads" in svg["aria-label"]
    assert "Turn 2: client, _write_loop (alice), woken by Queue.put from turn 1." in svg["aria-label"]
    assert len(read.find("rect")) == len(told) and len(read.find("line")) == len(lanes)


def test_the_text_has_a_row_for_each_turn(bid):
    assert len(str(threads(bid)).splitlines()) == 2 + len(turns(bid))


def test_a_journey_of_one_turn_has_no_arrow():
    view = threads(lab.replay("opening").journey("on"))
    assert Reader(view.html).find("path") == [] and "1 turn in 1 thread" in str(view)
