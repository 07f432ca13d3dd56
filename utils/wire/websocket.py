"""WebSocket frames (RFC 6455, section 5), one at a time, from either side.

The rule kept here: a frame is cut out by its header alone; what it carries is
unmasked whole, in one step.  A length that nobody would send is not waited
for: a frame longer than :data:`LONGEST` is a fault.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from utils.wire.tiling import Tiler, shown
from utils.wire.units import Fault, Layer

#: The longest frame that is waited for, in bytes.
LONGEST = 1 << 28


class Opcode(IntEnum):
    """RFC 6455, section 5.2."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA

    @property
    def is_control(self) -> bool:
        return self >= Opcode.CLOSE


_OPCODES = {int(opcode) for opcode in Opcode}

_MEANINGS = {
    Opcode.CONTINUATION: "goes on with the message of the frames before it",
    Opcode.TEXT: "begins a message of UTF-8 text",
    Opcode.BINARY: "begins a message of bytes",
    Opcode.CLOSE: "begins or answers the closing handshake",
    Opcode.PING: "asks the other side for a pong",
    Opcode.PONG: "answers a ping",
}

#: RFC 6455, section 7.4.1.
CLOSE_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1007: "not consistent with its type",
    1008: "policy violation",
    1009: "message too big",
    1010: "a needed extension is missing",
    1011: "internal error",
}


class Frame(NamedTuple):
    """The header of one frame."""

    fin: bool
    rsv: int  # the three reserved bits; 4 means compressed, under RFC 7692
    opcode: Opcode
    key: bytes  # the masking key; empty if the frame is not masked
    head: int  # bytes of the header, the key included
    length: int  # bytes of the payload

    @property
    def end(self) -> int:
        return self.head + self.length


def parse(data: bytes | bytearray | memoryview) -> Frame | Fault | None:
    """The frame that ``data`` begins with; None if its header is not complete yet."""
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    if first & 0x0F not in _OPCODES:
        return Fault(0, "a known opcode", f"opcode {first & 0x0F:#x}", "RFC 6455 §5.2")
    opcode = Opcode(first & 0x0F)
    length, head = second & 0x7F, 2
    if opcode.is_control and (length > 125 or not first & 0x80):
        got = "a fragment" if length <= 125 else f"length field {length}"
        return Fault(0, "a control frame whole and of at most 125 bytes", got, "RFC 6455 §5.5")
    if length == 126:
        if len(data) < 4:
            return None
        (length,) = struct.unpack_from("!H", data, 2)
        head = 4
    elif length == 127:
        if len(data) < 10:
            return None
        (length,) = struct.unpack_from("!Q", data, 2)
        head = 10
    if length > LONGEST:
        return Fault(2, f"a payload of at most {LONGEST} bytes", f"{length} bytes", "RFC 6455 §10.4")
    key = b""
    if second & 0x80:
        if len(data) < head + 4:
            return None
        key = bytes(data[head : head + 4])
        head += 4
    return Frame(bool(first & 0x80), (first >> 4) & 7, opcode, key, head, length)


def unmask(key: bytes, data: bytes) -> bytes:
    """XOR with the key, over and over (RFC 6455, section 5.3): as one large number, which is fast."""
    if not key or not data:
        return data
    repeated = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(repeated)).to_bytes(len(data))


def close_reason(payload: bytes) -> str:
    """The code of a Close frame with its name, and the reason given."""
    if len(payload) < 2:
        return "without a code"
    code = int.from_bytes(payload[:2])
    words = CLOSE_CODES.get(code, "private" if 3000 <= code < 5000 else "not defined")
    reason = shown(payload[2:])
    return f"{code} {words}" + (f", {reason}" if reason else "")


def lay_header(tiler: Tiler, frame: Frame, raw: bytes) -> None:
    """Lay the spans of a frame's header."""
    layer = Layer.WEBSOCKET
    ending = "the last (or only) frame of its message" if frame.fin else "more frames of this message follow"
    rsv = ", compressed" if frame.rsv & 4 else ""
    value = f"FIN {int(frame.fin)}, RSV {frame.rsv:03b}, opcode {frame.opcode:#x} {frame.opcode.name}{rsv}"
    what = f"This frame {_MEANINGS[frame.opcode]}; it is {ending}."
    tiler.lay(1, layer, "FIN, RSV and opcode", value, what, "RFC 6455 §5.2")
    masked = "masked" if frame.key else "not masked"
    small = raw[1] & 0x7F
    size = {126: "length in the next 2 bytes", 127: "length in the next 8 bytes"}.get(
        small, f"length {small}"
    )
    who = "A client masks every frame, a server none; then comes the payload's length."
    tiler.lay(1, layer, "Mask bit and length", f"{masked}, {size}", who, "RFC 6455 §5.2")
    extended = {126: 2, 127: 8}.get(small, 0)
    what = "The payload's length, too large for seven bits."
    tiler.lay(extended, layer, "Extended length", str(frame.length), what, "RFC 6455 §5.2")
    what = "Each payload byte is XORed with one of these four, in turn."
    tiler.lay(len(frame.key), layer, "Masking key", frame.key.hex(" "), what, "RFC 6455 §5.3")


def lay_close(tiler: Tiler, payload: bytes) -> None:
    """Lay the spans of a Close frame's payload."""
    if len(payload) >= 2:
        code = close_reason(payload[:2])
        tiler.lay(2, Layer.WEBSOCKET, "Close code", code, "Why the connection ends.", "RFC 6455 §7.4")
        what = "The reason, for people."
        reason = shown(payload[2:])
        tiler.lay(len(payload) - 2, Layer.WEBSOCKET, "Close reason", reason, what, "RFC 6455 §5.5.1")
