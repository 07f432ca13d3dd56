"""The ledger of a message: who wrote each field, and who read it.

The rule kept here: what is not explained is told first, with its number and
its reason; the same rows stand in the text and in the HTML.  Of a message with
many fields, those that one line wrote and one line read stand together first,
and each by itself behind a fold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from utils import libraries
from utils.provenance.ledger import Entry, Field, Ledger, Part
from utils.provenance.ranges import size
from utils.records import Link
from utils.views import text, wording
from utils.views.dump import dump
from utils.views.markup import Child, breakable, css, element, html, link
from utils.views.tables import chip, table
from utils.views.view import HTML, View
from utils.wire.units import Layer

Linker = Callable[[Entry], Link | None]

#: In the place of a line that is not known.
UNEXPLAINED = "✗ unexplained"


class Line(NamedTuple):
    """A line of code, as it is named and where it can be read."""

    name: str
    address: str | None


def line_of(entry: Entry | None, linker: Linker) -> Line:
    """``socketio/packet.py:64 Packet.encode``; the function alone where there is no file to read."""
    if entry is None or entry.code is None:
        return Line("", None)
    code = entry.code
    place = libraries.place(code.filename)
    # What has no file, or another name at each run (a notebook's cell), is told by its function.
    if place is None or not (place.library.version or Path(code.filename).is_file()):
        where = f"line {entry.line}" if entry.line else ""
        return Line(wording.visible(" of ".join(filter(None, (where, code.name)))), None)
    proved = linker(entry)
    name = f"{place.path}:{entry.line} {code.name}" if entry.line else f"{place.path} {code.name}"
    return Line(wording.visible(name), proved.url if proved is not None else None)


class _Row(NamedTuple):
    """One field, or neighbours that the same lines wrote and read."""

    fields: Sequence[Field]
    said: str  # what stands there
    values: Sequence[Line]  # whose value it is
    written: Line
    read: Line
    given: Sequence[Line]  # who gets the value

    @property
    def cells(self) -> list[str]:
        """The row as text: the bytes, the layers, the fields, what they say, and the four kinds of lines."""
        spans = [field.span for field in self.fields]
        labels = list(dict.fromkeys(wording.visible(span.label) for span in spans))
        return [
            text.span_range(spans[0].start, spans[-1].end).partition(" ")[2],
            ", ".join(layer.value for layer in self.layers),
            ", ".join(labels[:_MOST_LABELS]) + (", …" if len(labels) > _MOST_LABELS else ""),
            wording.shorten(wording.visible(self.said), 40),
            *("; ".join(line.name for line in lines) for lines in (self.values, [self.written], [self.read])),
            "; ".join(line.name for line in self.given),
        ]

    @property
    def layers(self) -> list[Layer]:
        return list(dict.fromkeys(field.span.layer for field in self.fields))


#: From so many fields on, those with the same lines are told together first.
FOLDED = 24

#: So many kinds of fields are named in a row.
_MOST_LABELS = 3

#: So many bytes of neighbours are looked at for what they say.
_MOST_SAID = 60


def same_lines(field: Field) -> tuple[object, ...]:
    """What two neighbours must have in common to be told together: who wrote, who read, what is lacking."""
    made, read = field.step(Part.MADE) or field.writer, field.reader
    return (
        made and (made.code, made.line),
        read and (read.code, read.line),
        bool(field.unwritten),
        bool(field.unread),
    )


def _row(ledger: Ledger, fields: Sequence[Field], said: str, linker: Linker) -> _Row:
    length = sum(field.span.end - field.span.start for field in fields)

    def told(entry: Entry | None, lacking: int, outside: str) -> Line:
        line = line_of(entry, linker)
        if outside:
            return Line(outsider(outside), None)
        if not lacking:
            return line
        if lacking == length or not line.name:
            return Line(UNEXPLAINED, None)
        return Line(f"{line.name}; {wording.count(lacking, 'byte')} {UNEXPLAINED}", line.address)

    def owners(part: Part) -> list[Line]:
        lines = (line_of(field.step(part), linker) for field in fields)
        return list(dict.fromkeys(line for line in lines if line.name))

    first = fields[0]
    return _Row(
        fields,
        said,
        owners(Part.VALUE),
        told(
            first.step(Part.MADE) or first.writer,
            sum(size(field.unwritten) for field in fields),
            ledger.sender,
        ),
        told(first.reader, sum(size(field.unread) for field in fields), ledger.receiver),
        owners(Part.GIVEN),
    )


def _together(ledger: Ledger, linker: Linker) -> Iterator[_Row]:
    """The fields, those together that the same lines wrote and read."""
    shown = dump(ledger.message)
    for _, group in groupby(ledger.fields, key=same_lines):
        fields = list(group)
        start, end = fields[0].span.start, fields[-1].span.end
        said = fields[0].span.value if len(fields) == 1 else shown.text(start, min(end, start + _MOST_SAID))
        yield _row(ledger, fields, said, linker)


_HEADER = ["bytes", "layer", "field", "value", "value from", "written by", "read by", "value to"]
_DRAWN = ["bytes", "layer", "field", "value", "written by", "read by"]

_SECOND = css(display="block", opacity=".85", padding_left="1em")
_BYTES = css(white_space="nowrap")


def _drawn(row: _Row) -> list[Child]:
    """The row as it is drawn: whose value it is stands below the line that wrote it."""
    chips: list[Child] = []
    for layer in row.layers:
        chips += [chip(layer), " "]
    cells = row.cells
    return [
        element("span", cells[0], style=_BYTES),
        element("span", *chips[:-1]),
        *cells[2:4],
        _lines(row.written, "value from ", row.values),
        _lines(row.read, "value to ", row.given),
    ]


def _lines(line: Line, word: str, owners: Sequence[Line]) -> Element:
    others = [owner for owner in owners if owner != line]
    return element(
        "span",
        link(line.address, *breakable(line.name)),
        *(
            element("span", word, link(owner.address, *breakable(owner.name)), style=_SECOND)
            for owner in others
        ),
    )


def provenance(
    ledger: Ledger,
    others: Sequence[Ledger],
    linker: Linker,
    clients: Mapping[int, str] | None = None,
    caption: str = "Provenance",
) -> View:
    """One message's ledger, under the count of ``others``, the messages that belong with it."""
    lines = [f"{wording.visible(caption)}: {count(others)}"]
    overview = _overview(others, clients) if len(others) > 1 else []
    parts: list[Child] = []
    if overview:
        right = frozenset({0, 4, 5, 6})
        lines += [text.table(overview, right=right), ""]
        parts.append(table(lines[0], overview[0], overview[1:], right=right))
    else:
        parts.append(element("p", lines[0]))
    summary = wording.shorten(wording.visible(ledger.message.unit.summary), 70)
    heading = f"{summary}: {count([ledger])}"
    rows = [_row(ledger, [field], field.span.value, linker) for field in ledger.fields]
    each = table(heading, _DRAWN, [_drawn(row) for row in rows])
    told = [heading, text.table([_HEADER, *(row.cells for row in rows)], right=frozenset())]
    if len(rows) > FOLDED:
        together = list(_together(ledger, linker))
        title = f"Field by field: {wording.count(len(rows), 'field')}"
        parts.append(table(heading, _DRAWN, [_drawn(row) for row in together]))
        each = table(heading, _DRAWN, [_drawn(row) for row in rows])
        parts.append(element("details", element("summary", title), each))
        lines += [heading, text.table([_HEADER, *(row.cells for row in together)], right=frozenset()), ""]
        lines += [title, *told[1:]]
    else:
        parts.append(each)
        lines += told
    broken = list(sentences(ledger))
    lines += broken
    parts += [element("p", sentence) for sentence in broken]
    return View("\n".join(lines), {HTML: html(element("div", *parts))})


def outsider(name: str) -> str:
    """A program of which no call is known: ``Redis, which was not traced``."""
    return f"{wording.visible(name)}, which was not traced"


def count(ledgers: Sequence[Ledger]) -> str:
    """How many bytes there are, and how many of them are not explained, in words."""
    total = sum(len(ledger.message.unit.raw) for ledger in ledgers)
    missing = sum(ledger.unexplained for ledger in ledgers)
    words = [
        f"{wording.count(total, 'byte')} in {wording.count(len(ledgers), 'message')}",
        f"{missing:,} unexplained",
    ]
    unreceived = sum(ledger.unreceived for ledger in ledgers)
    if unreceived:
        words.append(f"{unreceived:,} never received by a traced process")
    for word, who in (("written", "sender"), ("read", "receiver")):
        outside: Counter[str] = Counter()
        for ledger in ledgers:
            outside[getattr(ledger, who)] += len(ledger.message.unit.raw)
        words += [f"{size_:,} {word} by {outsider(name)}" for name, size_ in outside.items() if name]
    unused = sum(ledger.unused for ledger in ledgers)
    if unused:
        words.append(f"{unused:,} left unread after the Close")
    return ", ".join(words)


def _overview(ledgers: Sequence[Ledger], clients: Mapping[int, str] | None) -> list[list[str]]:
    who = wording.Clients([ledger.message for ledger in ledgers], clients)
    rows = [["#", "from", "to", "what", "bytes", "no writer", "no reader"]]
    for number, ledger in enumerate(ledgers, 1):
        sender, receiver = who.ends(ledger.message)
        what = wording.shorten(wording.visible(ledger.message.unit.summary), 70)
        length = len(ledger.message.unit.raw)
        rows.append(
            [
                str(number),
                sender,
                receiver,
                what,
                f"{length:,}",
                f"{ledger.unwritten:,}",
                f"{ledger.unread:,}",
            ]
        )
    return rows


def sentences(ledger: Ledger) -> list[str]:
    """Each step that recorded something else than the wire has."""
    found = []
    for one in ledger.breaks:
        where = ", ".join(text.span_range(start, end) for start, end in one.ranges)
        found.append(f"✗ {where}: {wording.visible(one.why)}")
    return found
