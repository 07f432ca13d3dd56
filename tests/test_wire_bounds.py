"""What a few bytes, or very many small ones, may cost: bounded memory, and time in proportion to the bytes."""

from __future__ import annotations

import gzip
import lzma
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.wire_bytes import CONVERSATION, framed, opened
from utils.wire.connection import Connection
from utils.wire.units import Side

C, S = Side.CLIENT, Side.SERVER
POLL = CONVERSATION[4][1]


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def answer(body: bytes, coding: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def repeated(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` over and over, a hundred thousand bytes at a time."""
    many = data * (100_000 // len(data))
    for _ in range(size // len(many)):
        yield many


def frames_of_a_message() -> Iterator[bytes]:
    yield framed("4", fin=False)
    yield from repeated(framed(b"2", opcode=0, fin=False), 200_000)


#: What is said by the client of a WebSocket: with compression agreed on.
FRAMES: dict[str, Callable[[], Iterator[bytes]]] = {
    "lengths of 2^63": lambda: iter([b"\x82\xff" + (2**63).to_bytes(8) + bytes(4)] * 1000),
    "lengths of 2^24": lambda: iter([b"\x82\xff" + (2**24).to_bytes(8) + bytes(4)] * 1000),
    "many fragments": frames_of_a_message,
    "many pings": lambda: repeated(framed(b"", opcode=9), 200_000),
    "bombs": lambda: iter([framed(deflated(bytes(1 << 27)), opcode=1, rsv=4)] * 3),
    "JSON, a hundred thousand deep": lambda: iter([framed("42" + "[" * 100_000)] * 3),
    "objects, a hundred thousand deep": lambda: iter([framed("42" + '[{"a":' * 100_000)] * 3),
    "a number of a hundred thousand digits": lambda: iter([framed('42["a",' + "9" * 100_000 + "]")] * 3),
    "an id of a hundred thousand digits": lambda: iter([framed("42" + "9" * 100_000 + '["a"]')] * 3),
    "a million attachments": lambda: iter([framed('451000000-["a"]'), *[framed(b"\x01")] * 5000]),
    "many namespaces": lambda: (framed(f"40/{number},") for number in range(5_000)),
    "msgpack of 2^32 values": lambda: iter(
        [framed(b"\x82\xa4type\x02\xa3nsp\xdd\xff\xff\xff\xff" + bytes(999))] * 99
    ),
}

BODIES: dict[str, Callable[[], bytes]] = {
    "a bomb": lambda: answer(gzip.compress(bytes(1 << 27)), "gzip"),
    "a bomb in a bomb": lambda: answer(gzip.compress(gzip.compress(bytes(1 << 28))), "gzip, gzip"),
    "a head without end": lambda: b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500_000,
    "many chunks": lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 30_000,
    "a chunk of 2^63": lambda: (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n" + bytes(9999)
    ),
    "a length of 2^62": lambda: (
        b"HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\n" + bytes(9999)
    ),
    "separators": lambda: answer(gzip.compress(b"\x1e" * 2_000_000), "gzip"),
    "a form of escapes": lambda: answer(gzip.compress(b"d=" + b"%41" * 3_000_000), "gzip"),
}


def cost(connection: Connection, side: Side, said: list[bytes]) -> float:
    """Seconds of the processor; what was understood is let go at once."""
    begin = time.process_time()
    for piece in said:
        for unit in connection.feed(side, piece):
            assert len(unit.summary) <= 120
    return time.process_time() - begin


def peak(connection: Connection, side: Side, said: list[bytes]) -> int:
    """The most memory that this takes, in MiB."""
    tracemalloc.start()
    try:
        cost(connection, side, said)
        return tracemalloc.get_traced_memory()[1] >> 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", FRAMES)
def test_what_a_websockets_client_says(name):
    said = list(FRAMES[name]())
    assert peak(opened("permessage-deflate"), C, said) < 128
    assert cost(opened("permessage-deflate"), C, said) < 1 + sum(map(len, said)) / 100_000


@pytest.mark.parametrize("name", BODIES)
def test_what_a_server_answers(name):
    said = [BODIES[name]()]
    connection = Connection()
    connection.feed(C, POLL)
    assert peak(connection, S, said) < 256
    connection = Connection()
    connection.feed(C, POLL)
    assert cost(connection, S, said) < 5


def test_a_bomb_of_xz_is_no_http():
    connection = Connection()
    connection.feed(C, POLL)
    (unit,) = connection.feed(S, answer(lzma.compress(bytes(1 << 20)), "xz"))
    assert len(unit.payload) < 1 << 16
