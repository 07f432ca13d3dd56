"""The hops of a journey cover it: each stretch belongs to a thread or to the wire."""

from __future__ import annotations

from dataclasses import replace

from tests.test_journey import CLIENTS, a_bid
from utils.journeys.journey import journey
from utils.latency.hops import hops
from utils.records import StepKind


def the_hops():
    world, messages = a_bid()
    return hops(journey(world, messages, messages[0], clients=CLIENTS))


def test_each_turn_is_a_hop_and_so_is_each_way_over_the_wire():
    assert [hop.label for hop in the_hops()] == [
        "client · work",
        "client · work (alice)",
        "wire · alice → server",
        "server · work (alice)",
        "server · work (alice)",
        "wire · server → alice",
        "client · work (alice)",
        "server · work (bob)",
        "wire · server → bob",
        "client · work (bob)",
    ]


def test_a_way_over_the_wire_lasts_from_the_send_to_the_recv():
    wire = [hop for hop in the_hops() if hop.process == "wire"]
    # The send started at 113, the recv returned at 117, and the journey began at 100.
    assert (wire[0].start_ns, wire[0].end_ns) == (13, 17)


def test_what_is_sent_piece_by_piece_is_under_way_from_its_first_piece_on():
    world, messages = a_bid()
    told = journey(world, messages, messages[0], clients=CLIENTS)
    steps = []
    for step in told.steps:
        steps.append(step)
        if step.kind is StepKind.SEND:
            # Its rest is sent when the reader has begun already.
            steps.append(replace(step, since_ns=step.since_ns + 1_000))
    again = hops(replace(told, steps=tuple(steps)))
    assert [hop for hop in again if hop.process == "wire"] == [
        hop for hop in the_hops() if hop.process == "wire"
    ]


def test_no_hop_ends_before_it_starts_or_starts_before_the_journey():
    assert all(0 <= hop.start_ns <= hop.end_ns for hop in the_hops())


def test_a_thread_answers_from_its_waking_until_it_passes_the_work_on():
    main, writer = the_hops()[:2]
    # The packet went into the queue at 105; emit itself returned at 120.
    assert (main.start_ns, main.end_ns) == (0, 5)
    # It was taken out at 107, and sent from 113 to 115; send_frame returned at 118.
    assert (writer.start_ns, writer.end_ns) == (7, 15)
