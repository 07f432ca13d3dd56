"""WebSocket frames (RFC 6455, section 5), one at a time, from either side.

The rule kept here: a frame is cut out by its header alone; what it carries is
unmasked whole, in one step.  A frame longer than :data:`LONGEST` is not waited
for: its bytes are passed over, as its length says.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from enum import IntEnum
from typing import NamedTuple

from utils.wire.tiling import Tiler, shown
from utils.wire.units import Fault, Layer

#: The longest frame that is waited for, in bytes.
LONGEST = 1 << 25


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


_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

_OPCODES = {int(opcode): opcode for opcode in Opcode}

_MEANINGS = {
    Opcode.CONTINUATION: "goes on with the message of the frames before it",
    Opcode.TEXT: "begins a message of UTF-8 text",
    Opcode.BINARY: "begins a message of bytes",
    Opcode.CLOSE: "begins or answers the closing handshake",
    Opcode.PING: "asks the other side for a pong",
    Opcode.PONG: "answers a ping",
}

#: RFC 6455, section 7.4.1, and the registry that it founded.
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
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
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


_SHORT = struct.Struct("!H").unpack_from
_LONG = struct.Struct("!Q").unpack_from


def parse(data: bytes | bytearray, at: int = 0) -> Frame | Fault | None:
    """The frame that ``data`` holds at ``at``; None if its header is not complete yet."""
    size = len(data) - at
    if size < 2:
        return None
    first, second = data[at], data[at + 1]
    opcode = _OPCODES.get(first & 0x0F)
    if opcode is None:
        return Fault(0, "a known opcode", f"opcode {first & 0x0F:#x}", "RFC 6455 §5.2")
    length, head = second & 0x7F, 2
    if first & 0x08 and (length > 125 or first < 0x80):
        got = "a fragment" if length <= 125 else f"length field {length}"
        return Fault(0, "a control frame whole and of at most 125 bytes", got, "RFC 6455 §5.5")
    if length == 126:
        if size < 4:
            return None
        (length,) = _SHORT(data, at + 2)
        head = 4
    elif length == 127:
        if size < 10:
            return None
        (length,) = _LONG(data, at + 2)
        head = 10
    key = b""
    if second & 0x80:
        head += 4
        if size < head:
            return None
        key = bytes(data[at + head - 4 : at + head])
    return Frame(first >= 0x80, (first >> 4) & 7, opcode, key, head, length)


def unusual(frame: Frame) -> list[Fault]:
    """What is wrong with a header that can be read all the same."""
    faults = []
    least = 2 if frame.length <= 125 else 4 if frame.length < 1 << 16 else 10
    if frame.head - len(frame.key) != least:
        size = f"{frame.head - len(frame.key) - 2} bytes for {frame.length}"
        faults.append(Fault(1, "the length in its shortest form", size, "RFC 6455 §5.2"))
    if frame.length >> 63:
        faults.append(Fault(2, "a length below 2^63", str(frame.length), "RFC 6455 §5.2"))
    return faults


def unmask(key: bytes, data: bytes) -> bytes:
    """XOR with the key, over and over (RFC 6455, section 5.3): as one large number, which is fast."""
    size = len(data)
    if not key or not size:
        return data
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def accept(key: str) -> str:
    """The answer that proves that a server has read the client's key (RFC 6455, section 4.2.2)."""
    digest = hashlib.sha1(key.encode("latin-1", "replace") + _GUID, usedforsecurity=False)
    return base64.b64encode(digest.digest()).decode("ascii")


def close_reason(payload: bytes) -> str:
    """The code of a Close frame with its name, and the reason given."""
    if len(payload) < 2:
        return "without a code"
    code = int.from_bytes(payload[:2], "big")
    words = CLOSE_CODES.get(code, "private" if 3000 <= code < 5000 else "not defined")
    reason = shown(payload[2:])
    return f"{code} {words}" + (f", {reason}" if reason else "")


def close_faults(payload: bytes, head: int) -> list[Fault]:
    """What is wrong with a Close frame's payload (RFC 6455, sections 5.5.1 and 7.4)."""
    if not payload:
        return []
    if len(payload) == 1:
        return [Fault(head, "a code of two bytes", "one byte", "RFC 6455 §5.5.1")]
    faults = []
    code = int.from_bytes(payload[:2], "big")
    if code not in CLOSE_CODES and not 3000 <= code < 5000:
        faults.append(Fault(head, "a code that may be sent", str(code), "RFC 6455 §7.4"))
    try:
        payload[2:].decode("utf-8")
    except UnicodeDecodeError as error:
        got = f"{payload[2 + error.start]:#04x}"
        faults.append(Fault(head + 2 + error.start, "UTF-8", got, "RFC 6455 §5.5.1"))
    return faults


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
