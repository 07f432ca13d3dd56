"""A message in several frames: each frame knows the whole, and how much came before it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.handwriting import frame
from tests import builders
from utils.provenance.fragments import fragments
from utils.wire.connection import Connection
from utils.wire.units import Layer, Side

REQUEST = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def sent(*frames):
    """The messages that a client's ``frames`` become."""
    connection = Connection()
    units = [*connection.feed(Side.CLIENT, REQUEST), *connection.feed(Side.SERVER, ANSWER)]
    for one in frames:
        units += connection.feed(Side.CLIENT, bytes(one))
    whole = builders.event_message()
    return [
        replace(whole, unit=unit)
        for unit in units
        if unit.side is Side.CLIENT and unit.layer is Layer.WEBSOCKET
    ]


def in_pieces(text, cuts):
    """``text`` in as many frames, cut at those places."""
    edges = [0, *sorted(cuts), len(text)]
    parts = [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    last = len(parts) - 1
    return [
        frame(part, fin=int(place == last), opcode="CONTINUATION" if place else "TEXT")
        for place, part in enumerate(parts)
    ]


TEXT = '42["replace old value","in pieces"]'


@given(st.sets(st.integers(1, len(TEXT) - 1), min_size=1, max_size=5))
def test_the_parts_are_the_whole_and_each_has_its_place(cuts):
    messages = sent(*in_pieces(TEXT, cuts))
    found = fragments(messages)
    assert len(found) == len(messages) == len(cuts) + 1
    parts = [found[message.flow, message.start] for message in messages]
    assert {part.whole for part in parts} == {TEXT.encode()}
    assert [part.before for part in parts] == [0, *sorted(cuts)]
    assert {part.packet.socketio.event for part in parts} == {"replace old value"}


def test_a_ping_between_does_not_belong_to_it():
    first, last = in_pieces(TEXT, [9])
    messages = sent(first, frame("still there?", opcode="PING"), last)
    found = fragments(messages)
    assert (messages[1].flow, messages[1].start) not in found and len(found) == 2


@pytest.mark.parametrize(
    "frames",
    [
        [frame(TEXT)],  # a whole message
        in_pieces(TEXT, [9])[:1],  # its end is missing
        in_pieces(TEXT, [9])[1:],  # its beginning is missing
        [frame(TEXT, fin=0, rsv=4), frame("", opcode="CONTINUATION")],  # compressed, or so it says
    ],
)
def test_what_is_not_in_several_frames_or_not_whole_is_not_put_together(frames):
    assert fragments(sent(*frames)) == {}
