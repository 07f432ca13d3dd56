"""A byte on the wire is found in what the layer above reads, where it is the same byte."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.wire_bytes import CONVERSATION, framed, opened, talk
from utils.wire import websocket
from utils.wire.offsets import payload_offset
from utils.wire.units import Layer, Side, Unit


def plain(unit: Unit) -> bytes:
    """The unit's bytes, those of a frame's payload unmasked."""
    frame = websocket.parse(unit.raw)
    if unit.layer is not Layer.WEBSOCKET or not isinstance(frame, websocket.Frame):
        return unit.raw
    return unit.raw[: frame.head] + websocket.unmask(frame.key, unit.raw[frame.head :])


def mapped(unit: Unit) -> list[int]:
    """The payload's offsets, in the order of the bytes on the wire; each must be the byte it says."""
    found = []
    for at, byte in enumerate(plain(unit)):
        offset = payload_offset(unit, at)
        if offset is not None:
            assert unit.payload[offset] == byte
            found.append(offset)
    return found


@pytest.mark.parametrize("unit", talk(CONVERSATION), ids=lambda unit: unit.summary[:30])
def test_every_byte_of_a_conversation_is_where_it_says(unit):
    frame = websocket.parse(unit.raw) if unit.layer is Layer.WEBSOCKET else None
    size = frame.length if isinstance(frame, websocket.Frame) else len(unit.payload)
    assert mapped(unit) == list(range(len(unit.payload) - size, len(unit.payload)))


def test_the_last_fragment_is_the_payloads_end():
    connection = opened()
    first, last = connection.feed(Side.CLIENT, framed("42[", fin=False) + framed(b'"a"]', opcode=0))
    assert mapped(first) == [0, 1, 2] and mapped(last) == [3, 4, 5, 6]


def test_chunks_are_joined():
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    (unit,) = talk([(Side.SERVER, stream)])
    assert mapped(unit) == [0, 1, 2, 3, 4]


def test_until_close():
    (unit,) = talk([(Side.SERVER, b"HTTP/1.1 200 OK\r\n\r\nhello")])
    assert mapped(unit) == [0, 1, 2, 3, 4]


def test_nothing_compressed_has_a_place():
    body = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    (unit,) = talk([(Side.SERVER, head + body)])
    assert unit.payload == b"hello" and mapped(unit) == []
    packer = zlib.compressobj(wbits=-15)
    packed = (packer.compress(b"2") + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    (unit,) = opened("permessage-deflate").feed(Side.SERVER, framed(packed, client=False, opcode=1, rsv=4))
    assert unit.payload == b"2" and mapped(unit) == []


def test_the_answer_to_head_has_no_body():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    units = talk([(Side.CLIENT, b"HEAD / HTTP/1.1\r\n\r\n"), (Side.SERVER, answer)])
    assert mapped(units[1]) == []


def test_a_request_of_bytes_that_are_not_there():
    (unit,) = opened().feed(Side.CLIENT, framed("2"))
    assert payload_offset(unit, -1) is None and payload_offset(unit, len(unit.raw)) is None


def test_bytes_that_nobody_decodes_are_their_own_payload():
    (unit,) = talk([(Side.CLIENT, b"\x00\x01\x02")])
    assert mapped(unit) == [0, 1, 2]
