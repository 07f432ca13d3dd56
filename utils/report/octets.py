"""A chapter's bytes with the lines that wrote and read them, and its time, hop by hop.

The rule kept here: what is not proved is counted before anything is shown; a
time of a traced run says that it is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from utils.provenance.ledger import Entry, Field, Ledger, Part
from utils.provenance.ranges import size
from utils.recording.facts import Facts
from utils.report.blocks import Anchor, Bars, Block, Code, Fold, Grid, Line, Octets, Paragraph, line
from utils.report.chapters import Chapter
from utils.report.prose import message_words
from utils.views import text, wording
from utils.views.dump import dump
from utils.views.ledger import UNEXPLAINED, count, line_of, outsider, same_lines, sentences

#: So many hops are drawn.
MOST_HOPS = 30

#: So many bytes of a row are looked at for its text.
_MOST_TEXT = 60

_HEADER = ("bytes", "layer", "field", "value", "written by", "read by")


def told(chapter: Chapter, main: Ledger, subject: Facts, *, deep: bool) -> Iterator[Block]:
    """The messages of a chapter with what is proved of each; then the one that it is about, byte by byte."""
    yield Paragraph(line(f"{count(chapter.ledgers)}."))
    who = wording.Clients(chapter.messages, subject.clients)
    if len(chapter.ledgers) > 1:
        rows = tuple(
            (
                line(str(number)),
                line(message_words(ledger.message, who)),
                line(Code(wording.shorten(wording.visible(ledger.message.unit.summary), 70))),
                line(f"{len(ledger.message.unit.raw):,}"),
                line(f"{ledger.unwritten:,}"),
                line(f"{ledger.unread:,}"),
            )
            for number, ledger in enumerate(chapter.ledgers, 1)
        )
        header = ("#", "from, to", "message", "bytes", "no writer", "no reader")
        yield Grid("Messages, in the order of cause", header, rows, frozenset({0, 3, 4, 5}))
    if chapter.left_out:
        yield Paragraph(line(f"{wording.count(chapter.left_out, 'more message')} of the same journey."))
    yield from _message(main, subject, deep=deep)
    if deep:
        yield from _others(chapter, main, subject)


def _message(ledger: Ledger, subject: Facts, *, deep: bool) -> Iterator[Block]:
    summary = wording.shorten(wording.visible(ledger.message.unit.summary), 70)
    yield Paragraph(line("This is ", Code(summary), ", as it crossed the wire:"))
    yield Octets(ledger.message)
    yield _fields(ledger, subject, deep=deep)
    for sentence in sentences(ledger):
        yield Paragraph(line(sentence))


def _others(chapter: Chapter, main: Ledger, subject: Facts) -> Iterator[Block]:
    """The other messages; of those that went the same way, the first."""
    seen = {_shape(main)}
    for ledger in chapter.ledgers:
        if _shape(ledger) not in seen:
            seen.add(_shape(ledger))
            summary = wording.shorten(wording.visible(ledger.message.unit.summary), 70)
            blocks = tuple(_message(ledger, subject, deep=True))
            yield Fold(f"{summary}: its bytes, and their lines", blocks)


def _shape(ledger: Ledger) -> tuple[object, ...]:
    """What makes two messages the same: their fields, and the lines that wrote and read them."""
    message = ledger.message
    return (
        message.side,
        *(
            (
                field.span.label,
                *((entry.part, entry.code, entry.line) for entry in (*field.written, *field.read)),
            )
            for field in ledger.fields
        ),
    )


def _fields(ledger: Ledger, subject: Facts, *, deep: bool) -> Grid:
    """Field by field; in a short report what one line wrote and one line read is one row."""
    shown = dump(ledger.message)
    rows = []
    for _, group in groupby(
        enumerate(ledger.fields), key=lambda pair: pair[0] if deep else same_lines(pair[1])
    ):
        fields = [field for _, field in group]
        start, end = fields[0].span.start, fields[-1].span.end
        one = fields[0] if len(fields) == 1 else None
        value = one.span.value if one is not None else shown.text(start, min(end, start + _MOST_TEXT))
        labels = list(dict.fromkeys(wording.visible(field.span.label) for field in fields))
        rows.append(
            (
                line(text.span_range(start, end).partition(" ")[2]),
                line(", ".join(dict.fromkeys(field.span.layer.value for field in fields))),
                line(", ".join(labels[:3]) + (", …" if len(labels) > 3 else "")),
                line(Code(wording.shorten(wording.visible(value), 40))) if value else (),
                _outside(ledger.sender) or _writers(fields, subject),
                _outside(ledger.receiver) or _readers(fields, subject),
            )
        )
    return Grid("Every byte, and its lines", _HEADER, tuple(rows))


def _outside(name: str) -> Line:
    return line(outsider(name)) if name else ()


def _writers(fields: Sequence[Field], subject: Facts) -> Line:
    first = fields[0]
    made = first.step(Part.MADE) or first.writer
    lacking = sum(size(field.unwritten) for field in fields)
    return _proved(
        made, [field.step(Part.VALUE) for field in fields], lacking, fields, subject, "value from "
    )


def _readers(fields: Sequence[Field], subject: Facts) -> Line:
    lacking = sum(size(field.unread) for field in fields)
    owners = [field.step(Part.GIVEN) for field in fields]
    return _proved(fields[0].reader, owners, lacking, fields, subject, "value to ")


def _proved(
    entry: Entry | None,
    owners: Sequence[Entry | None],
    lacking: int,
    fields: Sequence[Field],
    subject: Facts,
    word: str,
) -> Line:
    length = sum(field.span.end - field.span.start for field in fields)
    if lacking == length or entry is None:
        return line(UNEXPLAINED)
    found = [*_anchor(entry, subject)]
    if lacking:
        found.append(f"; {wording.count(lacking, 'byte')} {UNEXPLAINED}")
    others = {(one.code, one.line): one for one in owners if one is not None}
    others.pop((entry.code, entry.line), None)
    for owner in others.values():
        found += ["; ", word, *_anchor(owner, subject)]
    return tuple(found)


def _anchor(entry: Entry, subject: Facts) -> Line:
    where = line_of(entry, subject.link)
    return line(Anchor(where.name, wording.web_link(where.address), code=True))


def times(chapter: Chapter) -> Iterator[Block]:
    """The hops of a chapter, drawn on one axis."""
    hops = chapter.hops[:MOST_HOPS]
    yield Bars(
        "Hop by hop, traced",
        tuple((wording.visible(hop.label), hop.start_ns, hop.end_ns) for hop in hops),
    )
    rest = len(chapter.hops) - len(hops)
    more = f" {wording.count(rest, 'more hop')} are not drawn." if rest else ""
    yield Paragraph(
        line(
            "These are times of a traced run: the tracer’s own cost is in them. They tell where the time "
            f"goes, and not how fast the application is.{more}"
        )
    )
