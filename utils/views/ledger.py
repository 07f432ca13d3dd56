"""The ledger of a message: who wrote each field, and who read it.

The rule kept here: what is not explained is told first, with its number and
its reason; the same rows stand in the text and in the HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import libraries
from utils.provenance.ledger import Entry, Field, Ledger, Part
from utils.provenance.ranges import size
from utils.records import Link
from utils.views import text, wording
from utils.views.markup import Child, breakable, css, element, html, link
from utils.views.tables import chip, table
from utils.views.view import HTML, View

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
    if place is None or not Path(code.filename).is_file():
        where = f"line {entry.line}" if entry.line else ""
        return Line(wording.visible(" of ".join(filter(None, (where, code.name)))), None)
    proved = linker(entry)
    name = f"{place.path}:{entry.line} {code.name}" if entry.line else f"{place.path} {code.name}"
    return Line(wording.visible(name), proved.url if proved is not None else None)


class _Row(NamedTuple):
    field: Field
    value: Line  # whose value it is
    written: Line
    read: Line
    given: Line  # who gets the value


def _row(field: Field, linker: Linker) -> _Row:
    length = field.span.end - field.span.start

    def told(entry: Entry | None, lacking: int) -> Line:
        line = line_of(entry, linker)
        if not lacking:
            return line
        if lacking == length or not line.name:
            return Line(UNEXPLAINED, None)
        return Line(f"{line.name}; {wording.count(lacking, 'byte')} {UNEXPLAINED}", line.address)

    return _Row(
        field,
        line_of(field.step(Part.VALUE), linker),
        told(field.step(Part.MADE) or field.writer, size(field.unwritten)),
        told(field.reader, size(field.unread)),
        line_of(field.step(Part.GIVEN), linker),
    )


#: Four lines of code stand side by side in a notebook's width: a long name is broken where it may be.
_NARROW = css(display="inline-block", max_width="11em", overflow_wrap="break-word")

_HEADER = ["bytes", "layer", "field", "value", "value from", "written by", "read by", "value to"]


def provenance(
    ledger: Ledger,
    others: Sequence[Ledger],
    linker: Linker,
    clients: Mapping[int, str] | None = None,
    caption: str = "Provenance",
) -> View:
    """One message's ledger, under the count of ``others``, the messages that belong with it."""
    rows = [_row(field, linker) for field in ledger.fields]
    plain_rows = [
        [
            text.span_range(row.field.span.start, row.field.span.end).partition(" ")[2],
            row.field.span.layer.value,
            wording.visible(row.field.span.label),
            wording.shorten(wording.visible(row.field.span.value), 40),
            *(line.name for line in row[1:]),
        ]
        for row in rows
    ]
    lines = [f"{wording.visible(caption)}: {count(others)}"]
    overview = _overview(others, clients) if len(others) > 1 else []
    if overview:
        lines += [text.table(overview, right=frozenset({0, 4, 5, 6})), ""]
    heading = f"{wording.visible(ledger.message.unit.summary)}: {count([ledger])}"
    lines += [heading, text.table([_HEADER, *plain_rows], right=frozenset())]
    broken = list(sentences(ledger))
    lines += broken
    drawn: list[list[Child]] = [
        [
            cells[0],
            chip(row.field.span.layer),
            *cells[2:4],
            *(element("span", link(line.address, *breakable(line.name)), style=_NARROW) for line in row[1:]),
        ]
        for cells, row in zip(plain_rows, rows, strict=True)
    ]
    parts: list[Child] = []
    if overview:
        right = frozenset({0, 4, 5, 6})
        parts.append(table(lines[0], overview[0], overview[1:], right=right))
    else:
        parts.append(element("p", lines[0]))
    parts.append(table(heading, _HEADER, drawn))
    parts += [element("p", sentence) for sentence in broken]
    return View("\n".join(lines), {HTML: html(element("div", *parts))})


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
