"""Socket.IO v5 packets, as they stand behind Engine.IO's ``4``.

The rule kept here: one grammar, written once, serves decoding and explaining:
``<type>[<attachments>-][/<namespace>,][<id>][JSON]`` (socket.io-protocol,
"Packet encoding").  Bytes outside it become a fault, and stay visible.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import accumulate, islice
from typing import Any, NamedTuple

from utils.redaction import REDACTED, scrub
from utils.wire.jsontext import lay_json
from utils.wire.tiling import Tiler, byte_length, shown
from utils.wire.units import Fault, Layer, SocketPacket, SocketType

_CLAUSE = "socket.io-protocol: packet encoding"
_JSON = "RFC 8259 §2"

#: What stands before the JSON.
_HEAD = re.compile(
    r"(?P<type>[0-6])"
    r"(?:(?P<attachments>[0-9]{1,10})(?P<dash>-))?"
    r"(?:(?P<namespace>/[^,]*)(?P<comma>,|\Z))?"
    r"(?P<id>[0-9]{1,100})?",
)

#: The first element of an event's array, up to the arguments.
_NAME = re.compile(r'\[\s*("(?:[^"\\]++|\\.)*+")\s*,?\s*', re.DOTALL)

#: Deeper than this, JSON is refused before the parser's recursion is tried.
DEEPEST = 400

#: JSON of more values is refused: in memory each may take eighty bytes, for three on the wire.
MOST_VALUES = 1_000_000

MEANINGS = {
    SocketType.CONNECT: "The client asks to join a namespace; the server confirms it with the session's id.",
    SocketType.DISCONNECT: "One side leaves the namespace; the transport stays open.",
    SocketType.EVENT: "An event: a name and its arguments, as a JSON array.",
    SocketType.ACK: "The answer to the event that asked for one by this id.",
    SocketType.CONNECT_ERROR: "The server refuses the namespace, and says why.",
    SocketType.BINARY_EVENT: "An event whose arguments hold binary attachments, which follow.",
    SocketType.BINARY_ACK: "An acknowledgement that holds binary attachments, which follow.",
}

_SPACE = " \t\r\n"
_TYPES = {str(int(kind)): kind for kind in SocketType}
_EVENTS = (SocketType.EVENT, SocketType.BINARY_EVENT)
_NAMES = (str, int, float)
_BINARY = (SocketType.BINARY_EVENT, SocketType.BINARY_ACK)


class Decoded(NamedTuple):
    """A packet, or none; what was wrong, with offsets into the text's UTF-8 bytes; and where its JSON is."""

    packet: SocketPacket | None
    faults: tuple[Fault, ...] = ()
    json_at: int = 0


def shallow(text: bytes) -> bool:
    """Whether JSON is surely nested no deeper, and holds no more values, than is read."""
    return len(text) <= MOST_VALUES and text.count(b"[") + text.count(b"{") <= DEEPEST


class Pieces(NamedTuple):
    """A packet's text, taken apart and not interpreted; what is not there is None."""

    type: str
    attachments: str | None
    namespace: str | None
    comma: bool  # whether one ends the namespace
    id: str | None
    data: str


def split(text: str) -> Pieces | None:
    """The pieces of what follows Engine.IO's ``4``; None if it has no packet type."""
    match = _HEAD.match(text)
    if match is None:
        return None
    kind, attachments, _, namespace, comma, number = match.groups()
    return Pieces(kind, attachments, namespace, bool(comma), number, text[match.end() :])


class _Constant(ValueError):
    """One of the words that Python's parser takes for numbers, and JSON does not have."""


def _refuse(word: str) -> Any:
    raise _Constant(word)


# They say where a value ends, and need no copy of the text from there on.
_decode_strictly = json.JSONDecoder(parse_constant=_refuse).raw_decode
_decode = json.JSONDecoder().raw_decode


def decode(text: str) -> Decoded:
    """Decode what follows Engine.IO's ``4``."""
    match = _HEAD.match(text)
    if match is None:
        return Decoded(None, (Fault(0, "a packet type from 0 to 6", shown(text[:1]) or "nothing", _CLAUSE),))
    digit, attachments, _, namespace, _, number = match.groups()
    kind = _TYPES[digit]
    at = match.end()
    data: Any = None
    faults: tuple[Fault, ...] = ()
    if number and text[at : at + 1].isdecimal():
        faults = (Fault(byte_length(text[:at]), "an id of at most 100 digits", "more of them", _CLAUSE),)
    elif at < len(text):
        data, faults = _json(text, at)
    if not faults:
        expected = _amiss(kind, data, at < len(text))
        if expected:
            faults = (Fault(byte_length(text[:at]), expected, shown(text[at:], 20) or "nothing", _CLAUSE),)
    if faults and kind is SocketType.CONNECT:
        faults = tuple(replace(fault, got="another thing") for fault in faults)  # it may hold a token
    # A text packet announces none, a binary one announces some.
    if bool(int(attachments or 0)) != (kind in _BINARY) or (attachments and kind not in _BINARY):
        expected = "how many attachments follow" if kind in _BINARY else f"no attachments with {kind.name}"
        faults += (Fault(1, expected, shown(text[1:12]) or "nothing", _CLAUSE),)
    packet = SocketPacket(
        kind,
        namespace.partition("?")[0] if namespace else "/",
        int(number) if number else None,
        data,
        int(attachments) if attachments else 0,
    )
    return Decoded(packet, faults, at)


def _json(text: str, at: int) -> tuple[Any, tuple[Fault, ...]]:
    """The value that ``text`` holds from ``at`` to its end, and what is wrong with it."""
    if text[at] in _SPACE:
        at = len(text) - len(text[at:].lstrip(_SPACE))
    try:
        if len(text) > MOST_VALUES and sum(map(text.count, ",[{")) > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
        try:
            data, end = _decode_strictly(text, at)
        except _Constant as word:
            # Python writes and reads NaN and Infinity; a browser's JSON.parse refuses the whole packet.
            got = f"{word}, which JSON does not have"
            return _decode(text, at)[0], (Fault(byte_length(text[:at]), "JSON", got, "RFC 8259 §6"),)
        if end < len(text) and text[end:].strip(_SPACE):
            got = shown(text[end:], 20)
            return data, (Fault(byte_length(text[:end]), "the packet's end", got, _CLAUSE),)
        return data, ()
    except json.JSONDecodeError as error:
        got = f"{shown(text[error.pos :], 20) or 'its end'} ({error.msg})"
        return None, (Fault(byte_length(text[: error.pos]), "JSON", got, _JSON),)
    except (ValueError, RecursionError) as error:
        return None, (Fault(byte_length(text[:at]), "JSON", shown(str(error)), "RFC 8259 §9"),)


_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def _depth(text: str) -> int:
    """How deep brackets nest; those inside strings count too, which only errs to safety."""
    return max(accumulate(_STEPS[bracket] for bracket in re.findall(r"[\[\]{}]", text)))


def _amiss(kind: SocketType, data: Any, given: bool) -> str:
    """What a packet of this type would have carried, if it does not carry it; else nothing."""
    if kind in _EVENTS:
        if not (isinstance(data, list) and data and type(data[0]) in _NAMES):
            return "an array that begins with the event's name"
    elif kind in (SocketType.ACK, SocketType.BINARY_ACK):
        if not isinstance(data, list):
            return "an array of the acknowledgement's values"
    elif kind is SocketType.DISCONNECT:
        if given:
            return "the packet's end"
    elif given and not isinstance(data, dict | str if kind is SocketType.CONNECT_ERROR else dict):
        return "an object"
    return ""


def summary(packet: SocketPacket, text: str, json_at: int) -> str:
    """One line: what the packet does, in the protocol's words, its JSON as it stands on the wire."""
    where = "" if packet.namespace == "/" else f" in {packet.namespace}"
    number = "" if packet.id is None else f" #{packet.id}"
    body = _without_secrets(packet, text[json_at : json_at + 400])
    if packet.type in _EVENTS:
        word = "event" if packet.type is SocketType.EVENT else "binary event"
        name = _NAME.match(body)
        if name:
            return shown(f"{word} {name[1]}{where}{number} [{body[name.end() :]}", 120)
    else:
        word = packet.type.name.replace("_", " ")
    return shown(f"{word}{where}{number}{body and ' '}{body}", 120)


def _without_secrets(packet: SocketPacket, body: str) -> str:
    """The JSON's beginning without secrets: of what a client joins with, only a session's id is none."""
    if packet.type is not SocketType.CONNECT or not body:
        return scrub(body)
    if not isinstance(packet.data, dict):
        return REDACTED
    members = (
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(value) if name == 'sid' else REDACTED}"
        for name, value in islice(packet.data.items(), 9)
    )
    return f"{{{','.join(members)}}}"


def lay(tiler: Tiler, text: str) -> None:
    """Lay the spans of a packet's text: type, attachments, namespace, id, JSON."""
    match = _HEAD.match(text)
    if match is None:
        return

    def size(name: str) -> int:
        return byte_length(match[name] or "")

    kind = _TYPES[match["type"]]
    layer = Layer.SOCKETIO
    tiler.lay(1, layer, "Packet type", f"{kind.value} {kind.name}", MEANINGS[kind], _CLAUSE)
    count = match["attachments"] or ""
    what = "How many binary attachments follow."
    tiler.lay(size("attachments"), layer, "Attachments", count, what, _CLAUSE)
    tiler.lay(size("dash"), layer, "Separator", "-", "Ends the number of attachments.", _CLAUSE)
    name = shown(scrub(match["namespace"] or ""))
    what = "Which namespace it is for; none means /."
    tiler.lay(size("namespace"), layer, "Namespace", name, what, _CLAUSE)
    tiler.lay(size("comma"), layer, "Separator", ",", "Ends the namespace.", _CLAUSE)
    asked = "The acknowledgement that this event asks for, or that this packet gives."
    tiler.lay(size("id"), layer, "Acknowledgement id", shown(match["id"] or ""), asked, _CLAUSE)
    if match.end() < len(text):
        auth = kind is SocketType.CONNECT
        lay_json(tiler, text[match.end() :], named=kind in _EVENTS, auth=auth)
