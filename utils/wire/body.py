"""Where the body of an HTTP/1.1 message ends (RFC 9112, section 6.3), and what it says.

The rule kept here: the framing is decided by the head alone and, for a
response, by the method of the request that it answers.  A body is followed
from where the last bytes left off, so that its cost is its length, however it
is cut; and one that is longer than :data:`LONGEST` is not waited for.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from utils.wire.http import Head
from utils.wire.tiling import shown
from utils.wire.units import Fault

#: The longest body that is waited for, and the most that one may inflate to, in bytes.
LONGEST = 1 << 25
LARGEST = 1 << 25

#: The most chunks, and the longest line of a chunk's size or of the trailer.
MOST_CHUNKS = 1 << 16
LONGEST_LINE = 4096

#: The most compressions, one on top of the other, that are undone: each may yield :data:`LARGEST` bytes.
MOST_CODINGS = 4

_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE = re.compile(rb"[^\n]*\n")
_TRAILER = re.compile(rb"(?:[^\r\n][^\n]*\n)*\r?\n")


class Run(NamedTuple):
    """A run of the body's data, as offsets into the message."""

    start: int
    end: int


class Body:
    """A body as far as it is known: its runs of data, without the chunks' framing."""

    def __init__(self, head: Head) -> None:
        self.runs: list[Run] = []
        self.end = head.size  # where the message ends; while it is not complete, where to go on
        self.need = head.size  # with fewer bytes of the message than this, going on is in vain
        self.length: int | None = None  # if the head tells it
        self.until_close = False
        self.chunked = False

    def advance(self, data: bytes | bytearray) -> bool | Fault:
        """Whether ``data``, the message from its first byte, holds the whole of it."""
        if self.until_close:
            if len(data) - self.end > LONGEST:
                self.close(self.end + LONGEST)
                return Fault(0, f"a body of at most {LONGEST} bytes", "more", "RFC 9112 §6.3")
            self.need = len(data) + 1
            return False
        return self._chunks(data) if self.chunked else len(data) >= self.need

    def close(self, size: int) -> None:
        """The connection has ended, after ``size`` bytes of the message."""
        self.runs.append(Run(self.end, size))
        self.end = size

    def place(self, offset: int, *, coded: bool) -> int:
        """Where in the message the byte at ``offset`` of the body stands; of a compressed one, the body."""
        last = self.end
        for start, end in self.runs:
            if coded or offset < end - start:
                return start if coded else start + offset
            offset, last = offset - (end - start), end
        return last

    def _chunks(self, data: bytes | bytearray) -> bool | Fault:
        while True:
            line = _SIZE.match(data, self.end, self.end + LONGEST_LINE)
            if line is None:
                return self._line_missing(data, "a chunk's size in hexadecimal", "RFC 9112 §7.1")
            size = int(line[1], 16)
            if size == 0:
                trailer = _TRAILER.match(data, line.end(), line.end() + LONGEST_LINE)
                if trailer is None:
                    if len(data) - line.end() >= LONGEST_LINE:
                        return Fault(line.end(), "a short trailer", "no end of it", "RFC 9112 §7.1.2")
                    self.need = len(data) + 1
                    return False
                self.end = trailer.end()
                return True
            if size > LONGEST or line.end() + size > LONGEST or len(self.runs) >= MOST_CHUNKS:
                most = f"chunks of at most {LONGEST} bytes in all"
                return Fault(self.end, most, f"{size} bytes more", "RFC 9112 §7.1")
            end = line.end() + size
            if len(data) < end + 2:
                self.need = end + 2
                return False
            if data[end] == 0x0A:
                after = end + 1
            elif data[end : end + 2] == b"\r\n":
                after = end + 2
            else:
                got = shown(bytes(data[end : end + 2]))
                return Fault(end, "the end of the chunk's line", got, "RFC 9112 §7.1")
            self.runs.append(Run(line.end(), end))
            self.end = after

    def _line_missing(self, data: bytes | bytearray, expected: str, clause: str) -> bool | Fault:
        """No whole line yet, or a line that is something else."""
        line = bytes(data[self.end : self.end + LONGEST_LINE])
        if b"\n" in line or len(line) >= LONGEST_LINE:
            return Fault(self.end, expected, shown(line.partition(b"\n")[0], 20), clause)
        self.need = len(data) + 1
        return False


def begin(head: Head, asked: str) -> Body | Fault:
    """The body that follows ``head``; ``asked`` is the method that a response answers."""
    body = Body(head)
    if head.status and (asked == "HEAD" or head.status < 200 or head.status in (204, 304)):
        return body
    codings = [coding.strip().lower() for coding in head.get("transfer-encoding").split(",")]
    if codings != [""]:
        body.chunked = codings[-1] == "chunked"
        body.until_close = bool(head.status) and not body.chunked
        if not head.status and not body.chunked:
            return Fault(0, "chunked as the last coding of a request", shown(codings[-1]), "RFC 9112 §6.3")
        return body
    lengths = {length.strip() for length in head.get("content-length").split(",")}
    if lengths != {""}:
        length = lengths.pop()
        if lengths or not re.fullmatch("[0-9]{1,18}", length):
            got = shown(head.get("content-length"), 40)
            return Fault(0, "one Content-Length, in digits", got, "RFC 9112 §6.3")
        body.length = int(length)
        body.end = body.need = head.size + body.length
        if body.length:
            body.runs.append(Run(head.size, body.end))
        return body
    body.until_close = bool(head.status)
    return body


def content(raw: bytes, body: Body, head: Head) -> bytes | None:
    """The body as the layer above reads it; None if it cannot be inflated."""
    data = b"".join(raw[start:end] for start, end in body.runs)
    codings = head.get("content-encoding").lower().split(",")
    if len(codings) > MOST_CODINGS:
        return None
    for coding in reversed(codings):
        if coding.strip() in ("gzip", "x-gzip", "deflate"):
            inflated = _inflated(data)
            if inflated is None:
                return None
            data = inflated
    return data


def _inflated(data: bytes) -> bytes | None:
    if not data:
        return data
    # 32 detects gzip or zlib; some senders of "deflate" leave zlib's wrapping out.
    for bits in (32 + zlib.MAX_WBITS, -zlib.MAX_WBITS):
        inflater = zlib.decompressobj(bits)
        try:
            found = inflater.decompress(data, LARGEST)
        except zlib.error:
            continue
        return found if inflater.eof else None
    return None
