"""Two messages that one read brought are told as if each had been read by itself."""

from __future__ import annotations

import pytest

from tests.test_journey import message
from tests.worlds import Process, flow, recording
from utils.journeys.journey import Journeys
from utils.journeys.placement import Placement
from utils.journeys.shares import Shares
from utils.journeys.turns import Turns
from utils.records import HandOffKind

ALICE = flow(40001)


def world(at_once: bool):
    """Two frames of four bytes, read by one thread and handed to another, at once or one by one."""
    client, server = Process("client"), Process("server")
    for number in (0, 1):
        emit = client.call(1, f"emit_{number}", 1 + 5 * number, 4 + 5 * number)
        client.send(1, ALICE, 4 * number, 4, 2 + 5 * number, 3 + 5 * number, call=emit)
    reader = server.call(11, "reader", 1, None)
    worker = server.call(12, "worker", 1, None)
    reads = [(0, 8, (0, 1))] if at_once else [(0, 4, (0,)), (4, 4, (1,))]
    for number, (offset, length, frames) in enumerate(reads):
        at = 20 + 100 * number
        server.recv(11, ALICE, offset, length, at - 5, at, call=reader)
        server.call(11, "receive_data", at + 1, at + 2, reader)
        events = server.call(11, "events", at + 3, at + 60, reader)
        for frame in frames:
            begun = at + 10 + 20 * (frame if at_once else 0)
            server.call(11, "parse", begun, begun + 5, events)
            given = server.call(11, "Event.set", begun + 6, begun + 7, events)
            waited = server.call(12, "Event.wait", begun - 9, begun + 8, worker)
            server.call(12, f"work_{frame}", begun + 9, begun + 12, worker)
            server.hands(HandOffKind.EVENT, given, waited, begun + 6, begun + 8)
        server.call(11, "parse", at + 52, at + 53, events)
    messages = [message(ALICE, 4 * number, b"xxxx", 3 + 5 * number, f"frame {number}") for number in (0, 1)]
    return recording(client, server), messages


@pytest.mark.parametrize("number", [0, 1])
def test_the_chain_is_the_same_however_the_bytes_came(number):
    told = []
    for at_once in (False, True):
        made, messages = world(at_once)
        told.append([step.title for step in Journeys(made, messages, {}).of(messages[number]).steps])
    assert told[0] == told[1]
    assert f"work_{number}" in told[0] and f"work_{1 - number}" not in told[0]


def test_each_share_holds_its_own_bytes_and_what_was_done_for_it():
    made, messages = world(at_once=True)
    turns = Turns(made.traces)
    shares = Shares(turns, Placement(messages)).of(turns.at("server", 11, 25))
    assert [(share.read.offset, share.read.end) for share in shares] == [(0, 4), (4, 8)]
    assert [share.holds(21) for share in shares] == [True, True]  # done once, for both
    assert [share.holds(30) for share in shares] == [True, False]
    assert [share.holds(50) for share in shares] == [False, True]


def test_what_was_read_by_itself_has_no_shares():
    made, messages = world(at_once=False)
    turns = Turns(made.traces)
    assert not Shares(turns, Placement(messages)).of(turns.at("server", 11, 25))
