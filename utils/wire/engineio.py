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
from urllib.parse import unquote_plus

from utils.redaction import scrub
from utils.wire import msgpack, socketio
from utils.wire.jsontext import lay_json
from utils.wire.tiling import Tiler, byte_length, shown
from utils.wire.units import EnginePacket, EngineType, Fault, Layer

SEPARATOR = "\x1e"

_CLAUSE = "engine.io-protocol: packet encoding"
_POLLING = "engine.io-protocol: HTTP long-polling"

_TYPES = {str(int(kind)): kind for kind in EngineType}

_MEANINGS = {
    EngineType.OPEN: "The server opens the session: its id, the upgrades, and the heartbeat's times.",
    EngineType.CLOSE: "This side closes the transport.",
    EngineType.PING: "The server asks if the client is alive; with 'probe', the client tests a transport.",
    EngineType.PONG: "The answer to a ping; with 'probe', the new transport works.",
    EngineType.MESSAGE: "A message for the layer above, Socket.IO.",
    EngineType.UPGRADE: "The client moves to the transport that this packet came by.",
    EngineType.NOOP: "Nothing: it ends a poll that the upgrade has left hanging.",
}

#: A polling reply as JavaScript, ``___eio[0]("...");``, for pages without XMLHttpRequest.
_JSONP = re.compile(r'(?P<call>___eio\[[0-9]+\]\(")(?P<body>.*)(?P<end>"\);?\s*)', re.DOTALL)

#: The form field in which such a page posts its payload.
_FORM = "d="

#: Engine.IO v3 in polling: each packet behind its length in characters, ``97:0{...}``.
_V3_LENGTH = re.compile(r"([0-9]{1,9}):(?=b?[0-6])")

#: More packets than this in one payload, or escapes in a form, are not decoded: nobody sends
#: them, and somebody might.
MOST_PACKETS = 100_000
MOST_ESCAPES = 1_000_000


class Decoded(NamedTuple):
    """Packets, faults (offsets into the payload's bytes), and the packets told in one line."""

    packets: tuple[EnginePacket, ...]
    faults: tuple[Fault, ...] = ()
    told: str = ""


def decode_text(text: str, at: int = 0) -> Decoded:
    """One packet as text; ``at`` is its place in the payload, for the faults."""
    kind = _TYPES.get(text[:1])
    if kind is None:
        got = shown(text[:1]) or "nothing"
        fault = Fault(at, "an Engine.IO packet type from 0 to 6", got, _CLAUSE)
        return Decoded((), (fault,), f"? {shown(scrub(text[:400]))}")
    rest = text[1:]
    if kind is not EngineType.MESSAGE:
        word = kind.name.lower()
        faults = _heartless(rest, at) if kind is EngineType.OPEN else ()
        return Decoded((EnginePacket(kind, rest),), faults, shown(f"{word} {rest}" if rest else word, 120))
    packet, faults, json_at = socketio.decode(rest)
    if faults:
        faults = tuple(Fault(f.offset + at + 1, f.expected, f.got, f.clause) for f in faults)
    told = f"message {shown(rest)}" if packet is None else socketio.summary(packet, rest, json_at)
    return Decoded((EnginePacket(kind, rest, packet),), faults, told)


def _heartless(text: str, at: int) -> tuple[Fault, ...]:
    """What an OPEN packet's handshake lacks (engine.io-protocol, "Handshake")."""
    try:
        sid = json.loads(text)["sid"]
    except (ValueError, TypeError, KeyError, RecursionError):
        sid = None
    if isinstance(sid, str):
        return ()
    got = shown(text, 30) or "nothing"
    return (Fault(at + 1, "a handshake with the session's id", got, "engine.io-protocol: handshake"),)


def decode_binary(data: bytes) -> Decoded:
    """A binary message: an attachment, or a whole packet of the msgpack parser."""
    packet = msgpack.decode(data)
    if packet is not None:
        told = shown(f"msgpack {packet.type.name.replace('_', ' ')} {packet.event or ''}".rstrip(), 120)
        return Decoded((EnginePacket(EngineType.MESSAGE, data, packet),), told=told)
    told = f"attachment, {len(data)} bytes"
    return Decoded((EnginePacket(EngineType.MESSAGE, data, attachment=True),), told=told)


def decode_payload(body: bytes) -> Decoded:
    """The packets of a polling body: joined by U+001E, or in JSONP's call or form field."""
    text, bare = _unwrapped(body)
    if _is_v3(text) or _is_v3_binary(body):
        what = "Engine.IO v4 packets joined by U+001E"
        got = "Engine.IO v3: packets behind their lengths"
        return Decoded((), (Fault(0, what, got, _POLLING),), "Engine.IO v3")
    packets: list[EnginePacket] = []
    faults: list[Fault] = []
    told: list[str] = []
    at = 0
    for part in text.split(SEPARATOR, MOST_PACKETS):
        if part.startswith("b"):
            try:
                found = decode_binary(base64.b64decode(part[1:], validate=True))
            except (binascii.Error, ValueError) as error:
                got = shown(str(error))
                found = Decoded((), (Fault(at, "base64", got, "RFC 4648 §4"),), f"? {shown(part)}")
        else:
            found = decode_text(part, at if bare else 0)
        packets += found.packets
        faults += found.faults
        if len(told) < 8:
            told.append(found.told)
        at += byte_length(part) + 1 if bare else 0
    return Decoded(tuple(packets), tuple(faults), " · ".join(told))


def _unwrapped(body: bytes) -> tuple[str, bool]:
    """The payload's text, and whether it stands in ``body`` as it is."""
    text = body.decode("utf-8", "surrogateescape")
    if text.startswith(_FORM) and text.count("%") <= MOST_ESCAPES:
        return unquote_plus(text[len(_FORM) :], errors="surrogateescape"), False
    jsonp = _JSONP.fullmatch(text)
    if not jsonp:
        return text, True
    try:
        return str(json.loads(f'"{jsonp["body"]}"')), False
    except ValueError:
        # python-engineio escapes the quotes and nothing else.
        return jsonp["body"].replace('\\"', '"'), False


def _is_v3(text: str) -> bool:
    """Whether the lengths of v3 lead exactly to the end."""
    at = 0
    while match := _V3_LENGTH.match(text, at):
        at = match.end() + int(match[1])
        if at == len(text):
            return True
    return False


def _is_v3_binary(body: bytes) -> bool:
    """Whether this is v3's binary payload: 0 or 1, the digits of a length as bytes, 255."""
    end = body.find(0xFF, 1, 12)
    return end > 1 and body[0] <= 1 and max(body[1:end]) <= 9


# ── spans ────────────────────────────────────────────────────────────────────


def lay_text(tiler: Tiler, text: str) -> None:
    """Lay the spans of one packet's text."""
    kind = _TYPES.get(text[:1])
    if kind is None:
        return
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


def lay_binary(tiler: Tiler, data: bytes) -> None:
    """Lay the span of a binary frame's payload."""
    if msgpack.decode(data) is not None:
        what = "A whole Socket.IO packet, as the parser socket.io-msgpack-parser writes it."
        value = f"{len(data)} bytes of MessagePack"
        tiler.lay(len(data), Layer.SOCKETIO, "Packet", value, what, "socket.io-protocol: custom parsers")
        return
    what = "A binary attachment; Engine.IO sends it bare, without its type."
    value = data[:24].hex(" ") + (" …" if len(data) > 24 else "")
    tiler.lay(len(data), Layer.PAYLOAD, "Attachment", value, what, "engine.io-protocol: WebSocket")


def lay_payload(tiler: Tiler, body: bytes) -> None:
    """Lay the spans of a polling body; what JSONP escapes is one block."""
    text = body.decode("utf-8", "surrogateescape")
    jsonp = _JSONP.fullmatch(text)
    if jsonp:
        what = "A call of the function that the page has waiting, by its number."
        tiler.lay(byte_length(jsonp["call"]), Layer.ENGINEIO, "JSONP call", jsonp["call"], what, _POLLING)
        value = shown(decode_payload(body).told)
        what = "The payload as a JavaScript string: its quotes are escaped."
        tiler.lay(byte_length(jsonp["body"]), Layer.ENGINEIO, "Payload", value, what, _POLLING)
        tiler.lay(byte_length(jsonp["end"]), Layer.ENGINEIO, "JSONP end", '");', "Ends the call.", _POLLING)
        return
    if text.startswith(_FORM):
        what = "The form field in which a JSONP page posts its payload."
        tiler.lay(len(_FORM), Layer.ENGINEIO, "Form field", _FORM, what, _POLLING)
        value = shown(decode_payload(body).told)
        what = "The payload, as forms write it."
        tiler.lay(len(body) - len(_FORM), Layer.ENGINEIO, "Payload", value, what, _POLLING)
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
                left = shown(scrub(shown(encoded[tiler.at - end :], 400)))
                tiler.lay(end - tiler.at, Layer.UNKNOWN, "Unexplained", left, "Outside the grammar.", _CLAUSE)
