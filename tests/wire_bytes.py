"""The bytes of a conversation, made by hand, and what every unit of one must keep."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from utils.streams import bulk
from utils.streams.payloads import Payloads
from utils.wire.connection import Connection
from utils.wire.units import Layer, Side, SocketPacket, Unit

Pieces = Iterable[tuple[Side, bytes]]

KEY = base64.b64encode(bytes(16)).decode()
ACCEPT = base64.b64encode(
    hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
).decode()

UPGRADE = (
    f"GET /socket.io/?EIO=4&transport=websocket&sid=abc HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n"
    f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
).encode()


def switching(extensions: str = "", accept: str = ACCEPT) -> bytes:
    more = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    ).encode()


def framed(
    text: str | bytes,
    *,
    client: bool = True,
    fin: bool = True,
    opcode: int | None = None,
    rsv: int = 0,
    key: bytes = bytes([1, 2, 3, 4]),
) -> bytes:
    """A frame, made by hand from RFC 6455, section 5.2."""
    payload = text.encode() if isinstance(text, str) else text
    code = opcode if opcode is not None else 1 if isinstance(text, str) else 2
    size = len(payload)
    length = (
        bytes([size])
        if size < 126
        else b"\x7e" + size.to_bytes(2)
        if size < 65536
        else b"\x7f" + size.to_bytes(8)
    )
    head = bytes([fin << 7 | rsv << 4 | code, length[0] | client << 7]) + length[1:]
    if not client:
        return head + payload
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def opened(extensions: str = "") -> Connection:
    connection = Connection()
    connection.feed(Side.CLIENT, UPGRADE)
    connection.feed(Side.SERVER, switching(extensions))
    return connection


def tiles(unit: Unit) -> None:
    """The spans of a unit are contiguous, and cover it exactly."""
    at = 0
    for span in unit.explain():
        assert span.start == at and span.end > span.start, (span, unit)
        at = span.end
    assert at == len(unit.raw)


CONVERSATION = [
    (
        Side.CLIENT,
        b"GET /socket.io/?EIO=4&transport=polling&t=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: a=b\r\n\r\n",
    ),
    (
        Side.SERVER,
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n16\r\n0{"sid":"abc","x":[1]}\r\n0\r\n\r\n',
    ),
    (
        Side.CLIENT,
        b"POST /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nContent-Length: 2\r\n\r\n40",
    ),
    (Side.SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"),
    (Side.CLIENT, b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\n\r\n"),
    (Side.SERVER, b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n40{"sid":"x"}\x1e42["a",1]\x1e6'),
    (Side.CLIENT, UPGRADE),
    (Side.SERVER, switching()),
    (Side.CLIENT, framed("2probe")),
    (Side.SERVER, framed("3probe", client=False)),
    (Side.CLIENT, framed("5")),
    (Side.CLIENT, framed('42["replace old value",{"lot":1,"cents":12500}]')),
    (Side.SERVER, framed('42["replaced values",{"lot":1,"name":"\u00e9\u20ac"}]', client=False)),
    (Side.SERVER, framed('42/admin,12["q",', client=False, fin=False)),
    (Side.SERVER, framed(b"", client=False, opcode=9)),
    (Side.SERVER, framed(b"true]", client=False, opcode=0)),
    (Side.CLIENT, framed('451-["f",{"_placeholder":true,"num":0}]')),
    (Side.CLIENT, framed(b"\x01\x02\x03")),
    (Side.CLIENT, framed(b"\x03\xe8bye", opcode=8)),
]


def talk(pieces: Pieces) -> list[Unit]:
    """The units of a whole conversation."""
    connection = Connection()
    units = [unit for side, data in pieces for unit in connection.feed(side, data)]
    return units + connection.finish()


def cut(pieces: Pieces, chance: random.Random, most: int = 6) -> list[tuple[Side, bytes]]:
    """The same bytes in smaller pieces."""
    found = []
    for side, data in pieces:
        places = (chance.randrange(len(data)) for _ in range(chance.randint(0, most) if data else 0))
        edges = sorted({0, len(data), *places})
        found += [(side, data[a:b]) for a, b in pairwise(edges)]
    return found


def understood(units: Iterable[Unit]) -> list[Unit | tuple[Side, int, bytes]]:
    """The units, with neighbours that nobody understands as one: they are told as they come."""
    found: dict[Side, list[Unit | tuple[Side, int, bytes]]] = {side: [] for side in Side}
    for unit in units:
        own = found[unit.side]
        if unit.layer is not Layer.UNKNOWN:
            own.append(unit)
        elif own and isinstance(own[-1], tuple):
            side, start, raw = own[-1]
            own[-1] = (side, start, raw + unit.raw)
        else:
            own.append((unit.side, unit.start, unit.raw))
    return found[Side.CLIENT] + found[Side.SERVER]


def in_bulk(messages: Sequence[bytes]) -> list[SocketPacket | None]:
    """The packet that each of the messages is, decoded together; None for what is left to care."""
    ends = np.cumsum([len(message) for message in messages]).astype(np.int64)
    begins = ends - np.array([len(message) for message in messages], np.int64)
    found: dict[int, SocketPacket | None] = dict.fromkeys(range(len(messages)))
    found.update(bulk.packets(Payloads(b"".join(messages), begins, ends), lambda place: ()))
    return list(found.values())
