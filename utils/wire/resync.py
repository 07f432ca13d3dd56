"""Where a stream can be read from again: its beginning is unknown, or bytes of it are missing or broken.

The rule kept here: only what can hardly be anything else is taken for a
beginning: a whole HTTP start line; the header of a frame at the very place
where reading may begin; or, further on, a text frame of the right mask whose
Engine.IO packet is without fault.  The bytes before it are nobody's.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from utils.wire import engineio, http, websocket
from utils.wire.units import Fault, Side

#: The longest frame that is waited for, to see whether it is one.
LONGEST = 1 << 16

#: How many frames are read in vain before frames are sought no more: each costs its length.
MOST_TRIES = 4096

_METHODS = rb"GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH"
_START_LINES = {
    Side.CLIENT: re.compile(rb"(?:" + _METHODS + rb") [!-~\x80-\xff]{1,8000} HTTP/1\.[01]\r?\n"),
    Side.SERVER: re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [^\r\n]{0,200})?\r?\n"),
}

#: What the end of the bytes may be the beginning of; at least the longest word before a space.
_PARTIAL = {
    Side.CLIENT: re.compile(
        rb"(?:" + _METHODS + rb") (?:[!-~\x80-\xff]{0,8000}(?: [HTP/1.0]{0,8}\r?)?)?\Z",
    ),
    Side.SERVER: re.compile(rb"HTTP/1\.(?:[01](?: [^\r\n]{0,204}\r?)?)?\Z"),
}
_LONGEST_WORD = 7

#: How a message of that side begins.
_WORDS = {
    Side.CLIENT: tuple(method + b" " for method in _METHODS.split(b"|")),
    Side.SERVER: (b"HTTP/1.",),
}

_FRAMES = re.compile(rb"\x81")

#: The first bytes of whole messages, compressed or not, and of control frames.
_FIRST = frozenset(b"\x81\x82\xc1\xc2\x88\x89\x8a")
_TYPES = b"0123456"


class Found(Enum):
    """What begins at the place that was found."""

    NOTHING = "nothing yet"
    HTTP = "an HTTP message"
    FRAME = "a WebSocket frame"


class Place(NamedTuple):
    """Bytes before ``at`` are no beginning; what stands there is ``found``.

    With fewer than ``need`` bytes from ``at`` on, seeking again is in vain.
    """

    at: int
    found: Found
    need: int = 0


class Seeker:
    """Seeks in the bytes of one side."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._tries = MOST_TRIES
        self._begun = False  # the stream's own beginning is behind: any method may be one's first word

    def find(self, data: bytearray, after: int, *, fresh: bool, final: bool) -> Place:
        """The first place in ``data`` to read from, at or after ``after``.

        ``fresh``: a message may well begin at the first byte.  ``final``: no
        more bytes will come.  With nothing found, the place is that of the
        first byte which, with the bytes to come, may still be a beginning.
        """
        if fresh:
            place = self._at_first(data)
            if place is not None and not (final and place.found is Found.NOTHING):
                self._begun |= place.found is not Found.NOTHING
                return place
        self._begun = True
        line = _START_LINES[self._side].search(data, after)
        partial = None if line or final else _PARTIAL[self._side].search(data, after)
        known = line or partial
        # What looks like a frame inside a start line is a part of the line.
        frame = self._frame(data, after, known.start() if known else len(data), final)
        if frame is not None:
            return frame
        if known:
            return Place(known.start(), Found.HTTP if line else Found.NOTHING)
        kept = len(data) if final else max(after, len(data) - _LONGEST_WORD)
        return Place(kept, Found.NOTHING)

    def _at_first(self, data: bytearray) -> Place | None:
        """What begins at the very first byte; None if nothing does."""
        if data[0] in _FIRST:
            header = websocket.parse(data)
            if header is None:
                return Place(0, Found.NOTHING)
            if isinstance(header, websocket.Frame) and _fits(header, self._side):
                return Place(0, Found.FRAME)
        if self._begun:
            # What a hole has left of a request's first word looks like a method, and is none.
            words = _WORDS[self._side]
            if not data.startswith(words):
                return Place(0, Found.NOTHING) if any(word.startswith(data) for word in words) else None
        return None if isinstance(http.parse_head(data), Fault) else Place(0, Found.HTTP)

    def _frame(self, data: bytearray, after: int, until: int, final: bool) -> Place | None:
        """The first frame before ``until``, or what may become one; None if there is neither."""
        for match in _FRAMES.finditer(data, after, until):
            at = match.start()
            header = websocket.parse(data, at)
            if header is None and not final:
                return Place(at, Found.NOTHING)
            if not isinstance(header, websocket.Frame) or not _fits(header, self._side):
                continue
            if not 0 < header.length <= LONGEST:
                continue
            first = at + header.head
            if first < len(data) and data[first] ^ (header.key[0] if header.key else 0) not in _TYPES:
                continue
            if len(data) < at + header.end:
                if final:
                    continue
                return Place(at, Found.NOTHING, header.end)
            if self._tries <= 0:
                return None
            self._tries -= 1
            if _sound(bytes(data[first : first + header.length]), header.key):
                return Place(at, Found.FRAME)
        return None


def _fits(frame: websocket.Frame, side: Side) -> bool:
    """Whether the header is one that ``side`` sends."""
    masked = bool(frame.key) == (side is Side.CLIENT)
    return masked and not websocket.unusual(frame) and frame.length <= websocket.LONGEST


def _sound(payload: bytes, key: bytes) -> bool:
    """Whether this is an Engine.IO packet without fault."""
    try:
        text = websocket.unmask(key, payload).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not engineio.decode_text(text).faults
