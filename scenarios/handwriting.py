"""What somebody writes who writes her frames by hand.

The rule kept here: scapy builds the frames, field by field, as the reader of a
frame would name them; the masking key is the one of the RFC's own examples, so
that the bytes are the same every time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from utils.scapy_layers import WebSocket

#: The masking key of the examples in RFC 6455, section 5.7.  A real client draws one for each frame.
KEY = bytes.fromhex("37fa213d")


def frame(payload: str | bytes, **fields: Any) -> WebSocket:
    """A masked text frame around ``payload``; ``fields`` are those of the layer: fin, opcode, ..."""
    # scapy takes half a second to import: whoever writes no frames need not wait for it.
    from scapy.packet import Raw

    from utils.scapy_layers import WebSocket

    content = payload.encode() if isinstance(payload, str) else payload
    return WebSocket(**{"mask": 1, "key": KEY, **fields}) / Raw(content)


def bid_of(size: int) -> str:
    """The seed's event as a Socket.IO text of exactly ``size`` bytes, 26 or more."""
    empty = '42["replace old value",""]'
    return f"{empty[:-2]}{'x' * (size - len(empty))}{empty[-2:]}"
