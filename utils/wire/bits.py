"""The header of a WebSocket frame, bit by bit (RFC 6455, section 5.2).

The rule kept here: the fields tile the header's bits, in the order and under
the names of the RFC's own figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from utils.wire.websocket import Frame, Opcode


class Bits(NamedTuple):
    """One field of the header: ``start`` and ``width`` in bits, counted from the first one sent."""

    start: int
    width: int
    name: str
    value: int
    meaning: str

    @property
    def end(self) -> int:
        return self.start + self.width

    @property
    def digits(self) -> str:
        """The bits themselves."""
        return f"{self.value:0{self.width}b}"


def header(frame: Frame, raw: bytes) -> tuple[Bits, ...]:
    """The fields of ``frame``'s header, which ``raw`` begins with."""
    return tuple(_fields(frame, raw[: frame.head]))


def _fields(frame: Frame, head: bytes) -> Iterator[Bits]:
    yield Bits(0, 1, "FIN", int(frame.fin), _FIN[frame.fin])
    for place in range(3):
        bit = frame.rsv >> 2 - place & 1
        yield Bits(1 + place, 1, f"RSV{place + 1}", bit, _RSV[place] if bit else "unused")
    yield Bits(4, 4, "opcode", frame.opcode, _opcode(frame.opcode))
    masked = bool(frame.key)
    yield Bits(8, 1, "MASK", int(masked), "masked, with the key below" if masked else "not masked")
    short = head[1] & 0x7F
    yield Bits(9, 7, "length", short, _LENGTHS.get(short, f"the payload has {short} bytes"))
    at = 16
    if short in _LENGTHS:
        width = 16 if short == 126 else 64
        yield Bits(at, width, "extended length", frame.length, f"the payload has {frame.length:,} bytes")
        at += width
    if masked:
        key = int.from_bytes(frame.key, "big")
        yield Bits(at, 32, "masking key", key, f"{frame.key.hex(' ')}, XORed with the payload, over and over")


_FIN = {True: "the last frame of its message", False: "more frames of this message follow"}
_RSV = ("compressed (RFC 7692)", "reserved", "reserved")
_LENGTHS = {126: "too long for seven bits: see the next 16", 127: "too long for sixteen: see the next 64"}


def _opcode(opcode: Opcode) -> str:
    return f"{opcode.name}, a {'control' if opcode.is_control else 'data'} frame"
