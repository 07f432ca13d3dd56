"""A capture that begins in the middle, or has holes, is read again from the next sure beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_bytes import CONVERSATION, UPGRADE, framed, opened, switching, tiles, understood
from utils.wire.connection import Connection
from utils.wire.resync import Found, Seeker
from utils.wire.units import Layer, Side, Unit

BID = '42["replace old value",{"lot":1,"cents":12500}]'


def sound(units: list[Unit]) -> list[str]:
    return [unit.summary for unit in units if unit.layer is not Layer.UNKNOWN]


@pytest.mark.parametrize("client", [True, False])
@pytest.mark.parametrize("lost", range(1, 30))
def test_in_the_middle_of_a_frame_the_next_text_frame_is_found(lost, client):
    side = Side.CLIENT if client else Side.SERVER
    stream = framed(BID, client=client)[lost:] + framed("42[1]", client=client) + framed("3", client=client)
    connection = Connection()
    units = connection.feed(side, stream) + connection.finish()
    assert b"".join(unit.raw for unit in units) == stream
    assert sound(units)[-1] == "pong"


@pytest.mark.parametrize("kept", range(48))
def test_a_hole_inside_a_frame_costs_that_frame_only(kept):
    connection = opened()
    frame = framed(BID)
    assert len(frame) == 53
    found = connection.feed(Side.CLIENT, frame[:kept])
    found += connection.gap(Side.CLIENT, 3)
    found += connection.feed(Side.CLIENT, frame[kept + 3 :] + framed(b"\x01\x02") + framed("3"))
    assert sound(found)[-1:] == ["pong"]
    if kept >= 6:  # the header was seen: the frame's end is known
        assert sound(found) == ["attachment, 2 bytes", "pong"]
    assert sum(len(unit.raw) for unit in found) == len(frame) - 3 + len(framed(b"\x01\x02") + framed("3"))
    assert found[-1].end == len(UPGRADE + frame + framed(b"\x01\x02") + framed("3"))


def test_a_hole_inside_a_body_costs_that_message_only():
    connection = Connection()
    connection.feed(Side.CLIENT, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    found = connection.feed(Side.SERVER, answer + b"x" * 30)
    found += connection.gap(Side.SERVER, 20)
    found += connection.feed(Side.SERVER, b"x" * 50 + b"HTTP/1.1 204 No Content\r\n\r\n")
    assert sound(found) == ["204 No Content"]


def test_a_hole_over_the_answer_to_the_upgrade():
    connection = Connection()
    connection.feed(Side.CLIENT, UPGRADE + framed("2probe"))
    connection.gap(Side.SERVER, len(switching()))
    found = connection.feed(Side.SERVER, framed("3probe", client=False))
    assert sound(found) == ["pong probe", "ping probe"]


def test_an_upgrade_of_which_the_answer_was_not_captured():
    connection = Connection()
    found = connection.feed(Side.CLIENT, UPGRADE + framed("2probe") + framed(BID)) + connection.finish()
    assert [unit.layer for unit in found] == [Layer.HTTP, Layer.WEBSOCKET, Layer.WEBSOCKET]


def test_http_goes_on_after_bytes_that_are_none():
    connection = Connection()
    stream = b"\x00\x01 rest of something HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
    found = connection.feed(Side.SERVER, stream)
    assert found[0].raw == b"\x00\x01 rest of something " and found[0].faults
    assert sound(found) == ["200 OK"]


def test_a_broken_head_does_not_hide_the_next_request():
    connection = Connection()
    found = connection.feed(Side.CLIENT, b"GE\x00T / HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n")
    assert sound(found) == ["GET /next"]


def test_text_that_looks_like_a_header_is_not_taken_for_a_frame():
    connection = Connection()
    noise = b"\x81\x05hello \x81\x03\xff\xfe\xfd \x81\x00 \x82\x03abc"
    found = connection.feed(Side.SERVER, b"junk" + noise) + connection.finish()
    assert {unit.layer for unit in found} == {Layer.UNKNOWN}


def test_after_a_lost_frame_a_window_that_goes_on_is_not_guessed_at():
    connection = opened("permessage-deflate")
    connection.feed(Side.SERVER, framed("x" * 50, client=False)[:20])
    connection.gap(Side.SERVER, 10)
    found = connection.feed(Side.SERVER, b"x" * 22 + framed(b"\x00", client=False, opcode=1, rsv=4))
    assert "cannot be inflated" in found[-1].faults[0].got


def test_the_seeker_gives_up_on_frames_and_not_on_http():
    seeker = Seeker(Side.SERVER)
    noise = bytearray(b"\x81\x030\xff\xff" * 10_000)
    assert seeker.find(noise, 1, fresh=False, final=False).found is Found.NOTHING
    sure = bytearray(noise + framed("2", client=False) + b"HTTP/1.1 200 OK\r\n")
    place = seeker.find(sure, 1, fresh=False, final=False)
    assert place.found is Found.HTTP


@given(st.data())
def test_wherever_a_capture_begins_the_end_is_understood(data):
    for side in Side:
        stream = b"".join(piece for s, piece in CONVERSATION if s is side)
        stream += framed(BID, client=side is Side.CLIENT)
        at = data.draw(st.integers(0, len(stream) - len(framed(BID))))
        connection = Connection()
        units = connection.feed(side, stream[at:]) + connection.finish()
        assert b"".join(unit.raw for unit in units) == stream[at:]
        assert sound(units)[-1].startswith('event "replace old value"')
        for unit in units:
            tiles(unit)


@given(st.data())
def test_a_hole_is_the_same_however_the_rest_is_cut(data):
    stream = b"".join(piece for s, piece in CONVERSATION if s is Side.CLIENT)
    first = data.draw(st.integers(0, len(stream) - 2))
    last = data.draw(st.integers(first + 1, len(stream) - 1))

    def told(step: int) -> list:
        connection = Connection()
        units = []
        for part in (stream[:first], None, stream[last:]):
            if part is None:
                units += connection.gap(Side.CLIENT, last - first)
                continue
            for at in range(0, len(part), step):
                units += connection.feed(Side.CLIENT, part[at : at + step])
        units += connection.finish()
        assert all(a.end <= b.start for a, b in zip(units, units[1:], strict=False))
        return understood(units)

    assert told(1) == told(len(stream))
