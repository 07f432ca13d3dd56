"""A connection to Redis: units that tile both sides, answers at their place, and the way on after trouble."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.redis_bytes import CALLING, PICKLED, QUEUED, TALK, VALUES, command, encoded, push
from tests.wire_bytes import cut, tiles, understood
from utils.wire import redis as wire
from utils.wire.redis import RedisConnection
from utils.wire.units import Layer, Side, Unit

C, S = Side.CLIENT, Side.SERVER


def talk(pieces) -> list[Unit]:
    connection = RedisConnection()
    units = [unit for side, data in pieces for unit in connection.feed(side, data)]
    return units + connection.finish()


def said(*pieces) -> list[str]:
    return [unit.summary for unit in talk(pieces)]


def test_a_whole_conversation():
    units = talk(TALK)
    assert [unit.summary for unit in units] == [
        "HELLO 3 AUTH ada <redacted> <redacted> <redacted>",
        "map of 2: server redis proto 3 · answers HELLO",
        "SUBSCRIBE flask-socketio",
        "push of 3: subscribe flask-socketio 1",
        'PUBLISH flask-socketio · emit "bids placed" to lot 1',
        "PING",
        'message flask-socketio · emit "bids placed" to lot 1',
        ":2 · answers PUBLISH: 2 got it",
        "+PONG · answers PING",
        "GET a",
        "nothing · answers GET",
        "pmessage flask-socketio · a pickle that imports posix.getpid and calls 1×",
        "GET b",
        "attribute of 1: ttl 3600",
        "x · answers GET",
        "NO SUCH",
        "-ERR unknown command · answers NO SUCH",
    ]
    assert all(unit.layer is Layer.REDIS and not unit.faults for unit in units)
    for unit in units:
        tiles(unit)
        assert unit.unexplained == 0
    assert [unit.payload for unit in units if unit.payload] == [QUEUED, QUEUED, CALLING]


@given(st.integers(0, 2**32))
def test_however_it_is_cut_it_is_the_same(seed):
    assert understood(talk(cut(TALK, random.Random(seed)))) == understood(talk(TALK))


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=60)), max_size=8), st.integers(0, 99))
def test_any_bytes_are_tiled_and_cutting_them_makes_no_difference(pieces, seed):
    units = talk(pieces)
    for side in Side:
        whole = b"".join(data for said, data in pieces if said is side)
        assert b"".join(unit.raw for unit in units if unit.side is side) == whole
    for unit in units:
        tiles(unit)
        assert unit.summary.isprintable() and len(unit.summary) <= 120
    assert understood(talk(cut(pieces, random.Random(seed)))) == understood(units)


@given(st.lists(VALUES, max_size=4), st.integers(0, 99))
def test_any_values_are_told_and_explained(values, seed):
    data = [(S, b"".join(map(encoded, values)))]
    units = talk(cut(data, random.Random(seed)))
    assert len(units) == len(values)
    for unit in units:
        tiles(unit)
        assert unit.summary.isprintable() and not unit.faults


def test_after_bytes_that_are_no_value_it_goes_on_at_the_next_line():
    units = talk([(S, b"+OK\r\nwhat is this?\r\nstill\r\n:1\r\n")])
    assert [unit.raw for unit in units] == [b"+OK\r\n", b"what is this?\r\nstill\r\n", b":1\r\n"]
    (fault,) = units[1].faults
    assert (fault.expected, fault.got) == ("the first byte of a value", "0x77")
    assert units[1].layer is Layer.UNKNOWN


def test_a_fault_within_a_value_is_told_at_its_place():
    units = talk([(S, b"*2\r\n:1\r\nx\r\n+OK\r\n")])
    assert [unit.raw for unit in units] == [b"*2\r\n", b":1\r\n", b"x\r\n", b"+OK\r\n"]
    assert units[0].faults[0].offset == 0  # it is behind these bytes
    units = talk([(S, b"$1\r\nabc\r\n+OK\r\n")])
    assert units[0].faults[0].offset == 5 and units[0].raw == b"$1\r\nabc\r\n"


def test_bytes_that_are_missing():
    connection = RedisConnection()
    whole = push(b"message", b"a", b"x" * 50)
    assert connection.feed(S, whole[:20]) == []
    (before,) = connection.gap(S, 30)
    assert before.raw == whole[:20] and before.faults[0].got == "30 bytes missing"
    rest, after = connection.feed(S, whole[50:] + b":1\r\n")
    assert (rest.layer, rest.start, rest.raw) == (Layer.UNKNOWN, 50, whole[50:])
    assert (after.summary, after.start) == (":1", len(whole))


def test_behind_a_gap_a_value_may_begin_at_once():
    connection = RedisConnection()
    connection.feed(C, command("GET", "a"))
    connection.gap(S, 5)
    (unit,) = connection.feed(S, b":1\r\n")
    assert unit.summary == ":1"  # and which command it answers is not known


def test_what_is_left_at_the_end_is_given_as_it_is():
    (unit,) = talk([(C, b"*2\r\n$3\r\nGET")])
    assert unit.layer is Layer.UNKNOWN and unit.faults[0].got == "the end of the capture"


def test_only_so_many_commands_wait_for_their_answers():
    many = command("PING") * (wire.MOST_ASKED + 5)
    summaries = said((C, many), (S, b"+PONG\r\n" * (wire.MOST_ASKED + 1)))
    assert summaries[-2:] == ["+PONG · answers PING", "+PONG"]


@pytest.mark.parametrize("payload", [PICKLED, CALLING, QUEUED, b"plain", b"{broken", b"\x80\x04broken"])
def test_whatever_is_published_is_explained(payload):
    for side, data in ((C, command("PUBLISH", "a", payload)), (S, push(b"message", b"a", payload))):
        (unit,) = talk([(side, data)])
        tiles(unit)
        assert unit.payload == payload
