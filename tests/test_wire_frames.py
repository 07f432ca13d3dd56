"""A frame looked at by itself is the frame that the connection decoded."""

from __future__ import annotations

import pytest

from tests.traffic import Deflater
from tests.wire_bytes import framed, opened
from utils.wire import frames
from utils.wire.units import Side

PLAIN = [
    framed('42["replace old value",{"lot":1}]'),
    framed("2"),
    framed("9 is no packet"),
    framed(b"\xff", opcode=1),
    framed("4" + "x" * 70_000),
    framed(b"\x01\x02"),
    framed(b"hello", opcode=9),
    framed(b"\x03\xe8bye", opcode=8),
    framed('42["a"]', client=False),
]


@pytest.mark.parametrize("raw", PLAIN, ids=range(len(PLAIN)))
@pytest.mark.parametrize("side", Side)
def test_a_plain_frame_tells_all_by_itself(side, raw):
    connection = opened()
    start = connection.feed(side, framed("3", client=side is Side.CLIENT))[0].end
    (unit,) = connection.feed(side, raw)
    by_itself = frames.plain(side, start, raw)
    assert raw[0] in frames.PLAIN
    assert by_itself == unit and by_itself.explain() == unit.explain()


@pytest.mark.parametrize("text", ['42["a",1]', "no packet", ""])
def test_a_compressed_message_tells_all_with_what_it_was_inflated_to(text):
    connection = opened("permessage-deflate")
    raw = Deflater().frame(text, client=True, key=b"abcd")
    (unit,) = connection.feed(Side.CLIENT, raw)
    by_itself = frames.inflated(Side.CLIENT, unit.start, raw, text.encode())
    assert by_itself == unit and by_itself.explain() == unit.explain()


def test_one_that_cannot_be_inflated_says_so_by_itself_too():
    connection = opened("permessage-deflate")
    raw = framed(b"\xff\xff\xff", rsv=4, opcode=1)
    (unit,) = connection.feed(Side.CLIENT, raw)
    assert unit.faults and frames.inflated(Side.CLIENT, unit.start, raw, None) == unit
