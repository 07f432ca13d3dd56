"""Messages that came in several WebSocket frames: of each frame, the message that it is a part of.

The rule kept here: who takes a message apart sees it whole, so a part is held
against what the whole became (RFC 6455, section 5.4).  A message of which a
frame is missing, or that was compressed, is not put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from utils.records import Flow, Message
from utils.wire import websocket
from utils.wire.units import EnginePacket, Layer
from utils.wire.websocket import Opcode


class Fragment(NamedTuple):
    """What one frame is of its message."""

    whole: bytes  # the message, unmasked
    before: int  # bytes of it in the frames before this one
    packet: EnginePacket | None  # what the message is


#: Where a frame stands → what it is of its message.
Fragments = Mapping[tuple[Flow, int], Fragment]


def fragments(messages: Iterable[Message]) -> Fragments:
    """Every frame of ``messages`` that is a part of a message, and no other."""
    found: dict[tuple[Flow, int], Fragment] = {}
    under_way: dict[Flow, list[tuple[Message, bytes]]] = {}
    for message in messages:
        unit = message.unit
        if unit.layer is not Layer.WEBSOCKET:
            continue
        frame = websocket.parse(unit.raw)
        if not isinstance(frame, websocket.Frame) or frame.opcode.is_control:
            continue
        parts = under_way.pop(message.flow, None)
        if frame.opcode is not Opcode.CONTINUATION:
            parts = []
        if parts is None or frame.rsv or (frame.fin and not parts):
            continue
        parts.append((message, websocket.unmask(frame.key, unit.raw[frame.head :])))
        if not frame.fin:
            under_way[message.flow] = parts
            continue
        whole = b"".join(payload for _, payload in parts)
        packet = unit.packets[0] if len(unit.packets) == 1 else None
        before = 0
        for part, payload in parts:
            found[part.flow, part.start] = Fragment(whole, before, packet)
            before += len(payload)
    return found
