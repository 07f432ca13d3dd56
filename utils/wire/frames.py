"""One WebSocket frame as a unit: what it carries, what is wrong with it, and how it is told.

The rule kept here: a frame that is a whole message, or a control frame, tells
all by itself; of any other, the caller says what it is of its message (a
:class:`~utils.wire.assembly.Part`).  So a unit can be made when somebody
looks, from the frame's bytes and its place alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from utils.wire import engineio, explain, websocket
from utils.wire.assembly import Part
from utils.wire.tiling import shown
from utils.wire.units import EnginePacket, Fault, Layer, Side, Unit
from utils.wire.websocket import Frame, Opcode

#: First bytes of frames that tell all by themselves: whole messages, and control frames.
PLAIN = b"\x81\x82\x88\x89\x8a"


class Cut(NamedTuple):
    """A frame cut out of its stream, from which its unit can be made."""

    side: Side
    start: int  # in the bytes of that side
    raw: bytes
    frame: Frame
    payload: bytes  # unmasked
    part: Part | None  # what it is of its message; None for one that tells all by itself

    def unit(self) -> Unit:
        return unit(*self)


def unit(side: Side, start: int, raw: bytes, frame: Frame, payload: bytes, part: Part | None = None) -> Unit:
    """The frame ``raw``, which stands at ``start`` in the bytes of ``side``; its payload is unmasked.

    ``part`` is what it is of its message; None for a control frame, and for a
    text frame that is a whole message.
    """
    head, length = frame.head, frame.length
    faults = websocket.unusual(frame) if length > 125 or head > 6 or head == 4 else []
    if bool(frame.key) != (side is Side.CLIENT):
        got = "a mask" if frame.key else "no mask"
        faults.append(Fault(1, "a mask from the client only", got, "RFC 6455 §5.1"))
    whole: bytes | None = payload
    packets: tuple[EnginePacket, ...] = ()
    explained = partial(explain.frame, raw, frame)
    if part is not None:
        whole = part.whole
        faults += part.faults
        if whole is not None:
            found = decoded(part.opcode, whole)
            packets, told = found.packets, found.told
            # What stands in an earlier frame, or in compressed bytes, is told at the payload's first.
            earlier = len(whole) if part.compressed else part.before
            faults += placed(found.faults, lambda offset: head + max(0, offset - earlier))
        else:
            told = part.faults[-1].got if part.faults else f"fragment, {length} bytes"
        if part.compressed:
            explained = partial(explain.compressed, raw, frame, whole)
        elif part.before or not frame.fin or frame.opcode is Opcode.CONTINUATION:
            explained = partial(explain.fragment, raw, frame, part.opcode, part.before, part.pieces)
    elif frame.opcode.is_control:
        if frame.rsv:
            faults.append(Fault(0, "no reserved bit", f"RSV {frame.rsv:03b}", "RFC 6455 §5.2"))
        if frame.opcode is Opcode.CLOSE:
            faults += websocket.close_faults(payload, head)
            told = f"close {websocket.close_reason(payload)}"
        else:
            told = f"WebSocket {frame.opcode.name.lower()} {shown(payload)}".rstrip()
    else:
        found = decoded(frame.opcode, payload)
        packets, told = found.packets, found.told
        if found.faults:
            faults += placed(found.faults, lambda offset: head + offset)
    return Unit(
        side,
        Layer.WEBSOCKET,
        start,
        raw,
        payload if whole is None else whole,
        packets,
        shown(told, 120),
        tuple(faults),
        explained,
    )


def plain(side: Side, start: int, raw: bytes) -> Unit:
    """The unit of a frame that tells all by itself (see :data:`PLAIN`)."""
    frame, payload = _read(raw)
    return unit(side, start, raw, frame, payload)


def inflated(side: Side, start: int, raw: bytes, whole: bytes | None) -> Unit:
    """The unit of a compressed message in one frame, inflated to ``whole`` (None: it cannot be)."""
    frame, payload = _read(raw)
    return unit(side, start, raw, frame, payload, Part.of_compressed(frame, whole))


def _read(raw: bytes) -> tuple[Frame, bytes]:
    """The header of a whole frame, and its payload."""
    frame = websocket.parse(raw)
    assert isinstance(frame, Frame)
    return frame, websocket.unmask(frame.key, raw[frame.head :])


def decoded(opcode: Opcode, whole: bytes) -> engineio.Decoded:
    """The packet that a WebSocket message is."""
    if opcode is not Opcode.TEXT:
        return engineio.decode_binary(whole)
    try:
        text = whole.decode("utf-8")
    except UnicodeDecodeError as error:
        fault = Fault(error.start, "UTF-8", f"{whole[error.start]:#04x}", "RFC 6455 §8.1")
        return engineio.Decoded((), (fault,), f"? {shown(whole)}")
    return engineio.decode_text(text)


def placed(faults: tuple[Fault, ...], place: Callable[[int], int]) -> list[Fault]:
    """Faults of what a message carries, told at their places in its raw bytes."""
    return [replace(fault, offset=place(fault.offset)) for fault in faults]
