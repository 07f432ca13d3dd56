"""permessage-deflate (RFC 7692): what the handshake agreed on, and its inflating.

The rule kept here: nothing inflates to more than :data:`LARGEST`, whatever a
few bytes promise; and a message that cannot be inflated (its predecessors were
not seen, and the window went on) is a fault, never a guess.
"""

from __future__ import annotations

import zlib

from utils.wire.units import Side

#: The most that one message may inflate to, in bytes.
LARGEST = 1 << 24

_TAIL = b"\x00\x00\xff\xff"  # taken off by the sender (RFC 7692, section 7.2.1)


class Inflater:
    """Inflates the messages of one side."""

    def __init__(self, *, takeover: bool) -> None:
        self._takeover = takeover
        self._window = zlib.decompressobj(-zlib.MAX_WBITS)
        self._broken = False

    @classmethod
    def broken(cls) -> Inflater:
        """One whose window is lost: bytes of its side were not seen."""
        inflater = cls(takeover=True)
        inflater._broken = True
        return inflater

    def inflate(self, data: bytes) -> bytes | None:
        """The message, or None if it cannot be inflated."""
        if self._broken:
            return None
        try:
            text = self._window.decompress(data + _TAIL, LARGEST)
        except zlib.error:
            self._broken = self._takeover
            text = None
        if self._window.unconsumed_tail:
            self._broken = self._takeover
            text = None
        if not self._takeover:
            self._window = zlib.decompressobj(-zlib.MAX_WBITS)
        return text


def agreed(extensions: str) -> dict[Side, Inflater]:
    """The inflaters that a 101's Sec-WebSocket-Extensions asks for; empty if it asks for none."""
    for offer in extensions.split(","):
        name, *parameters = [part.strip().lower() for part in offer.split(";")]
        if name == "permessage-deflate":
            names = {parameter.partition("=")[0].strip() for parameter in parameters}
            return {
                Side.CLIENT: Inflater(takeover="client_no_context_takeover" not in names),
                Side.SERVER: Inflater(takeover="server_no_context_takeover" not in names),
            }
    return {}
