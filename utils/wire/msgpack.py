"""MessagePack, as far as to recognise a Socket.IO packet written by the msgpack parser.

The rule kept here: bytes are such a packet only if they are one map, to the
last byte, with a ``type`` from 0 to 6 and a namespace (socket.io-msgpack-parser);
whatever else they are, they are an attachment.
"""

from __future__ import annotations

import struct
from typing import Any

from utils.wire.units import SocketPacket, SocketType

#: Deeper than this nothing is read, nor is anything longer (Engine.IO's own limit of a message is 1 MB).
_DEEPEST = 100
_LONGEST = 1 << 20

# The type bytes with a fixed layout behind them (MessagePack specification, "Formats").
_NUMBERS = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_BINARIES = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_STRINGS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAYS = {0xDC: ">H", 0xDD: ">I"}
_MAPS = {0xDE: ">H", 0xDF: ">I"}
_WORDS = {0xC0: None, 0xC2: False, 0xC3: True}


class _Foreign(ValueError):
    """Not a value that the parser writes."""


def decode(data: bytes) -> SocketPacket | None:
    """The packet that ``data`` is, or None if it is something else."""
    # A map of the packet's two to five fields, whose first key is one of their names.
    if not 10 <= len(data) <= _LONGEST or not (0x82 <= data[0] <= 0x85 or data[0] in _MAPS):
        return None
    try:
        value, end = _value(data, 0, 0)
    except (ValueError, struct.error, IndexError, TypeError, RecursionError):
        return None
    if end != len(data) or not isinstance(value, dict):
        return None
    kind, namespace, number = value.get("type"), value.get("nsp"), value.get("id")
    if type(kind) is not int or kind not in range(7) or not isinstance(namespace, str):
        return None
    known = number if isinstance(number, int) else None
    return SocketPacket(SocketType(kind), namespace, known, value.get("data"))


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """The value at ``at``, and where it ends."""
    if depth > _DEEPEST:
        raise _Foreign
    first = data[at]
    at += 1
    if first <= 0x7F:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first in _WORDS:
        return _WORDS[first], at
    if first in _NUMBERS:
        return _number(data, at, _NUMBERS[first])
    if first <= 0x8F:
        return _map(data, at, first & 0x0F, depth)
    if first <= 0x9F:
        return _array(data, at, first & 0x0F, depth)
    if first <= 0xBF:
        return _string(data, at, first & 0x1F)
    for formats, read in ((_STRINGS, _string), (_BINARIES, _bytes)):
        if first in formats:
            length, at = _number(data, at, formats[first])
            return read(data, at, length)
    for formats, read_many in ((_ARRAYS, _array), (_MAPS, _map)):
        if first in formats:
            length, at = _number(data, at, formats[first])
            return read_many(data, at, length, depth)
    raise _Foreign  # an extension type, or the byte that is never used


def _number(data: bytes, at: int, layout: str) -> tuple[Any, int]:
    return struct.unpack_from(layout, data, at)[0], at + struct.calcsize(layout)


def _bytes(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(data):
        raise _Foreign
    return data[at : at + length], at + length


def _string(data: bytes, at: int, length: int) -> tuple[str, int]:
    found, at = _bytes(data, at, length)
    return found.decode("utf-8"), at


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(length):  # each value takes a byte at least: a false length soon meets the end
        value, at = _value(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict[Any, Any], int]:
    found = {}
    for _ in range(length):
        key, at = _value(data, at, depth + 1)
        found[key], at = _value(data, at, depth + 1)
    return found, at
