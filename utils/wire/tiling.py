"""Spans laid one after the other, so that they tile a unit's bytes.

The rule kept here: the end of one span is the start of the next; whatever the
decoders leave over becomes a span too, labelled as unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable

from utils.wire.units import Layer, Span


class Tiler:
    """Lays spans from ``start`` on; offsets are those of the unit's ``raw``."""

    def __init__(self, start: int = 0) -> None:
        self.at = start
        self.spans: list[Span] = []

    def lay(self, length: int, layer: Layer, label: str, value: str, meaning: str, clause: str = "") -> None:
        """The next ``length`` bytes are one span; nothing happens for none."""
        if length > 0:
            self.spans.append(Span(self.at, self.at + length, layer, label, value, meaning, clause))
            self.at += length

    def copy(self, spans: Iterable[Span], start: int, end: int) -> None:
        """Lay the parts of ``spans``, which tile other bytes, that lie from ``start`` to ``end`` there."""
        for span in spans:
            length = min(span.end, end) - max(span.start, start)
            self.lay(length, span.layer, span.label, span.value, span.meaning, span.clause)

    def rest(self, end: int) -> tuple[Span, ...]:
        """Finish at ``end``: what no decoder claimed is said to be unexplained."""
        self.lay(end - self.at, Layer.UNKNOWN, "Unexplained", "", "No decoder claims these bytes.")
        return tuple(self.spans)


def shown(data: bytes | str, most: int = 60) -> str:
    """Bytes or text as one short line: control characters escaped, the rest cut off."""
    # No character takes more than four bytes: what stands behind is not looked at.
    text = data[: 4 * most + 4].decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    line = text[: most + 1]
    if not line.isprintable():
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return line if len(line) <= most and len(text) <= most else line[: most - 1] + "…"


def byte_length(text: str) -> int:
    """How many bytes ``text`` took on the wire.

    Bytes that are no UTF-8 were decoded to lone surrogates (surrogateescape)
    and count one each; a surrogate that JSON's own escapes made counts three.
    """
    try:
        return len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return len(text.encode("utf-8", "surrogatepass"))
