"""HTTP/1.1 messages (RFC 9112): where one ends, and what its bytes are.

The rule kept here: the framing is the RFC's (section 6.3), decided by the head
alone and, for a response, by the request that it answers.  A head or a chunk
line that never ends is not waited for beyond :data:`LONGEST_HEAD`.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple
from urllib.parse import unquote_plus

from utils.wire.tiling import Tiler, shown
from utils.wire.units import Fault, Layer

LONGEST_HEAD = 1 << 16

#: The longest body that is waited for, and the most that one may inflate to, in bytes.
LONGEST_BODY = 1 << 28
LARGEST = 1 << 26

_REQUEST = re.compile(r"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>\S+) (?P<version>HTTP/1\.[01])")
_RESPONSE = re.compile(r"(?P<version>HTTP/1\.[01]) (?P<status>\d{3})(?: (?P<reason>.*))?")
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

#: Parameters of Engine.IO's requests (engine.io-protocol, "Query parameters").
_QUERY = {
    "EIO": "The version of the Engine.IO protocol.",
    "transport": "How packets travel: polling or websocket.",
    "sid": "The session that the server opened.",
    "t": "A mark that keeps caches from answering.",
    "j": "The number of the JSONP callback.",
}
_CLAUSE_QUERY = "engine.io-protocol: query parameters"


class Head(NamedTuple):
    """The start line and the header fields of one message."""

    line: str
    fields: tuple[tuple[str, str], ...]
    size: int  # bytes, the empty line included
    method: str = ""
    target: str = ""
    status: int = 0

    def get(self, name: str) -> str:
        """The values of a field, joined by commas; empty if it is missing."""
        return ", ".join(value for key, value in self.fields if key.lower() == name)

    @property
    def upgrades(self) -> bool:
        """Whether a WebSocket is asked for, or given."""
        return "websocket" in self.get("upgrade").lower()


def parse_head(data: bytes | bytearray) -> Head | Fault | None:
    """The head that ``data`` begins with; None if it is not complete yet."""
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
    if end < 0:
        if len(data) >= LONGEST_HEAD:
            return Fault(0, f"a head of at most {LONGEST_HEAD} bytes", "no end of it", "RFC 9112 §2.1")
        line = bytes(data[: data.find(b"\r\n")] if b"\r\n" in data else data).decode("latin-1")
        if not looks_like_http(line):
            return Fault(0, "an HTTP request or response", shown(line, 20) or "nothing", "RFC 9112 §2.1")
        return None
    first, *lines = bytes(data[:end]).decode("latin-1").split("\r\n")
    fields = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    request, response = _REQUEST.fullmatch(first), _RESPONSE.fullmatch(first)
    if request:
        return Head(first, fields, end + 4, request["method"], request["target"])
    if response:
        return Head(first, fields, end + 4, status=int(response["status"]))
    return Fault(0, "a start line", shown(first, 40), "RFC 9112 §3 and §4")


def looks_like_http(line: str) -> bool:
    """Whether ``line`` may be (the beginning of) a start line."""
    if line.startswith("HTTP/") or "HTTP/".startswith(line):
        return True
    method = line.partition(" ")[0]
    return bool(re.fullmatch(r"[A-Z]{1,20}", method)) and "\x00" not in line


class Body(NamedTuple):
    """Where a body lies: its end, and the runs of data in it (without the chunks' framing)."""

    end: int
    runs: tuple[tuple[int, int], ...]


def find_body(data: bytes | bytearray, head: Head, asked: str) -> Body | Fault | None:
    """The body behind ``head``; ``asked`` is the method that a response answers.

    None if more bytes are needed; :data:`UNTIL_CLOSE` if the connection's end ends it.
    """
    bodiless = head.status and (asked == "HEAD" or head.status < 200 or head.status in (204, 304))
    if bodiless:
        return Body(head.size, ())
    if "chunked" in head.get("transfer-encoding").lower():
        return _chunks(data, head.size)
    length = head.get("content-length").partition(",")[0]
    if length:
        if not length.isascii() or not length.isdigit() or int(length[:20]) > LONGEST_BODY:
            return Fault(0, f"a length of at most {LONGEST_BODY}", shown(length, 30), "RFC 9112 §6.2")
        end = head.size + int(length)
        return Body(end, ((head.size, end),)) if end <= len(data) else None
    return UNTIL_CLOSE if head.status else Body(head.size, ())


#: RFC 9112, section 6.3, rule 8.
UNTIL_CLOSE = Body(-1, ())


def _chunks(data: bytes | bytearray, at: int) -> Body | Fault | None:
    runs: list[tuple[int, int]] = []
    while True:
        end = data.find(b"\r\n", at, at + 1024)
        if end < 0:
            long = len(data) - at >= 1024
            return Fault(at, "a chunk's size", "no end of its line", "RFC 9112 §7.1") if long else None
        try:
            size = int(bytes(data[at:end]).partition(b";")[0], 16)
        except ValueError:
            return Fault(at, "a chunk's size", shown(bytes(data[at:end]), 20), "RFC 9112 §7.1")
        if not 0 <= size <= LONGEST_BODY:
            return Fault(at, f"a chunk of at most {LONGEST_BODY} bytes", hex(size), "RFC 9112 §7.1")
        if size == 0:
            # The last chunk's line, then trailer fields if any, then an empty line.
            last = data.find(b"\r\n\r\n", end)
            return None if last < 0 else Body(last + 4, tuple(runs))
        start = end + 2
        if start + size + 2 > len(data):
            return None
        runs.append((start, start + size))
        at = start + size + 2


def content(raw: bytes, body: Body, head: Head) -> bytes | None:
    """The body as the layer above reads it; None if it cannot be inflated."""
    data = b"".join(raw[start:end] for start, end in body.runs)
    for coding in reversed(head.get("content-encoding").lower().split(",")):
        coding = coding.strip()
        if coding not in ("gzip", "x-gzip", "deflate"):
            continue
        # 32 detects gzip or zlib; some senders of "deflate" leave zlib's wrapping out.
        for bits in (32 + zlib.MAX_WBITS, -zlib.MAX_WBITS):
            inflater = zlib.decompressobj(bits)
            try:
                data = inflater.decompress(data, LARGEST)
            except zlib.error:
                continue
            if not inflater.unconsumed_tail:
                break
        else:
            return None
    return data


def summary(head: Head) -> str:
    """One line: the request without what differs every time, or the status."""
    if head.status:
        return shown(head.line.partition(" ")[2], 60)
    path, _, query = head.target.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("t=")]
    kept = ["sid=…" if part.startswith("sid=") else part for part in kept]
    return shown(f"{head.method} {path}" + ("?" + "&".join(kept) if kept else ""), 120)


# ── spans ────────────────────────────────────────────────────────────────────


def lay_head(tiler: Tiler, head: Head, raw: bytes) -> None:
    """Lay the spans of the start line and of each field."""
    layer = Layer.HTTP
    parts = head.line.split(" ", 2)
    if head.status:
        tiler.lay(len(parts[0]) + 1, layer, "Version", parts[0], "The protocol's version.", "RFC 9112 §2.3")
        what = "How the request went."
        tiler.lay(len(parts[1]), layer, "Status code", parts[1], what, "RFC 9110 §15")
        rest = len(head.line) - len(parts[0]) - 1 - len(parts[1])
        tiler.lay(rest, layer, "Reason", "".join(parts[2:]), "The status, for people.", "RFC 9112 §4")
    else:
        tiler.lay(len(parts[0]) + 1, layer, "Method", parts[0], "What is asked for.", "RFC 9110 §9")
        _lay_target(tiler, head.target)
        what = "The protocol's version."
        tiler.lay(len(head.line) - len(parts[0]) - 1 - len(head.target), layer, "Version", parts[2], what)
    tiler.lay(2, layer, "Line end", "CR LF", "Ends the start line.", "RFC 9112 §2.2")
    for line in raw[tiler.at : head.size - 4].split(b"\r\n") if head.fields else ():
        _lay_field(tiler, line)
    tiler.lay(
        head.size - tiler.at, layer, "End of head", "CR LF", "An empty line ends the head.", "RFC 9112 §2.1"
    )


def _lay_target(tiler: Tiler, target: str) -> None:
    path, mark, query = target.partition("?")
    tiler.lay(len(path), Layer.HTTP, "Path", shown(path), "Which resource.", "RFC 9110 §4.2")
    if not mark:
        return
    for number, part in enumerate(query.split("&")):
        name, equals, value = part.partition("=")
        tiler.lay(1, Layer.HTTP, "Separator", "&" if number else "?", "A parameter follows.", "RFC 3986 §3.4")
        known = _QUERY.get(name)
        layer = Layer.ENGINEIO if known else Layer.HTTP
        clause = _CLAUSE_QUERY if known else "RFC 3986 §3.4"
        tiler.lay(len(name + equals), layer, "Parameter", shown(name), known or "A parameter's name.", clause)
        tiler.lay(
            len(value), layer, "Value", shown(unquote_plus(value)), f"The value of {shown(name)}.", clause
        )


def _lay_field(tiler: Tiler, line: bytes) -> None:
    name, colon, value = line.partition(b":")
    spaces = len(value) - len(value.lstrip())
    secret = name.decode("latin-1").lower() in _SECRET_HEADERS
    told = "(kept back)" if secret else shown(value.strip())
    what = "The name of a header field."
    clause = "RFC 9110 §5.1"
    tiler.lay(len(name + colon) + spaces, Layer.HTTP, "Field name", shown(name), what, clause)
    what = f"The value of {shown(name)}."
    tiler.lay(len(value) - spaces, Layer.HTTP, "Field value", told, what, "RFC 9110 §5.5")
    tiler.lay(2, Layer.HTTP, "Line end", "CR LF", "Ends the field.", "RFC 9112 §5")
