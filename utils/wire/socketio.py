"""Socket.IO v5 packets, as they stand behind Engine.IO's ``4``.

The rule kept here: one grammar, written once, serves decoding and explaining:
``<type>[<attachments>-][/<namespace>,][<id>][JSON]`` (socket.io-protocol,
"Packet encoding").  Bytes outside it become a fault, and stay visible.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from utils.wire.jsontext import lay_json
from utils.wire.tiling import Tiler, byte_length, shown
from utils.wire.units import Fault, Layer, SocketPacket, SocketType

_CLAUSE = "socket.io-protocol: packet encoding"

_GRAMMAR = re.compile(
    r"(?P<type>[0-6])"
    r"(?:(?P<attachments>\d{1,10})(?P<dash>-))?"
    r"(?:(?P<namespace>/[^,]*)(?P<comma>,|$))?"
    r"(?P<id>\d{1,100})?"
    r"(?P<json>[\[{\"].*)?",
    re.DOTALL,
)

#: Deeper than this, JSON is refused before the parser's recursion is tried.
DEEPEST = 400

MEANINGS = {
    SocketType.CONNECT: "The client asks to join a namespace; the server confirms it with the session's id.",
    SocketType.DISCONNECT: "One side leaves the namespace; the transport stays open.",
    SocketType.EVENT: "An event: a name and its arguments, as a JSON array.",
    SocketType.ACK: "The answer to the event that asked for one by this id.",
    SocketType.CONNECT_ERROR: "The server refuses the namespace, and says why.",
    SocketType.BINARY_EVENT: "An event whose arguments hold binary attachments, which follow.",
    SocketType.BINARY_ACK: "An acknowledgement that holds binary attachments, which follow.",
}


class Decoded(NamedTuple):
    """A packet, or none; and what was wrong, with offsets into the text's UTF-8 bytes."""

    packet: SocketPacket | None
    faults: tuple[Fault, ...] = ()


def decode(text: str) -> Decoded:
    """Decode what follows Engine.IO's ``4``."""
    match = _GRAMMAR.match(text)
    if match is None:
        return Decoded(None, (Fault(0, "a packet type from 0 to 6", shown(text[:1]) or "nothing", _CLAUSE),))
    faults: list[Fault] = []
    if match.end() < len(text):
        at = byte_length(text[: match.end()])
        faults.append(Fault(at, "JSON or the packet's end", shown(text[match.end() :], 20), _CLAUSE))
    data: Any = None
    if match["json"] is not None and not faults:
        at = byte_length(text[: match.start("json")])
        try:
            if _depth_exceeds(match["json"], DEEPEST):
                raise ValueError(f"nested deeper than {DEEPEST}")
            data = json.loads(match["json"])
        except (ValueError, RecursionError) as error:
            faults.append(Fault(at, "JSON", shown(str(error)), "RFC 8259 §2"))
    packet = SocketPacket(
        type=SocketType(int(match["type"])),
        namespace=(match["namespace"] or "/").partition("?")[0],
        id=None if match["id"] is None else int(match["id"]),
        data=data,
        attachments=int(match["attachments"] or 0),
    )
    return Decoded(packet, tuple(faults))


def _depth_exceeds(text: str, most: int) -> bool:
    """Whether brackets nest deeper than ``most``; those in strings count too, which only errs to safety."""
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            if depth > most:
                return True
        elif character in "]}":
            depth -= 1
    return False


def summary(packet: SocketPacket) -> str:
    """One line: what the packet does, in the protocol's words."""
    where = "" if packet.namespace == "/" else f" in {packet.namespace}"
    number = "" if packet.id is None else f" #{packet.id}"
    if packet.event is not None:
        arguments = json.dumps(packet.data[1:], ensure_ascii=False)
        kind = "binary event" if packet.type is SocketType.BINARY_EVENT else "event"
        return shown(f'{kind} "{packet.event}"{where}{number} {arguments}', 120)
    word = packet.type.name.replace("_", " ")
    data = "" if packet.data is None else " " + json.dumps(packet.data, ensure_ascii=False)
    return shown(f"{word}{where}{number}{data}", 120)


def lay(tiler: Tiler, text: str) -> None:
    """Lay the spans of a packet's text: type, attachments, namespace, id, JSON."""
    match = _GRAMMAR.match(text)
    if match is None:
        return

    def size(name: str) -> int:
        return byte_length(match[name] or "")

    kind = SocketType(int(match["type"]))
    layer = Layer.SOCKETIO
    tiler.lay(1, layer, "Packet type", f"{kind.value} {kind.name}", MEANINGS[kind], _CLAUSE)
    count = match["attachments"] or ""
    tiler.lay(
        size("attachments"), layer, "Attachments", count, "How many binary attachments follow.", _CLAUSE
    )
    tiler.lay(size("dash"), layer, "Separator", "-", "Ends the number of attachments.", _CLAUSE)
    name = shown(match["namespace"] or "")
    tiler.lay(
        size("namespace"), layer, "Namespace", name, "Which namespace it is for; none means /.", _CLAUSE
    )
    tiler.lay(size("comma"), layer, "Separator", ",", "Ends the namespace.", _CLAUSE)
    asked = "The acknowledgement that this event asks for, or that this packet gives."
    tiler.lay(size("id"), layer, "Acknowledgement id", shown(match["id"] or ""), asked, _CLAUSE)
    if match["json"]:
        named = kind in (SocketType.EVENT, SocketType.BINARY_EVENT)
        lay_json(tiler, match["json"], named=named)
