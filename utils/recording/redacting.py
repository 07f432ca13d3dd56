"""A recording without its secrets: packets, calls, sources and what is said of it.

The rule kept here: a secret is known by its name (a cookie, a header, a key of
JSON, an argument, a variable of the environment), or by its value, if that was
named a secret anywhere in the recording; and what a client authenticates with
is one as a whole.  In its place stand as many other bytes: every offset, size,
sequence number and time stays what it was, and each packet can still be read.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from utils.records import Flag, Flow, Message, Recording, Sources, Trace
from utils.redaction import REDACTED, is_secret, places
from utils.streams import dissection
from utils.streams.ports import Ports
from utils.streams.segments import Segments
from utils.wire import frames
from utils.wire.refit import Refitter, gzipped
from utils.wire.units import Layer, Side, SocketType, Span, Unit

#: A shorter value is not looked for elsewhere: it would be found in many a word.
SHORTEST = 6

#: What stands for each byte of a secret.
FILLER = b"*"

#: The note of a recording whose secrets were left out, or kept, in ``Meta.extra``.
NOTE, LEFT_OUT, KEPT = "secrets", "left out", "kept"

#: How far back a deflated message may refer.
_WINDOW = 1 << 15

#: Arguments that hold what an application keeps of a visitor.
_SESSIONS = frozenset({"session", "saved_session"})

Range = tuple[int, int]

#: Assignments of literals in source text: name, what is between, quote, value.
_LITERAL = re.compile(
    r"""(?P<name>[\w-]+)(?P<sign>["']?\]?\s*[=:]\s*[rbfuRBFU]{0,2})(?P<quote>["'])(?P<value>(?:\\.|(?!(?P=quote)).)+)(?P=quote)"""
)


def redacted(
    recording: Recording, environment: Mapping[str, str] = os.environ, also: Iterable[str] = ()
) -> Recording:
    """``recording`` without what may open a door; ``environment`` names others, ``also`` are some."""
    ports = Ports.listening(recording.meta.listening)
    messages = dissection.messages(recording.segments, server_port=ports)
    values = {value for name, value in environment.items() if is_secret(name)}
    values |= {*also, *_values_on_the_wire(messages), *_values_in(recording.sources)}
    known = _Known(values)
    meta = recording.meta
    return replace(
        recording,
        meta=replace(meta, extra={**known.scrub_all(meta.extra), NOTE: LEFT_OUT}),
        segments=_Wire(recording.segments, known).redacted(messages),
        traces=tuple(known.scrub_trace(trace) for trace in recording.traces),
        sources=None if recording.sources is None else known.scrub_sources(recording.sources),
    )


def kept(recording: Recording) -> Recording:
    """``recording`` as it is, with the note that its secrets are in it."""
    return replace(recording, meta=replace(recording.meta, extra={**recording.meta.extra, NOTE: KEPT}))


def to_hand_on(recording: Recording, *, keep_secrets: bool = False) -> Recording:
    """``recording`` as it may be written down: redacted, or with the note that it is not."""
    if keep_secrets:
        return recording if NOTE in recording.meta.extra else kept(recording)
    return recording if recording.meta.extra.get(NOTE) == LEFT_OUT else redacted(recording)


class _Known:
    """The values that are known to be secrets, wherever they stand."""

    def __init__(self, values: Iterable[str]) -> None:
        long = sorted({value for value in values if len(value) >= SHORTEST}, key=lambda one: (-len(one), one))
        escaped = [form for value in long for form in dict.fromkeys((value, repr(value)[1:-1]))]
        self._text = re.compile("|".join(map(re.escape, escaped))) if escaped else None
        encoded = [value.encode("utf-8", "surrogateescape") for value in long]
        self._bytes = re.compile(b"|".join(map(re.escape, encoded))) if encoded else None
        self._seen: dict[str, str] = {}

    def ranges(self, data: bytes) -> Iterator[Range]:
        """Where in ``data`` they stand."""
        if self._bytes is not None:
            yield from (match.span() for match in self._bytes.finditer(data))

    def scrub(self, text: str) -> str:
        """``text`` without them."""
        if self._text is None:
            return text
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = self._text.sub(REDACTED, text)
        return found

    def scrub_all(self, value: Any) -> Any:
        """A value of JSON, each text in it scrubbed."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, Mapping):
            return {name: self.scrub_all(inner) for name, inner in value.items()}
        return [self.scrub_all(inner) for inner in value] if isinstance(value, list) else value

    def scrub_trace(self, trace: Trace) -> Trace:
        """The trace, its arguments and results scrubbed."""
        calls = []
        for call in trace.calls:
            if call.arguments is not None:
                texts = {
                    name: REDACTED if name in _SESSIONS and not text.startswith("<") else self.scrub(text)
                    for name, text in call.arguments.items()
                }
                result = None if call.result is None else self.scrub(call.result)
                if texts != call.arguments or result != call.result:
                    call = replace(call, arguments=texts, result=result)
            calls.append(call)
        return replace(trace, calls=tuple(calls))

    def scrub_sources(self, sources: Sources) -> Sources:
        """The application's own lines, without the literals that are given secret names."""
        lines = {
            file: {number: self.scrub(text) for number, text in texts.items()}
            for file, texts in sources.lines.items()
        }
        for file, texts in lines.items():
            if file in _own_files(sources):
                lines[file] = {number: _without_literals(text) for number, text in texts.items()}
        return replace(sources, lines=lines)


# ── values ───────────────────────────────────────────────────────────────────


def _values_on_the_wire(messages: Iterable[Message]) -> Iterator[str]:
    """The values that go by the name of a secret; of what a client authenticates with, only such."""
    for message in messages:
        unit = message.unit
        data = _readable(unit)
        for span in unit.explain():
            if span.value == REDACTED and span.label == "Field value":
                yield from _header_values(data[span.start : span.end].decode("latin-1"))
        for text in (data.decode("utf-8", "replace"), unit.payload.decode("utf-8", "replace")):
            for start, end in places(text):
                yield from _forms(re.sub(r'\\?"$', "", text[start:end]))
        for packet in unit.packets:
            if packet.socketio is not None and packet.socketio.type is SocketType.CONNECT:
                # A text alone is a token, whatever it is called.
                given = packet.socketio.data
                yield from (
                    one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str)
                )


def _header_values(text: str) -> Iterator[str]:
    """The parts of a cookie, or of an authorization, that open the door."""
    for part in text.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals and name.lower() not in ("path", "domain", "expires", "max-age", "samesite"):
            yield from _forms(value)
    scheme, _, token = text.strip().partition(" ")
    if token and ";" not in text and "=" not in scheme:
        yield from _forms(token)
        if scheme.lower() == "basic":
            with suppress(binascii.Error):
                yield from base64.b64decode(token, validate=True).decode("utf-8", "replace").split(":")[1:]
    elif not text.count("=") and not token:
        yield from _forms(text.strip())


def _forms(value: str) -> Iterator[str]:
    """A value as it stands, and as a query or JSON means it."""
    yield value
    yield unquote(value)
    if "\\" in value:
        yield value.encode("latin-1", "replace").decode("unicode_escape", "replace")


def _values_in(sources: Sources | None) -> Iterator[str]:
    """The literals that the application's own lines give secret names."""
    if sources is not None:
        for file in _own_files(sources):
            for text in sources.lines[file].values():
                yield from (match["value"] for match in _LITERAL.finditer(text) if is_secret(match["name"]))


def _own_files(sources: Sources) -> Iterator[str]:
    """The files that belong to no library: the application's."""
    for file in sources.lines:
        library = sources.libraries.get(file.partition(":")[0])
        if library is None or not library.version:
            yield file


def _without_literals(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        if not is_secret(match["name"]):
            return match[0]
        return f"{match['name']}{match['sign']}{match['quote']}{REDACTED}{match['quote']}"

    return _LITERAL.sub(replaced, text)


# ── bytes ────────────────────────────────────────────────────────────────────


class _Wire:
    """The segments of a recording, of which some bytes are replaced."""

    def __init__(self, segments: Iterable[Any], known: _Known) -> None:
        self._segments = Segments.of(segments)
        self._known = known
        self._edits: dict[Flow, list[tuple[int, bytes]]] = defaultdict(list)
        self._refitters: dict[Flow, Refitter] = {}  # of the streams of which something was deflated anew
        self._history: dict[Flow, bytes] = {}  # what others of the streams may refer to
        self._alone: set[Flow] = set()  # streams in which each message is deflated for itself

    def redacted(self, messages: Iterable[Message]) -> Segments:
        """The segments without secrets."""
        for message in messages:
            raw = self._new(message.flow, message.unit)
            if raw != message.unit.raw:
                self._edits[message.flow].append((message.start, raw))
        return self._edited()

    def _new(self, flow: Flow, unit: Unit) -> bytes:
        """The bytes of ``unit`` without secrets."""
        if unit.layer is Layer.WEBSOCKET and unit.raw[0] & 0x40:
            return self._deflated(flow, unit)
        if unit.layer is Layer.HTTP:
            self._note_agreement(flow, unit)
            if any(span.label == "Compressed body" for span in unit.explain()):
                return self._coded(unit)
        data = _readable(unit)
        return _written(unit, _filled(data, [*_hidden(unit), *_swept(self._known, data)]))

    def _note_agreement(self, flow: Flow, unit: Unit) -> None:
        """Whether the streams of a WebSocket that begins here go on from message to message."""
        head = unit.raw.partition(b"\r\n\r\n")[0].lower()
        if head.startswith(b"http/1.1 101"):
            for whose, one in ((b"server", flow), (b"client", flow.reverse)):
                if whose + b"_no_context_takeover" in head:
                    self._alone.add(one)

    def _deflated(self, flow: Flow, unit: Unit) -> bytes:
        """A compressed frame; once one of a stream was changed, those after it refer to what it is now."""
        head = _head(unit)
        size = len(unit.raw) - head
        if not unit.payload:
            return unit.raw
        text = self._text(unit.payload)
        refitter = self._refitters.get(flow)
        if refitter is None:
            if text == unit.payload:
                # Later ones may refer to it, as far back as a deflated stream can.
                self._history[flow] = (self._history.get(flow, b"") + text)[-_WINDOW:]
                return unit.raw
            refitter = self._refitters[flow] = Refitter(takeover=flow not in self._alone)
            refitter.follow(self._history.pop(flow, b""))
        data = _masked(unit.raw[:head], unit.raw[head:])[head:]
        if text == unit.payload and refitter.keeps(text, data):
            return unit.raw
        made = refitter.fit(text, size) or refitter.blank(len(text), size)
        return _masked(unit.raw[:head], made)

    def _coded(self, unit: Unit) -> bytes:
        """An HTTP message with a compressed body, in one run or in chunks."""
        spans = unit.explain()
        body = [span for span in spans if span.label == "Compressed body"]
        raw = _filled(unit.raw, [*_hidden(unit, but=body), *_swept(self._known, unit.raw)])
        text = self._text(unit.payload)
        if text == unit.payload:
            return raw
        size = sum(span.end - span.start for span in body)
        data = gzipped(text, size) or gzipped(FILLER * len(text), size) or bytes(size)
        for span in body:
            length = span.end - span.start
            raw, data = raw[: span.start] + data[:length] + raw[span.end :], data[length:]
        return raw

    def _text(self, payload: bytes) -> bytes:
        """What was compressed, without secrets: a packet of Socket.IO, several, or any other text."""
        ranges = list(_swept(self._known, payload))
        ranges += [(start, end) for start, end in places(payload.decode("latin-1"))]
        at = 0
        for packet in payload.split(b"\x1e"):
            frame = b"\x81\x7f" + len(packet).to_bytes(8, "big") + packet
            unit = frames.plain(Side.CLIENT, 0, frame)
            ranges += [(at + start - 10, at + end - 10) for start, end in _hidden(unit)]
            at += len(packet) + 1
        return _filled(payload, ranges)

    def _edited(self) -> Segments:
        if not self._edits:
            return self._segments
        columns = self._segments
        data = bytearray(columns.data)
        places_of = {flow: place for place, flow in enumerate(columns.flows)}
        for flow, edits in self._edits.items():
            rows = columns.rows[columns.rows["flow"] == places_of[flow]]
            base = None
            for row in rows.tolist():
                _, at, size, _, sequence, _, flags = row
                if flags & Flag.SYN:
                    base = sequence + 1
                elif base is None:
                    base = sequence
                offset = (sequence + (1 if flags & Flag.SYN else 0) - base) & 0xFFFFFFFF
                _apply(data, at, offset, size, edits)
        return Segments(bytes(data), columns.flows, columns.rows, synthetic=columns.synthetic)


def _apply(data: bytearray, at: int, offset: int, size: int, edits: Iterable[tuple[int, bytes]]) -> None:
    """Put into the payload at ``at``, which begins at ``offset`` of its stream, what falls into it."""
    for start, new in edits:
        first, last = max(start, offset), min(start + len(new), offset + size)
        if first < last:
            data[at + first - offset : at + last - offset] = new[first - start : last - start]


def _hidden(unit: Unit, but: Iterable[Span] = ()) -> Iterator[Range]:
    """Where in a unit secrets stand, as its decoders tell."""
    left_alone = {span.start for span in but}
    data = _readable(unit)
    for span in unit.explain():
        text = data[span.start : span.end].decode("latin-1")
        if span.start in left_alone or (span.label == "Literal" and span.value == REDACTED):
            continue  # true, false or null opens no door
        if span.value == REDACTED:
            yield span.start, span.end
        elif REDACTED in span.value or span.layer is Layer.UNKNOWN:
            found = [(span.start + start, span.start + end) for start, end in places(text)]
            yield from found or ([(span.start, span.end)] if REDACTED in span.value else [])


def _swept(known: _Known, data: bytes) -> Iterator[Range]:
    return known.ranges(data)


def _filled(data: bytes, ranges: Iterable[Range]) -> bytes:
    """``data`` with other bytes at ``ranges``: a number stays one, a string keeps its quotes."""
    made = bytearray(data)
    for start, end in ranges:
        secret = bytes(data[start:end])
        if re.fullmatch(rb"-?[0-9][0-9.eE+-]*", secret):
            made[start:end] = re.sub(rb"[0-9]", b"1", secret)
            continue
        opening = 1 if secret[:1] == b'"' else 0
        closing = re.search(rb'\\?"$', secret[opening:])
        length = len(secret) - opening - (len(closing[0]) if closing else 0)
        made[start + opening : start + opening + length] = FILLER * length
    return bytes(made)


def _head(unit: Unit) -> int:
    """How many bytes of a frame stand before its payload (RFC 6455, section 5.2)."""
    length = unit.raw[1] & 0x7F
    return 2 + {126: 2, 127: 8}.get(length, 0) + (4 if unit.raw[1] & 0x80 else 0)


def _masked(head: bytes, payload: bytes) -> bytes:
    """A frame's head with ``payload``, masked as the head says."""
    if not head[1] & 0x80 or not payload:
        return head + payload
    key = (head[-4:] * (len(payload) // 4 + 1))[: len(payload)]
    both = int.from_bytes(payload) ^ int.from_bytes(key)
    return head + both.to_bytes(len(payload))


def _readable(unit: Unit) -> bytes:
    """The bytes of a unit, those of a frame unmasked."""
    if unit.layer is not Layer.WEBSOCKET or len(unit.raw) < 6 or not unit.raw[1] & 0x80:
        return unit.raw
    head = _head(unit)
    return unit.raw[:head] + _masked(unit.raw[:head], unit.raw[head:])[head:]


def _written(unit: Unit, readable: bytes) -> bytes:
    """The bytes on the wire of what reads so."""
    if unit.layer is not Layer.WEBSOCKET or len(readable) < 6 or not readable[1] & 0x80:
        return readable
    head = _head(unit)
    return _masked(readable[:head], readable[head:])
