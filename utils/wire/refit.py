"""Compressed data made anew with another text, in exactly as many bytes as before.

The rule kept here: whoever counts bytes sees no difference, and whoever
inflates them reads the new text.  A text that does not fit is not squeezed:
then there is none.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator

_TAIL = b"\x00\x00\xff\xff"  # taken off by the sender (RFC 7692, section 7.2.1)

#: How far back a message may refer (RFC 1951, section 2).
_WINDOW = 1 << 15

#: An empty block of fixed codes: three bits of header (0, 01) and the end of block, seven zeros.
_EMPTY, _EMPTY_BITS = 2, 10

#: So many empty blocks may follow, to come to a size.
_MOST_BLOCKS = 16

#: Ways to deflate, the best first; the others come to other sizes.
_WAYS = (
    *itertools.product((9, 6), (8,), (zlib.Z_DEFAULT_STRATEGY,)),
    *itertools.product((9, 6, 4, 2, 1), (8, 1), (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED)),
    *itertools.product((9, 4, 1), (8, 1), (zlib.Z_FIXED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY)),
)

#: In so many pieces the text is deflated, if it does not come to the size in one.
_MOST_PIECES = 6


class Refitter:
    """Deflates the messages of one side of a WebSocket anew (RFC 7692), as one stream or each for itself."""

    def __init__(self, *, takeover: bool) -> None:
        self._takeover = takeover
        self._window = b""

    def fit(self, text: bytes, size: int) -> bytes | None:
        """``text`` in ``size`` bytes, without the tail; None if that cannot be, and nothing has happened."""
        for data in self._deflated(text):
            padding = _padding(size - len(data))
            if padding is not None:
                self.follow(text)
                return data + padding
        return None

    def blank(self, most: int, size: int) -> bytes:
        """As many stars as ``size`` bytes may say, and at most so many as ``most``."""
        for length in range(most, -1, -1):
            made = self.fit(b"*" * length, size)
            if made is not None:
                return made
        return bytes(size)  # of a few bytes: nothing can be said in them, and nothing is

    def keeps(self, text: bytes, data: bytes) -> bool:
        """Whether ``data``, as its sender made it, still inflates to ``text`` here; then it is followed."""
        window = zlib.decompressobj(-zlib.MAX_WBITS, zdict=self._window)
        try:
            kept = window.decompress(data + _TAIL, len(text) + 1) == text
        except zlib.error:
            return False
        if kept:
            self.follow(text)
        return kept

    def follow(self, text: bytes) -> None:
        """``text`` was sent: later ones may refer to it."""
        if self._takeover:
            self._window = (self._window + text)[-_WINDOW:]

    def _deflated(self, text: bytes) -> Iterator[bytes]:
        """``text`` in every way, without the tail."""
        for pieces in range(1, _MOST_PIECES + 1):
            step = len(text) // pieces + 1
            for level, memory, strategy in _WAYS:
                packer = zlib.compressobj(
                    level, zlib.DEFLATED, -zlib.MAX_WBITS, memory, strategy, self._window
                )
                data = b""
                for at in range(0, len(text), step):
                    data += packer.compress(text[at : at + step])
                    if at + step < len(text):
                        data += packer.flush(zlib.Z_PARTIAL_FLUSH)
                data += packer.flush(zlib.Z_SYNC_FLUSH)
                # Of nothing zlib makes nothing: an empty block says it (RFC 7692, section 7.2.3.6).
                yield data[: -len(_TAIL)] or b"\x00"


def _padding(gap: int) -> bytes | None:
    """What inflates to nothing behind a message whose tail was taken off, and is ``gap`` bytes long."""
    if gap <= 0:
        return b"" if gap == 0 else None
    for blocks in range(_MOST_BLOCKS):
        bits = blocks * _EMPTY_BITS + 3  # the header of the last, stored one
        size = len(_TAIL) + (bits + 7) // 8
        # More stored blocks of nothing make up the rest: one byte of header, and their tails.
        more, rest = divmod(gap - size, 1 + len(_TAIL))
        if more >= 0 and not rest:
            number = sum(_EMPTY << (_EMPTY_BITS * block) for block in range(blocks))
            return _TAIL + number.to_bytes((bits + 7) // 8, "little") + (_TAIL + b"\x00") * more
    return None


def gzipped(text: bytes, size: int) -> bytes | None:
    """``text`` as gzip has it (RFC 1952), in ``size`` bytes; None if that cannot be."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = packer.compress(text) + packer.flush()
    trailer = zlib.crc32(text).to_bytes(4, "little") + (len(text) & 0xFFFFFFFF).to_bytes(4, "little")
    gap = size - 10 - len(data) - len(trailer)
    if gap < 0:
        return None
    # A comment, which ends with a zero, fills what is left; its flag says that it is there.
    flag, comment = (0x10, b"*" * (gap - 1) + b"\x00") if gap else (0, b"")
    return b"\x1f\x8b\x08" + bytes([flag]) + bytes(4) + b"\x02\xff" + comment + data + trailer
