"""One fuzzed input as a script: what is fed to a connection, by which side, and what is missing.

The rule kept here: any bytes are a script, and a small change of the bytes is
a small change of the script; so what a fuzzer learns on one input holds on the
next.  The first byte says how the connection began; then come records of one
byte (side, and whether it is a gap), two bytes of length, and the bytes fed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from utils.records import Endpoint, Flag, Flow, Segment
from utils.wire.units import Side

_RECORD = struct.Struct("!BH")
_SIDES = (Side.CLIENT, Side.SERVER)
_GAP = 0b110


class Feed(NamedTuple):
    """The next bytes of a side; ``data`` None: ``length`` bytes of it are missing."""

    side: Side
    length: int
    data: bytes | None


def read(script: bytes) -> Iterator[Feed]:
    """The records of a script, without its first byte; the last one may be cut short."""
    at = 1
    while at + _RECORD.size <= len(script):
        operation, length = _RECORD.unpack_from(script, at)
        at += _RECORD.size
        side = _SIDES[operation & 1]
        if operation & _GAP == _GAP:
            yield Feed(side, length, None)
            continue
        data = script[at : at + length]
        at += length
        yield Feed(side, len(data), data)


def write(beginning: int, pieces: Iterable[tuple[Side, bytes | int]]) -> bytes:
    """A script of pieces; of a number, that many bytes are missing."""
    found = bytearray([beginning])
    for side, piece in pieces:
        operation = _SIDES.index(side)
        if isinstance(piece, int):
            found += _RECORD.pack(operation | _GAP, piece)
            continue
        for at in range(0, len(piece), 0xFFFF):
            part = piece[at : at + 0xFFFF]
            found += _RECORD.pack(operation, len(part)) + part
    return bytes(found)


# ── segments ─────────────────────────────────────────────────────────────────

SERVER = Endpoint("127.0.0.1", 5000)
_CLIENTS = (Endpoint("127.0.0.1", 40001), Endpoint("127.0.0.1", 40002))
_SEGMENT = struct.Struct("!BbB")
_FLAGS = (Flag.ACK, Flag.SYN, Flag.FIN | Flag.ACK, Flag.RST)
_BASES = (1000, 2**32 - 200)
_TIME = 1_700_000_000_000_000_000


def segments(script: bytes) -> Iterator[Segment]:
    """A script as TCP segments: one byte (side, client, flags), how far its place is off, a length, bytes.

    The first byte chooses where the sequence numbers begin.
    """
    base = _BASES[script[0] & 1] if script else 0
    sent: dict[Flow, int] = {}
    at = number = 1
    while at + _SEGMENT.size <= len(script):
        operation, off, length = _SEGMENT.unpack_from(script, at)
        at += _SEGMENT.size
        client = _CLIENTS[operation >> 1 & 1]
        flow = Flow(client, SERVER) if operation & 1 else Flow(SERVER, client)
        data, flags = script[at : at + length], _FLAGS[operation >> 2 & 3]
        at += len(data)
        place = sent.get(flow, base) + off
        acknowledged = sent.get(flow.reverse, base)
        time_ns = _TIME + number * 1000
        yield Segment(time_ns, flow, place % 2**32, acknowledged % 2**32, int(flags), data)
        sent[flow] = place + len(data) + (flags == Flag.SYN)
        number += 1


def write_segments(base: int, pieces: Iterable[tuple[Side, bytes]], *, largest: int = 255) -> bytes:
    """A script of what both sides of the first client say, in order, each piece in segments of its own."""
    found = bytearray([base])
    for side, piece in pieces:
        operation = 1 if side is Side.CLIENT else 0
        for at in range(0, len(piece), largest):
            part = piece[at : at + largest]
            found += _SEGMENT.pack(operation, 0, len(part)) + part
    return bytes(found)
