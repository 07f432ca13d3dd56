"""Lanes and depths: threads together by process, steps inside the shown calls around them."""

from __future__ import annotations

from dataclasses import replace

from tests import builders
from utils.records import Level, StepKind
from utils.views.outline import Lane, depths, lanes


def test_a_processes_lanes_stand_together_in_the_order_of_first_appearance():
    drawn = list(lanes(builders.bid_journey().steps))
    assert drawn[:3] == [
        Lane("client", "MainThread"),
        Lane("client", "_write_loop"),
        Lane("client", "_read_loop"),
    ]
    assert [lane.process for lane in drawn] == ["client"] * 3 + ["wire"] + ["server"] * 5 + ["bob"]


def test_all_the_wire_is_one_lane():
    steps = builders.bid_journey().steps
    assert len({step.thread for step in steps if step.kind is StepKind.WIRE}) == 3
    assert [lane for lane in lanes(steps) if lane.process == "wire"] == [Lane("wire", "")]


def test_a_step_is_indented_by_the_shown_calls_around_it():
    journey = builders.bid_journey()
    for level in Level:
        shown = journey.at(level)
        found = depths(shown)
        for index, (step, depth) in enumerate(zip(shown, found, strict=True)):
            inside = depth == 0 or any(
                found[before] == depth - 1 and shown[before].turn == step.turn for before in range(index)
            )
            assert inside, (level, step.title)
    assert max(depths(journey.at(Level.LIBRARY))) < max(step.depth for step in journey.at(Level.LIBRARY))


def test_a_new_turn_begins_at_the_margin():
    one = builders.bid_journey().steps[1]
    assert one.depth == 1
    assert depths([one, replace(one, turn=2), replace(one, turn=2, depth=3)]) == [0, 0, 1]


def test_only_a_call_has_something_inside_it():
    sent = next(step for step in builders.bid_journey().steps if step.kind is StepKind.SEND)
    assert depths([sent, replace(sent, kind=StepKind.CALL, depth=5)]) == [0, 0]
