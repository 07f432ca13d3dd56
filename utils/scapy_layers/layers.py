"""Scapy layers for WebSocket, Engine.IO and Socket.IO.

The rule kept here: nothing is parsed twice.  The layers are fields over what
:mod:`utils.wire` decodes, and what they build is byte for byte what they were
dissected from; masking is undone above the frame and done again below it.

    WebSocket(mask=1, key=b"abcd") / EngineIO() / SocketIO(data=["bid", 1250])
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from scapy.fields import (
    BitEnumField,
    BitField,
    ByteEnumField,
    ConditionalField,
    Field,
    LongField,
    PacketListField,
    ShortEnumField,
    ShortField,
    StrField,
    XStrFixedLenField,
)
from scapy.packet import Packet, Raw, bind_top_down

from utils.wire import engineio, socketio, websocket
from utils.wire.tiling import shown
from utils.wire.units import EngineType, SocketType
from utils.wire.websocket import Opcode

_DIGIT = 0x30
_SURROGATES = "surrogateescape"


class DigitEnumField(ByteEnumField):
    """A packet type: a decimal digit on the wire, a number here."""

    def i2m(self, pkt: Packet | None, x: Any) -> int:
        return _DIGIT + int(x or 0)

    def m2i(self, pkt: Packet | None, x: int) -> int:
        return x - _DIGIT


class _OddNumber(int):
    """A number that was not written as we would write it (``007``): it is built as it was dissected."""

    written: bytes


class _OddName(str):
    """A namespace likewise: ``/`` in so many words, or without its comma."""

    written: bytes


def _number(digits: str | None, after: str = "") -> int | None:
    """The value of a field of digits, which remembers how it was written if that is unusual."""
    if digits is None:
        return None
    number = int(digits)
    if str(number) == digits:
        return number
    odd = _OddNumber(number)
    odd.written = (digits + after).encode()
    return odd


def _namespace(name: str | None, comma: bool) -> str:
    if name is None:
        return "/"
    if comma and name != "/":
        return name
    odd = _OddName(name)
    odd.written = (name + "," * comma).encode("utf-8", _SURROGATES)
    return odd


class _PieceField(Field[Any, bytes]):
    """A piece of a Socket.IO packet that may be missing; dissected by the packet as a whole."""

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s + self.i2m(pkt, val)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return repr(x)


class AttachmentsField(_PieceField):
    """``N-`` before the namespace, for a number; nothing for None."""

    def i2m(self, pkt: Packet | None, x: int | None) -> bytes:
        if isinstance(x, _OddNumber):
            return x.written
        return b"" if x is None else b"%d-" % x


class NamespaceField(_PieceField):
    """``/name,``; nothing for the main namespace."""

    def i2m(self, pkt: Packet | None, x: str | None) -> bytes:
        if isinstance(x, _OddName):
            return x.written
        return f"{x},".encode("utf-8", _SURROGATES) if x and x != "/" else b""


class AckIdField(_PieceField):
    """The acknowledgement's digits; nothing for None."""

    def i2m(self, pkt: Packet | None, x: int | None) -> bytes:
        if isinstance(x, _OddNumber):
            return x.written
        return b"" if x is None else b"%d" % x


class JSONField(_PieceField):
    """JSON as it stands on the wire; lists and objects are encoded when they are set."""

    def any2i(self, pkt: Packet | None, x: Any) -> bytes:
        if isinstance(x, bytes):
            return x
        text = x if isinstance(x, str) else json.dumps(x, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", _SURROGATES)

    def i2m(self, pkt: Packet | None, x: bytes | None) -> bytes:
        return x or b""


class WebSocket(Packet):
    """One frame (RFC 6455, section 5.2).  The payload above is unmasked; ``length`` None is computed."""

    name = "WebSocket"
    fields_desc: ClassVar[list[Any]] = [
        BitField("fin", 1, 1),
        BitField("rsv", 0, 3),
        BitEnumField("opcode", int(Opcode.TEXT), 4, {int(opcode): opcode.name for opcode in Opcode}),
        BitField("mask", 0, 1),
        BitField("length", None, 7),
        ConditionalField(ShortField("length16", 0), lambda frame: frame.length == 126),
        ConditionalField(LongField("length64", 0), lambda frame: frame.length == 127),
        ConditionalField(XStrFixedLenField("key", bytes(4), 4), lambda frame: frame.mask == 1),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *args: Any, **kargs: Any) -> type[Packet]:
        """A header that is cut short is no frame yet."""
        return Raw if _pkt and len(_pkt) < _header_length(_pkt) else cls

    @property
    def payload_length(self) -> int | None:
        """The payload's length in bytes, from whichever field holds it; None before it is computed."""
        longer = {126: self.length16, 127: self.length64}
        found: int | None = longer.get(self.length, self.length)
        return found

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        end = self.payload_length
        return s[:end], s[end:] if end is not None else None

    def do_dissect_payload(self, s: bytes) -> None:
        super().do_dissect_payload(self._masked(s))

    def do_build_payload(self) -> bytes:
        return self._masked(super().do_build_payload())

    def _masked(self, data: bytes) -> bytes:
        """Masked if it was not, unmasked if it was: the same step (RFC 6455, section 5.3)."""
        return websocket.unmask(self.key, data) if self.mask else data

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        if self.length is None:
            size = len(pay)
            short = size if size < 126 else 126 if size < 1 << 16 else 127
            longer = size.to_bytes({126: 2, 127: 8}[short], "big") if short > 125 else b""
            pkt = bytes([pkt[0], self.mask << 7 | short]) + longer + pkt[2:]
        return pkt + pay

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        if self.opcode == Opcode.CLOSE and len(payload) >= 2:
            return WebSocketClose
        if self.opcode == Opcode.TEXT and self.fin and not self.rsv and _is_digit(payload):
            return EngineIO
        return super().guess_payload_class(payload)

    @classmethod
    def tcp_reassemble(cls, data: bytes, metadata: dict[str, Any], session: dict[str, Any]) -> Packet | None:
        """For scapy's own TCPSession: the next frame once it is whole (what follows is padding)."""
        frame = websocket.parse(data)
        if frame is None:
            return None
        if isinstance(frame, websocket.Frame) and len(data) < frame.end:
            metadata["tcp_min_len"] = frame.end
            return None
        return cls(data) if isinstance(frame, websocket.Frame) else Raw(data)

    def mysummary(self) -> str:
        length = self.payload_length
        return f"WebSocket {self.sprintf('%WebSocket.opcode%')}" + (
            f" {length}" if length is not None else ""
        )


def _header_length(data: bytes) -> int:
    """How long a frame's header is, by its second byte (RFC 6455, section 5.2)."""
    if len(data) < 2:
        return 2
    return 2 + {126: 2, 127: 8}.get(data[1] & 0x7F, 0) + (4 if data[1] & 0x80 else 0)


class WebSocketClose(Packet):
    """The payload of a Close frame (RFC 6455, section 5.5.1)."""

    name = "WebSocket Close"
    fields_desc: ClassVar[list[Any]] = [
        ShortEnumField("code", 1000, websocket.CLOSE_CODES),
        StrField("reason", b""),
    ]

    def mysummary(self) -> str:
        return f"close {websocket.close_reason(bytes(self))}"


class EngineIO(Packet):
    """One Engine.IO v4 packet (engine.io-protocol, "Packet encoding")."""

    name = "Engine.IO"
    fields_desc: ClassVar[list[Any]] = [DigitEnumField("type", int(EngineType.MESSAGE), EngineType)]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        if self.type == EngineType.MESSAGE and _is_digit(payload):
            return SocketIO
        return super().guess_payload_class(payload)

    def mysummary(self) -> str:
        return f"Engine.IO {self.sprintf('%EngineIO.type%')}"


class SocketIO(Packet):
    """One Socket.IO v5 packet (socket.io-protocol, "Packet encoding").

    ``data`` is JSON as bytes; set it from a list, an object, text or bytes.
    """

    name = "Socket.IO"
    fields_desc: ClassVar[list[Any]] = [
        DigitEnumField("type", int(SocketType.EVENT), SocketType),
        AttachmentsField("attachments", None),
        NamespaceField("namespace", "/"),
        AckIdField("id", None),
        JSONField("data", b""),
    ]

    def do_dissect(self, s: bytes) -> bytes:
        pieces = socketio.split(s.decode("utf-8", _SURROGATES))
        assert pieces is not None  # the layer is chosen by the first digit
        self.fields = {
            "type": int(pieces.type),
            "attachments": _number(pieces.attachments, "-"),
            "namespace": _namespace(pieces.namespace, pieces.comma),
            "id": _number(pieces.id),
            "data": pieces.data.encode("utf-8", _SURROGATES),
        }
        self.raw_packet_cache, self.raw_packet_cache_fields = s, {}
        self.explicit = 1
        return b""

    @property
    def event(self) -> str | None:
        """The event's name, if this is an event."""
        packet = socketio.decode(self._text()).packet
        return None if packet is None else packet.event

    @property
    def json(self) -> Any:
        """The value that ``data`` encodes; None if there is none, or it is no JSON."""
        packet = socketio.decode(self._text()).packet
        return None if packet is None else packet.data

    def _text(self) -> str:
        return self.self_build().decode("utf-8", _SURROGATES)

    def mysummary(self) -> str:
        text = self._text()
        packet, _, json_at = socketio.decode(text)
        return "Socket.IO " + (socketio.summary(packet, text, json_at) if packet else shown(text))


class EngineIOPart(Packet):
    """One packet of a polling payload; a binary one is ``b`` and base64."""

    name = "Engine.IO part"
    fields_desc: ClassVar[list[Any]] = [StrField("encoded", b"")]

    @property
    def packet(self) -> Packet:
        """The packet that it is: EngineIO, or Raw with the attachment's bytes."""
        found = engineio.decode_payload(self.encoded).packets
        if found and isinstance(found[0].data, bytes):
            return Raw(found[0].data)
        return EngineIO(self.encoded) if _is_digit(self.encoded) else Raw(self.encoded)

    def mysummary(self) -> str:
        return engineio.decode_payload(self.encoded).told


class EngineIOPayload(Packet):
    """The body of a polling request or response: packets joined by U+001E."""

    name = "Engine.IO payload"
    fields_desc: ClassVar[list[Any]] = [PacketListField("parts", [], EngineIOPart)]

    def do_dissect(self, s: bytes) -> bytes:
        self.fields = {"parts": [EngineIOPart(encoded=part) for part in s.split(b"\x1e")]}
        self.explicit = 1
        return b""

    def self_build(self) -> bytes:
        return b"\x1e".join(bytes(part) for part in self.parts)

    def mysummary(self) -> str:
        return "Engine.IO " + engineio.decode_payload(self.self_build()).told


def _is_digit(payload: bytes) -> bool:
    return payload[:1] in (b"0", b"1", b"2", b"3", b"4", b"5", b"6")


bind_top_down(WebSocket, WebSocketClose, opcode=int(Opcode.CLOSE))
bind_top_down(WebSocket, EngineIO, opcode=int(Opcode.TEXT))
bind_top_down(EngineIO, SocketIO, type=int(EngineType.MESSAGE))
