"""From a byte on the wire to the byte that the layer above reads.

The rule kept here: only where the two are the same byte (but for the mask) is
there an answer; of headers, framing and compressed data there is none.
"""

from __future__ import annotations

from utils.wire import body, http, websocket
from utils.wire.units import Fault, Layer, Unit


def payload_offset(unit: Unit, raw_offset: int) -> int | None:
    """Where in ``unit.payload`` the byte ``unit.raw[raw_offset]`` stands; None if it is not there."""
    if not 0 <= raw_offset < len(unit.raw):
        return None
    if unit.layer is Layer.WEBSOCKET:
        return _in_frame(unit, raw_offset)
    if unit.layer is Layer.HTTP:
        return _in_body(unit, raw_offset)
    return raw_offset


def _in_frame(unit: Unit, raw_offset: int) -> int | None:
    frame = websocket.parse(unit.raw)
    if not isinstance(frame, websocket.Frame) or raw_offset < frame.head:
        return None
    part = websocket.unmask(frame.key, unit.raw[frame.head :])
    # Of a fragmented message the payload is the whole, which ends with this frame's part.
    if frame.rsv or not unit.payload.endswith(part):
        return None
    return len(unit.payload) - len(part) + raw_offset - frame.head


def _in_body(unit: Unit, raw_offset: int) -> int | None:
    head = http.parse_head(unit.raw)
    if not isinstance(head, http.Head) or head.get("content-encoding"):
        return None
    # An answer to HEAD has no body, whatever its head says.
    found = body.begin(head, "" if len(unit.raw) > head.size else "HEAD")
    if isinstance(found, Fault):
        return None
    found.advance(unit.raw)
    if found.until_close:
        found.close(len(unit.raw))
    before = 0
    for start, end in found.runs:
        if start <= raw_offset < end:
            return before + raw_offset - start
        before += end - start
    return None
