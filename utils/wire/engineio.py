"""Engine.IO v4 packets: one in a WebSocket frame, several in a polling payload.

The rule kept here: a packet is its type and what follows (engine.io-protocol,
"Packet encoding"); in polling, packets are joined by the record separator, and
binary ones are base64 behind a ``b``.  What is no packet becomes a fault.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import NamedTuple

from utils.wire import socketio
from utils.wire.jsontext import lay_json
from utils.wire.tiling import Tiler, byte_length, shown
from utils.wire.units import EnginePacket, EngineType, Fault, Layer

SEPARATOR = "\x1e"

_CLAUSE = "engine.io-protocol: packet encoding"
_POLLING = "engine.io-protocol: HTTP long-polling"

_MEANINGS = {
    EngineType.OPEN: "The server opens the session: its id, the upgrades, and the heartbeat's times.",
    EngineType.CLOSE: "This side closes the transport.",
    EngineType.PING: "The server asks if the client is alive; with 'probe', the client tests a transport.",
    EngineType.PONG: "The answer to a ping; with 'probe', the new transport works.",
    EngineType.MESSAGE: "A message for the layer above, Socket.IO.",
    EngineType.UPGRADE: "The client moves to the transport that this packet came by.",
    EngineType.NOOP: "Nothing: it ends a poll that the upgrade has left hanging.",
}

#: The answer of a polling reply in JSONP: ``___eio[0]("...");`` (engine.io-protocol v3, still served).
_JSONP = re.compile(r'___eio\[\d+\]\("(?P<body>.*)"\);?\s*', re.DOTALL)

#: Engine.IO v3 in polling: each packet behind its length, ``97:0{...}``.
_V3 = re.compile(r"\d+:[0-6]")

#: More packets than this in one payload are not decoded: nobody sends them, and somebody might.
MOST_PACKETS = 100_000


class Decoded(NamedTuple):
    """Packets and faults; the faults' offsets are into the payload's bytes."""

    packets: tuple[EnginePacket, ...]
    faults: tuple[Fault, ...] = ()


def decode_text(text: str, at: int = 0) -> Decoded:
    """One packet as text; ``at`` is its place in the payload, for the faults."""
    if not text or not "0" <= text[0] <= "6":
        got = shown(text[:1]) or "nothing"
        return Decoded((), (Fault(at, "an Engine.IO packet type from 0 to 6", got, _CLAUSE),))
    kind, rest = EngineType(ord(text[0]) - 48), text[1:]
    if kind is not EngineType.MESSAGE:
        return Decoded((EnginePacket(kind, rest),))
    packet, faults = socketio.decode(rest)
    moved = tuple(Fault(f.offset + at + 1, f.expected, f.got, f.clause) for f in faults)
    return Decoded((EnginePacket(kind, rest, packet),), moved)


def decode_binary(data: bytes) -> EnginePacket:
    """A binary frame: always a message, and always somebody's attachment."""
    return EnginePacket(EngineType.MESSAGE, data, attachment=True)


def decode_payload(body: bytes) -> Decoded:
    """The packets of a polling body: joined by U+001E, or in JSONP."""
    text = body.decode("utf-8", "surrogateescape")
    jsonp = _JSONP.fullmatch(text)
    if jsonp:
        try:
            text = json.loads(f'"{jsonp["body"]}"')
        except ValueError:
            text = jsonp["body"]
    if _V3.match(text):
        what = "Engine.IO v4 packets joined by U+001E"
        return Decoded((), (Fault(0, what, "Engine.IO v3: packets behind their lengths", _POLLING),))
    packets: list[EnginePacket] = []
    faults: list[Fault] = []
    at = 0
    for part in text.split(SEPARATOR, MOST_PACKETS):
        if part.startswith("b"):
            try:
                packets.append(decode_binary(base64.b64decode(part[1:], validate=True)))
            except (binascii.Error, ValueError) as error:
                faults.append(Fault(at, "base64", shown(str(error)), _POLLING))
        else:
            found = decode_text(part, at)
            packets += found.packets
            faults += found.faults
        at += byte_length(part) + 1
    return Decoded(tuple(packets), tuple(faults))


def summary(packet: EnginePacket) -> str:
    """One line: what the packet is."""
    if packet.attachment:
        return f"attachment, {len(packet.data)} bytes"
    if packet.socketio is not None:
        return socketio.summary(packet.socketio)
    text = packet.data if isinstance(packet.data, str) else f"{len(packet.data)} bytes"
    word = packet.type.name.lower()
    return shown(f"{word} {text}" if text else word, 120)


def lay_text(tiler: Tiler, text: str) -> None:
    """Lay the spans of one packet's text."""
    if not text or not "0" <= text[0] <= "6":
        return
    kind = EngineType(ord(text[0]) - 48)
    tiler.lay(1, Layer.ENGINEIO, "Packet type", f"{kind.value} {kind.name}", _MEANINGS[kind], _CLAUSE)
    rest = text[1:]
    size = byte_length(rest)
    if kind is EngineType.MESSAGE:
        socketio.lay(tiler, rest)
    elif kind is EngineType.OPEN:
        lay_json(tiler, rest)
    elif rest == "probe":
        what = "Asks for, or gives, the same word back over the transport under test."
        tiler.lay(size, Layer.ENGINEIO, "Probe", rest, what, "engine.io-protocol: upgrade")
    else:
        tiler.lay(size, Layer.ENGINEIO, "Data", shown(rest), "What the packet carries.", _CLAUSE)


def lay_payload(tiler: Tiler, body: bytes) -> None:
    """Lay the spans of a polling body; in JSONP its string is one block."""
    text = body.decode("utf-8", "surrogateescape")
    if _JSONP.fullmatch(text):
        what = "JavaScript that hands the payload to the page: polling for very old browsers."
        tiler.lay(len(body), Layer.ENGINEIO, "JSONP", shown(text), what, _POLLING)
        return
    for number, part in enumerate(text.split(SEPARATOR, MOST_PACKETS)):
        if number:
            tiler.lay(1, Layer.ENGINEIO, "Record separator", "U+001E", "Another packet follows.", _POLLING)
        encoded = part.encode("utf-8", "surrogateescape")
        end = tiler.at + len(encoded)
        if part.startswith("b"):
            tiler.lay(1, Layer.ENGINEIO, "Binary mark", "b", "What follows is base64.", _POLLING)
            what = "A binary attachment, as base64 because the body is text."
            tiler.lay(end - tiler.at, Layer.PAYLOAD, "Attachment", shown(part[1:]), what, "RFC 4648 §4")
        else:
            lay_text(tiler, part)
            if tiler.at < end:
                left = shown(encoded[tiler.at - end :])
                tiler.lay(end - tiler.at, Layer.UNKNOWN, "Unexplained", left, "Outside the grammar.", _CLAUSE)
