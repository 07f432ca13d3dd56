"""The heads of HTTP/1.1 messages (RFC 9112): start line and fields, and what they mean here.

The rule kept here: a head is read once it is complete, line by line; what is
odd in a line is a fault of the message and not the end of it.  A head that
never ends is not waited for beyond :data:`LONGEST_HEAD`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote_plus

from utils.redaction import REDACTED, is_secret
from utils.wire.tiling import Tiler, shown
from utils.wire.units import Fault, Layer

LONGEST_HEAD = 1 << 16
LONGEST_LINE = 1 << 14

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST = re.compile(rf"(?P<method>{_TOKEN}) (?P<target>[!-~\x80-\xff]+) (?P<version>HTTP/1\.[01])")
_RESPONSE = re.compile(r"(?P<version>HTTP/1\.[01]) (?P<status>[1-9][0-9]{2})(?: (?P<reason>.*))?")
_FIELD_NAME = re.compile(_TOKEN)
_END = re.compile(rb"\r?\n\r?\n")
_EMPTY_LINES = re.compile(rb"(?:\r?\n){1,16}")  # more of them are no sloppiness, but another thing
_BEGINNING = re.compile(
    r"\r?|HTTP/[0-9.]{0,3}(?: .*)?|" + _TOKEN + r"(?: [!-~\x80-\xff]*(?: [HTP/0-9.]{0,8}\r?)?)?"
)

#: Parameters of Engine.IO's requests (engine.io-protocol, "Query parameters").
_QUERY = {
    "EIO": "The version of the Engine.IO protocol.",
    "transport": "How packets travel: polling or websocket.",
    "sid": "The session that the server opened.",
    "t": "A mark that keeps caches from answering.",
    "j": "The number of the JSONP callback.",
    "b64": "The client cannot take binary packets.",
}
_CLAUSE_QUERY = "engine.io-protocol: query parameters"

#: What the fields of these exchanges are for; others are told by their name alone.
_FIELDS = {
    "accept": ("What kinds of content the client takes.", "RFC 9110 §12.5.1"),
    "accept-encoding": ("The compressions that the client can undo.", "RFC 9110 §12.5.3"),
    "access-control-allow-credentials": ("Whether other origins' pages may send cookies.", "Fetch §3.3.3"),
    "access-control-allow-origin": ("Which origin's pages may read the answer.", "Fetch §3.3.3"),
    "authorization": ("The credentials of the client; kept back here.", "RFC 9110 §11.6.2"),
    "cache-control": ("What caches may do with the message.", "RFC 9111 §5.2"),
    "connection": ("What holds for this one connection.", "RFC 9110 §7.6.1"),
    "content-encoding": ("How the body is compressed.", "RFC 9110 §8.4"),
    "content-length": ("The body's length in bytes.", "RFC 9110 §8.6"),
    "content-type": ("What the body is.", "RFC 9110 §8.3"),
    "cookie": ("What the server asked the client to send back; kept back here.", "RFC 6265 §4.2"),
    "date": ("When the message was made.", "RFC 9110 §6.6.1"),
    "host": ("The host and port that the client wants to reach.", "RFC 9110 §7.2"),
    "origin": ("The page's origin; the server may refuse it.", "RFC 6454 §7"),
    "sec-websocket-accept": ("The server's proof that it read the key.", "RFC 6455 §4.2.2"),
    "sec-websocket-extensions": ("Extensions offered, or agreed on.", "RFC 6455 §9.1"),
    "sec-websocket-key": ("A nonce, for which the server must find the answer.", "RFC 6455 §4.1"),
    "sec-websocket-protocol": ("The protocol spoken inside the WebSocket.", "RFC 6455 §1.9"),
    "sec-websocket-version": ("The version of the WebSocket protocol: 13.", "RFC 6455 §4.1"),
    "server": ("The software of the server.", "RFC 9110 §10.2.4"),
    "set-cookie": ("What the client is to send back; kept back here.", "RFC 6265 §4.1"),
    "transfer-encoding": ("How the body is framed.", "RFC 9112 §6.1"),
    "upgrade": ("The protocol to go on with.", "RFC 9110 §7.8"),
    "user-agent": ("The software of the client.", "RFC 9110 §10.1.5"),
    "vary": ("Which request fields the answer depends on.", "RFC 9110 §12.5.5"),
}


@dataclass(frozen=True)
class Head:
    """The start line and the header fields of one message."""

    line: str
    fields: tuple[tuple[str, str], ...]
    size: int  # bytes, the empty line included
    method: str = ""
    target: str = ""
    status: int = 0  # 0 for a request
    before: int = 0  # bytes of empty lines before the start line
    faults: tuple[Fault, ...] = field(default=(), compare=False)

    @cached_property
    def _values(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self.fields:
            key = name.lower()
            found[key] = f"{found[key]}, {value}" if key in found else value
        return found

    def get(self, name: str) -> str:
        """The values of a field (its name in lower case), joined by commas; empty if it is missing."""
        return self._values.get(name, "")

    @property
    def upgrades(self) -> bool:
        """Whether a WebSocket is asked for, or given."""
        return "websocket" in self.get("upgrade").lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the target; of a repeated one, the first."""
        found: dict[str, str] = {}
        for part in self.target.partition("?")[2].split("&"):
            name, _, value = part.partition("=")
            found.setdefault(unquote_plus(name), unquote_plus(value))
        return found


def parse_head(data: bytes | bytearray, since: int = 0) -> Head | Fault | None:
    """The head that ``data`` begins with; None if it is not complete yet.

    ``since``: how many of the bytes were there already when the answer was None.
    """
    blank = _EMPTY_LINES.match(data)
    before = blank.end() if blank else 0
    end = _END.search(data, max(before, since - 3), LONGEST_HEAD)
    if end is None:
        if len(data) >= LONGEST_HEAD:
            return Fault(0, f"a head of at most {LONGEST_HEAD} bytes", "no end of it", "RFC 9112 §2.1")
        return _begun(data, before, since)
    lines = _lines(bytes(data[before : end.start()]).decode("latin-1"), before)
    _, first = next(lines)
    start = _start_line(first)
    if start is None or len(first) > LONGEST_LINE:
        return Fault(before, "an HTTP request or response", shown(first, 20), "RFC 9112 §2.1")
    faults: list[Fault] = []
    fields: list[tuple[str, str]] = []
    for at, line in lines:
        name, colon, value = line.partition(":")
        fields.append((name, value.strip(" \t")))
        if not colon or not _FIELD_NAME.fullmatch(name):
            faults.append(Fault(at, "a header field, name: value", shown(line, 30), "RFC 9112 §5"))
    known = start.groupdict()
    return Head(
        line=first,
        fields=tuple(fields),
        size=end.end(),
        method=known.get("method", ""),
        target=known.get("target", ""),
        status=int(known.get("status", 0)),
        before=before,
        faults=tuple(faults),
    )


def _lines(text: str, at: int) -> Iterator[tuple[int, str]]:
    """The lines without their ends, and where they begin; of the last one, the end is off already."""
    *lines, last = text.split("\n")
    for line in lines:
        yield at, line.removesuffix("\r")
        at += len(line) + 1
    yield at, last


def _begun(data: bytes | bytearray, before: int, since: int) -> Fault | None:
    """None if the first line, as far as it is there, can be that of a message."""
    end = data.find(b"\n", before, LONGEST_HEAD)
    if 0 <= end < since:
        return None  # it was looked at before
    if end >= 0:
        line = bytes(data[before:end]).decode("latin-1").removesuffix("\r")
        good = len(line) <= LONGEST_LINE and _start_line(line) is not None
    else:
        line = bytes(data[before:]).decode("latin-1")
        good = len(line) <= LONGEST_LINE and _BEGINNING.fullmatch(line) is not None
    return None if good else Fault(before, "an HTTP request or response", shown(line, 20), "RFC 9112 §2.1")


def _start_line(line: str) -> re.Match[str] | None:
    return _RESPONSE.fullmatch(line) or _REQUEST.fullmatch(line)


def summary(head: Head) -> str:
    """One line: the request without what differs every time, or the status."""
    if head.status:
        return shown(head.line.partition(" ")[2], 60)
    path, _, query = head.target.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("t=")]
    kept = [_without_secret(part) for part in kept]
    return shown(f"{head.method} {path}" + ("?" + "&".join(kept) if kept else ""), 120)


def _without_secret(part: str) -> str:
    """A parameter, without its value if that may open a door; the session's id differs every time besides."""
    name = part.partition("=")[0]
    return f"{name}=…" if name == "sid" or is_secret(unquote_plus(name)) else part


# ── spans ────────────────────────────────────────────────────────────────────


def lay_head(tiler: Tiler, head: Head, raw: bytes) -> None:
    """Lay the spans of the start line and of each field."""
    layer = Layer.HTTP
    what = "Means nothing before a message."
    tiler.lay(head.before, layer, "Empty line", "CR LF", what, "RFC 9112 §2.2")
    parts = head.line.split(" ", 2)
    if head.status:
        tiler.lay(len(parts[0]) + 1, layer, "Version", parts[0], "The protocol's version.", "RFC 9112 §2.3")
        what = "How the request went."
        tiler.lay(len(parts[1]), layer, "Status code", parts[1], what, "RFC 9110 §15")
        rest = len(head.line) - len(parts[0]) - 1 - len(parts[1])
        reason = shown("".join(parts[2:]))
        tiler.lay(rest, layer, "Reason", reason, "The status, for people.", "RFC 9112 §4")
    else:
        tiler.lay(len(parts[0]) + 1, layer, "Method", parts[0], "What is asked for.", "RFC 9110 §9")
        _lay_target(tiler, head.target)
        rest = len(head.line) - len(parts[0]) - 1 - len(head.target)
        tiler.lay(rest, layer, "Version", parts[2], "The protocol's version.", "RFC 9112 §2.3")
    _lay_line_end(tiler, raw, "Ends the start line.")
    for _ in head.fields:
        end = raw.index(b"\n", tiler.at)
        _lay_field(tiler, raw[tiler.at : end].removesuffix(b"\r"))
        _lay_line_end(tiler, raw, "Ends the field.")
    what = "An empty line ends the head."
    tiler.lay(head.size - tiler.at, layer, "End of head", "CR LF", what, "RFC 9112 §2.1")


def _lay_line_end(tiler: Tiler, raw: bytes, what: str) -> None:
    if raw[tiler.at] == 0x0D:
        tiler.lay(2, Layer.HTTP, "Line end", "CR LF", what, "RFC 9112 §2.1")
    else:
        tiler.lay(1, Layer.HTTP, "Line end", "LF", f"{what} CR is missing before it.", "RFC 9112 §2.2")


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
        what = known or "A parameter's name."
        tiler.lay(len(name + equals), layer, "Parameter", shown(name), what, clause)
        told = REDACTED if is_secret(unquote_plus(name)) else shown(unquote_plus(value))
        if name == "EIO" and value == "3":
            told = "3: the Engine.IO of Socket.IO 2"
        tiler.lay(len(value), layer, "Value", told, f"The value of {shown(name)}.", clause)


def _lay_field(tiler: Tiler, line: bytes) -> None:
    name, colon, value = line.partition(b":")
    key = name.decode("latin-1").lower()
    if not colon or not _FIELD_NAME.fullmatch(key):
        what = "Not a header field: those are a name, a colon and a value."
        tiler.lay(len(line), Layer.UNKNOWN, "Unexplained", shown(line), what, "RFC 9112 §5")
        return
    spaces = len(value) - len(value.lstrip(b" \t"))
    # Access-Control-Allow-Credentials and the like speak of secrets, and are none.
    secret = is_secret(key) and not key.startswith("access-control-")
    told = REDACTED if secret else shown(value.strip())
    what, clause = _FIELDS.get(key, (f"The value of {shown(name)}.", "RFC 9110 §5.5"))
    named = "The name of a header field."
    tiler.lay(len(name + colon) + spaces, Layer.HTTP, "Field name", shown(name), named, "RFC 9110 §5.1")
    tiler.lay(len(value) - spaces, Layer.HTTP, "Field value", told, what, clause)
