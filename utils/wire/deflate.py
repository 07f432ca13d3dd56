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
_WINDOW = 1 << 15

#: The most messages that are kept apart as what was seen.
_MOST_SEEN = 1 << 10

#: How often one message may end its deflate stream and begin another.
_MOST_ENDS = 64


class Inflater:
    """Inflates the messages of one side."""

    def __init__(self, *, takeover: bool) -> None:
        self._takeover = takeover
        self._window = zlib.decompressobj(-zlib.MAX_WBITS)
        self._seen: list[bytes] = []  # the last messages: the window, for a stream that ends and begins anew
        self._seen_size = 0
        self._lost = False

    def lose(self) -> None:
        """A message was not seen: with a window that goes on, none after it can be inflated."""
        self._lost = self._takeover

    def inflate(self, data: bytes) -> bytes | None:
        """The message, or None if it cannot be inflated."""
        if self._lost:
            return None
        window, data = self._window, data + _TAIL
        try:
            text = window.decompress(data, LARGEST)
            if window.eof:
                text = self._go_on(text)
            elif window.unconsumed_tail or len(text) >= LARGEST:
                raise zlib.error("too large")
        except zlib.error:
            self.lose()
            return None
        finally:
            if not self._takeover:
                self._window = zlib.decompressobj(-zlib.MAX_WBITS)
        if self._takeover and text:
            self._seen.append(text)
            self._seen_size += len(text)
            if self._seen_size > 4 * _WINDOW or len(self._seen) > _MOST_SEEN:
                self._seen = [b"".join(self._seen)[-_WINDOW:]]
                self._seen_size = len(self._seen[0])
        return text

    def _go_on(self, text: bytes) -> bytes:
        """What follows a block that is marked as the last one: it ends zlib's stream, not the message.

        (RFC 7692, section 7.2.3.4.)  Raises zlib.error if it cannot be inflated.
        """
        for _ in range(_MOST_ENDS):
            data = self._window.unused_data
            known = (b"".join(self._seen) + text)[-_WINDOW:]
            self._window = zlib.decompressobj(-zlib.MAX_WBITS, zdict=known)
            if data in (b"", _TAIL):
                return text
            if len(text) >= LARGEST:
                break
            text += self._window.decompress(data, LARGEST - len(text))
            if self._window.unconsumed_tail:
                break
            if not self._window.eof:
                return text
        raise zlib.error("too large, or of too many ends")


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
