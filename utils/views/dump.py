"""Which bytes of a message a view shows, and what each of them means.

The rule kept here: every byte shown belongs to exactly one run, each run to
at most one span, and what is left out is said in numbers.  Text, HTML and the
stepper all draw the same :class:`Dump`.  The bytes of a secret are dots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from utils.records import Message
from utils.redaction import REDACTED, places
from utils.wire.units import Fault, Layer, Span, Unit

#: Bytes in a row of a dump.
ROW = 16
#: How many of a message's first bytes are shown, and how many around the marked ones.
HEAD = 1024
AROUND = 256


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring bytes of one row with one meaning: ``start`` to ``end`` of the message."""

    start: int
    end: int
    span: int | None  # its index in Dump.spans
    marked: bool  # whether the step at hand moved these bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a dump."""

    start: int
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Dump:
    """The shown part of one message.

    ``readable`` is as long as ``raw``, with masked bytes unmasked: the text
    column shows it.  ``windows`` are the shown (start, end) ranges, in order,
    apart from each other, and aligned to whole rows; ``spans`` are those that
    touch them.
    """

    raw: bytes
    readable: bytes
    spans: tuple[Span, ...]
    windows: tuple[tuple[int, int], ...]
    mark: tuple[int, int] | None  # None too where it would be the whole message
    faults: tuple[Fault, ...]

    @property
    def unmasked(self) -> bool:
        """Whether the text column shows other bytes than the hex column."""
        return self.readable != self.raw

    @property
    def hidden(self) -> int:
        """How many of the message's bytes are not shown."""
        return len(self.raw) - sum(end - start for start, end in self.windows)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the shown spans, from the outermost in."""
        found = {span.layer for span in self.spans}
        return tuple(layer for layer in Layer if layer in found)

    def hexes(self, start: int, end: int) -> list[str]:
        """The bytes from ``start`` to ``end``, two digits each; those of a secret are dots."""
        found = [f"{byte:02x}" for byte in self.raw[start:end]]
        for left, right in self._secrets(start, end):
            found[left - start : right - start] = ["··"] * (right - left)
        return found

    def text(self, start: int, end: int) -> str:
        """The same bytes as characters, unmasked."""
        found = characters(self.readable[start:end])
        for left, right in self._secrets(start, end):
            found = found[: left - start] + "·" * (right - left) + found[right - start :]
        return found

    def _secrets(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        for left, right in self._hidden:
            if left < end and start < right:
                yield max(start, left), min(end, right)

    @cached_property
    def _hidden(self) -> tuple[tuple[int, int], ...]:
        """Where secrets stand: as fields, or, in bytes that nobody decodes, behind the names of secrets."""
        found = []
        for span in self.spans:
            if REDACTED in span.value:
                found.append((span.start, span.end))
            elif span.layer is Layer.UNKNOWN:
                text = self.raw[span.start : span.end].decode("latin-1")
                found += [(span.start + left, span.start + right) for left, right in places(text)]
        return tuple(found)

    def marks(self, span: Span) -> bool:
        """Whether the marked bytes touch ``span``."""
        return self.mark is not None and span.start < self.mark[1] and self.mark[0] < span.end

    def marked(self, offset: int) -> bool:
        """Whether the byte at ``offset`` is marked."""
        return self.mark is not None and self.mark[0] <= offset < self.mark[1]

    def rows(self, width: int = ROW) -> Iterator[Row | None]:
        """The rows to draw; None stands for a gap."""
        after = 0
        for start, end in self.windows:
            if start > after:
                yield None
            for row in range(start, end, width):
                yield Row(row, tuple(self._runs(row, min(row + width, end))))
            after = end
        if after < len(self.raw):
            yield None

    def _runs(self, start: int, end: int) -> Iterator[Run]:
        edges = {start, end}
        for bound in self.mark or ():
            if start < bound < end:
                edges.add(bound)
        touching = [(i, s) for i, s in enumerate(self.spans) if s.start < end and start < s.end]
        for _, span in touching:
            edges.update(bound for bound in (span.start, span.end) if start < bound < end)
        cuts = sorted(edges)
        for left, right in pairwise(cuts):
            span_index = next((i for i, s in touching if s.start <= left < s.end), None)
            yield Run(left, right, span_index, self.marked(left))


def dump(message: Message, mark: tuple[int, int] | None = None) -> Dump:
    """What to show of ``message``; ``mark`` is a step's (start, end) in its raw bytes."""
    unit = message.unit
    shown = windows(len(unit.raw), mark)
    spans = tuple(s for s in unit.explain() if any(s.start < end and start < s.end for start, end in shown))
    if mark == (0, len(unit.raw)):
        mark = None
    return Dump(unit.raw, readable(unit), spans, shown, mark, unit.faults)


def windows(length: int, mark: tuple[int, int] | None = None) -> tuple[tuple[int, int], ...]:
    """The head of a message, and what surrounds the marked bytes' beginning."""
    shown = [(0, min(length, HEAD))] if length else []
    if mark is not None and HEAD <= mark[0] < length:
        start = max(HEAD, (mark[0] - AROUND // 2) // ROW * ROW)
        end = min(length, start + AROUND)
        if start == HEAD:
            return ((0, end),)
        shown.append((start, end))
    return tuple(shown)


def readable(unit: Unit) -> bytes:
    """``unit.raw`` with a masked WebSocket payload unmasked (RFC 6455, section 5.3).

    Compressed payloads, and whatever does not unmask to ``unit.payload``, stay
    as they are.
    """
    raw, payload = unit.raw, unit.payload
    head = len(raw) - len(payload)
    if unit.layer is not Layer.WEBSOCKET or not payload or head < 6 or not raw[1] & 0x80:
        return raw
    repeated = (raw[head - 4 : head] * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(raw[head:]) ^ int.from_bytes(repeated)
    return raw[:head] + payload if masked == int.from_bytes(payload) else raw


def characters(data: bytes) -> str:
    """Printable ASCII as it is, every other byte as a middle dot."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in data)
