"""The upgrade's states: which way a connection went, and how often it had to wait."""

from __future__ import annotations

import pytest

from tests.wire_bytes import UPGRADE, framed, switching
from utils import lab
from utils.wire.connection import Connection
from utils.wire.units import Side
from utils.wire.upgrade import FROM_SERVER, TRANSITIONS, Sign, State, round_trips, walk


def units(name):
    return [message.unit for message in lab.replay(name).messages_of("alice")]


@pytest.mark.parametrize(
    ("recording", "way", "waited"),
    [
        (
            "one_bid",
            [Sign.ASK, Sign.OPEN, Sign.ASK_UPGRADE, Sign.SWITCH, Sign.PROBE, Sign.PROOF, Sign.UPGRADE],
            4,
        ),
        ("websocket_only", [Sign.ASK_WEBSOCKET, Sign.SWITCH, Sign.OPEN], 2),
        ("polling", [Sign.ASK, Sign.OPEN], 2),
        ("upgrade_refused", [Sign.ASK, Sign.OPEN, Sign.ASK_UPGRADE, Sign.REFUSE], 3),
    ],
)
def test_the_way_that_a_recorded_connection_went(recording, way, waited):
    moves = list(walk(units(recording)))
    assert [move.sign for move in moves] == way
    assert all(move.after is TRANSITIONS[move.before, move.sign] for move in moves)
    assert all(before.after is after.before for before, after in zip(moves, moves[1:], strict=False))
    assert round_trips(units(recording)) == waited


def test_a_probe_that_is_followed_by_a_close_leads_back_to_polling():
    sent = [
        (Side.CLIENT, b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"),
        (Side.SERVER, b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0{"sid":""}'),
    ]
    first, second = Connection(), Connection()
    told = [unit for side, data in sent for unit in first.feed(side, data)]
    told += second.feed(Side.CLIENT, UPGRADE) + second.feed(Side.SERVER, switching())
    told += second.feed(Side.CLIENT, framed("2probe") + framed(b"\x03\xe8", opcode=8))
    assert [move.after for move in walk(told)][-3:] == [State.OPENED, State.PROBED, State.POLLING]


def test_each_state_is_reached_from_the_first_and_each_side_has_its_signs():
    reached = {State.NOTHING}
    for _ in State:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(State)
    assert {sign for _, sign in TRANSITIONS} == set(Sign)
    assert {move.sign in FROM_SERVER for move in walk(units("one_bid"))} == {True, False}


def test_whoever_was_never_connected_still_waited():
    asked, answered, *_ = units("polling")
    assert round_trips([]) == round_trips([asked]) == 0
    assert round_trips([asked, answered]) == 1
