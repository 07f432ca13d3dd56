"""The forms that one message takes, from the wire inwards.

The rule kept here: the forms come from the wire alone.  Each is a run of bytes
and the ranges of the message's raw bytes that it stands in: byte by byte, or
as a block where the bytes were compressed or escaped.  What a step recorded is
compared with a form, never with another step, so that one broken step does not
hide behind the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from utils.provenance.codecs import Form
from utils.provenance.fragments import Fragment
from utils.records import Message
from utils.wire import commands, http, websocket
from utils.wire.resp import Reader
from utils.wire.units import EnginePacket, Layer, Side, Span

#: The labels of the framing around and between the pieces of a body.
_FRAMING = ("Chunk size", "Chunk end", "Last chunk")

#: JSON's marks, by label.
_OPENING = {"Array begins": "[", "Object begins": "{"}
_CLOSING = ("Array ends", "Object ends")
_VALUES = ("Event name", "String", "Number", "Literal")


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of a message.

    ``ranges`` are (start, end) in the message's raw bytes.  They hold
    ``data`` byte for byte (masked or not), unless it is a ``block``.  Of a
    message in several frames they hold a part, which begins at ``before``.
    ``behind`` it stand so many bytes that go with it: the end of its line.
    """

    form: Form
    data: bytes
    ranges: tuple[tuple[int, int], ...]
    block: bool = False
    packet: EnginePacket | None = None
    before: int = 0
    behind: int = 0

    @property
    def is_part(self) -> bool:
        """Whether some of ``data`` stands in other frames."""
        held = sum(end - start for start, end in self.ranges)
        return not self.block and held < len(self.data)

    def covers(self, start: int, end: int) -> bool:
        """Whether the raw bytes ``start`` to ``end`` belong to it."""
        if self.behind and start == self.ranges[-1][1]:
            return end <= start + self.behind
        return any(first <= start and end <= last for first, last in self.ranges)

    def shorter(self, end: bytes) -> Shape:
        """The same without ``end`` behind it, if it has that."""
        if not end or self.block or not self.data.endswith(end):
            return self
        size = len(self.data) - len(end)
        return replace(self, data=self.data[:size], ranges=_part(self, 0, size))

    def raw_of(self, at: int) -> int:
        """Where the byte ``at`` of ``data`` stands in the raw bytes; IndexError if it is not there."""
        if at < self.before:
            raise IndexError(at)
        at -= self.before
        for first, last in self.ranges:
            if at < last - first:
                return first + at
            at -= last - first
        raise IndexError(at)

    def between(self, start: int, end: int) -> bytes:
        """The part of ``data`` that stands in the raw bytes ``start`` to ``end``."""
        at = self.before
        for first, last in self.ranges:
            if first <= start and end <= last:
                return self.data[at + start - first : at + end - first]
            at += last - first
        return b""


def shapes(message: Message, spans: Sequence[Span], fragment: Fragment | None = None) -> tuple[Shape, ...]:
    """The forms of ``message``, whose bytes ``spans`` tile; the outermost first.

    ``fragment`` says what it is of its message, if that came in several frames.
    """
    if message.unit.layer is Layer.HTTP:
        return tuple(_http(message, spans))
    if message.unit.layer is Layer.WEBSOCKET:
        return tuple(_frame(message, fragment))
    if message.unit.layer is Layer.REDIS:
        return tuple(_redis(message))
    # What no decoder claims was written by somebody all the same.
    raw = message.unit.raw
    return (Shape(Form.CHUNKS, raw, ((0, len(raw)),)),)


def _http(message: Message, spans: Sequence[Span]) -> Iterator[Shape]:
    raw, unit = message.unit.raw, message.unit
    head = http.parse_head(raw)
    if not isinstance(head, http.Head):
        return
    yield Shape(Form.HEAD, raw[: head.size], ((0, head.size),))
    at = head.before
    while at < head.size:
        end = raw.index(b"\n", at) + 1
        yield Shape(Form.LINE, raw[at:end], ((at, end),))
        at = end
    if head.size < len(raw):
        yield Shape(Form.CHUNKS, raw[head.size :], ((head.size, len(raw)),))
    inner = [span for span in spans if span.start >= head.size and span.label not in _FRAMING]
    if not inner:
        return
    ranges = _joined((span.start, span.end) for span in inner)
    body = b"".join(raw[start:end] for start, end in ranges)
    yield Shape(Form.BODY, body, ranges)
    content = Shape(Form.CONTENT, unit.payload, ranges, block=body != unit.payload)
    yield content
    texts = unit.payload.split(b"\x1e")
    if len(texts) != len(unit.packets):
        return  # a JSONP call, or a form
    start = 0
    for text, packet in zip(texts, unit.packets, strict=True):
        own = ranges if content.block else _part(content, start, start + len(text))
        yield from _packet(Shape(Form.PACKET, text, own, content.block, packet))
        start += len(text) + 1


def _frame(message: Message, fragment: Fragment | None) -> Iterator[Shape]:
    raw, unit = message.unit.raw, message.unit
    frame = websocket.parse(raw)
    if not isinstance(frame, websocket.Frame):
        return
    yield Shape(Form.FRAME, raw, ((0, len(raw)),))
    ranges = ((frame.head, len(raw)),) if len(raw) > frame.head else ()
    if frame.key:
        masked = raw[frame.head :]
        yield Shape(Form.MASKED, masked, ranges)
        yield Shape(Form.UNMASKED, websocket.unmask(frame.key, masked), ranges)
    if not ranges:
        return
    if fragment is not None:
        whole = Shape(Form.MESSAGE, fragment.whole, ranges, packet=fragment.packet, before=fragment.before)
    elif frame.fin and frame.opcode is not websocket.Opcode.CONTINUATION:
        packet = unit.packets[0] if len(unit.packets) == 1 else None
        whole = Shape(Form.MESSAGE, unit.payload, ranges, bool(frame.rsv & 4), packet)
    else:
        return
    yield replace(whole, packet=None)
    if whole.packet is not None:
        yield from _packet(replace(whole, form=Form.PACKET))


def _packet(whole: Shape) -> Iterator[Shape]:
    """The forms of an Engine.IO packet: itself, and the Socket.IO packet in it."""
    yield whole
    packet = whole.packet
    if packet is not None and packet.socketio is not None and isinstance(packet.data, str):
        inner = whole.ranges if whole.block else _part(whole, 1, len(whole.data))
        before = max(0, whole.before - 1)
        yield replace(whole, form=Form.SOCKET, data=whole.data[1:], ranges=inner, before=before)


def _redis(message: Message) -> Iterator[Shape]:
    """A command is made whole; what Redis says is read line by line, and string by string."""
    raw, side = message.unit.raw, message.unit.side
    reader = Reader(inline=side is Side.CLIENT)
    reader.read(raw)
    if side is Side.CLIENT:
        yield Shape(Form.RESP, raw, ((0, len(raw)),))
    carried = commands.role(message.unit).carries
    queued: Shape | None = None
    for token in reader.tokens:
        begin, end = token.content or (token.end, token.end)
        if side is Side.SERVER:
            yield Shape(Form.LINE, raw[token.start : begin], ((token.start, begin),))
        if token.content is None:
            continue
        if side is Side.SERVER:
            yield Shape(Form.STRING, raw[begin:end], ((begin, end),), behind=2)
        if carried is not None and raw[begin:end] == carried.payload:
            queued = Shape(Form.QUEUED, carried.payload, ((begin, end),))
    if queued is not None:
        yield queued


def _part(whole: Shape, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The raw ranges of ``whole.data[start:end]``."""
    found = []
    at = whole.before
    for first, last in whole.ranges:
        low, high = max(start, at), min(end, at + last - first)
        if low < high:
            found.append((first + low - at, first + high - at))
        at += last - first
    return tuple(found)


def _joined(ranges: Iterator[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for start, end in ranges:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


# ── values ───────────────────────────────────────────────────────────────────

Path = tuple[Any, ...]


def paths(shape: Shape, spans: Sequence[Span]) -> Iterator[tuple[Span, Path, Any]]:
    """The values in the JSON text of ``shape``: span, path from the outermost value, and the value.

    The name of a member has the path of its object, and itself as the value.
    """
    stack: list[Path] = []  # the path of each open array or object
    keys: list[Any] = []  # the next index, or the name that was read last
    for span in spans:
        if not shape.covers(span.start, span.end):
            continue
        if span.label in _OPENING:
            stack.append(_place(stack, keys))
            keys.append(0 if span.label == "Array begins" else None)
        elif span.label in _CLOSING and stack:
            stack.pop()
            keys.pop()
        elif span.label == "Value separator" and keys and isinstance(keys[-1], int):
            keys[-1] += 1
        elif span.label == "Name" or span.label in _VALUES:
            try:
                value = json.loads(shape.between(span.start, span.end))
            except (ValueError, UnicodeDecodeError):
                continue
            if span.label == "Name" and keys:
                keys[-1] = value
                yield span, stack[-1], value
            else:
                yield span, _place(stack, keys), value


def _place(stack: list[Path], keys: list[Any]) -> Path:
    return (*stack[-1], keys[-1]) if stack else ()
