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
