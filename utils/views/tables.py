"""Tables that a notebook shows: the self-check, a list of packets.

The rule kept here: a table has a caption and header cells, so that it can be
heard as well as seen; a state is a word and a sign, never a colour alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from utils.records import Journey, Level, Message, StepKind
from utils.views import text, wording
from utils.views.markup import Child, css, element, html, measured
from utils.views.palette import DARK_INK, FILLS
from utils.views.view import HTML, View
from utils.wire.conformance import Finding
from utils.wire.units import Layer

_CELL = css(padding=".3em .8em .3em 0", text_align="left", vertical_align="top", white_space="pre-wrap")
_NUMBER = css(padding=".3em .8em .3em 0", text_align="right", vertical_align="top", white_space="nowrap")
_TABLE = css(border_collapse="collapse", margin=".4em 0", font_size="inherit")
#: So much of a message is told beside what is wrong with it: a number may be long, and is not broken.
_MESSAGE = 60

_CAPTION = css(caption_side="top", text_align="left", font_weight="bold", padding=".2em 0")


def table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Child]],
    *,
    right: frozenset[int] = frozenset(),
) -> Element:
    """An HTML table; the columns numbered in ``right`` hold numbers, and a name "" heads nothing."""
    return element(
        "table",
        element("caption", caption, style=_CAPTION),
        element("thead", _row("th", header, right)),
        element("tbody", *(_row("td", row, right) for row in rows)),
        style=_TABLE,
    )


def _row(tag: str, cells: Sequence[Child], right: frozenset[int]) -> Element:
    made: list[Child] = []
    for column, cell in enumerate(cells):
        style = _NUMBER if column in right else _CELL
        heads = tag == "th" and cell != ""
        made.append(element("th" if heads else "td", cell, scope="col" if heads else None, style=style))
    return element("tr", *made)


def chip(layer: Layer) -> Element:
    """A layer's name on its own tint and pattern."""
    fill = FILLS[layer]
    style = css(
        background_color=fill.tint.light,
        background_image=fill.pattern,
        color=DARK_INK,
        padding="0 .45em",
        border_radius=".3em",
        white_space="nowrap",
    )
    return element("span", layer.value, style=style)


class Check(NamedTuple):
    """One line of a self-check."""

    name: str  # what is looked at
    found: str  # what is there
    ok: bool
    remedy: str = ""  # what to do where it is not ok


def checks(rows: Sequence[Check], caption: str = "Self-check") -> View:
    """Each line ok, or with its remedy."""
    header = ["state", "what", "found", "what to do"]
    cells = [
        [
            "✓ ok" if row.ok else "✗ mend",
            wording.visible(row.name),
            wording.visible(row.found),
            "" if row.ok else wording.visible(row.remedy),
        ]
        for row in rows
    ]
    if all(row.ok for row in rows):
        header, cells = header[:-1], [row[:-1] for row in cells]
    drawn: list[list[Child]] = [
        [element("span" if row.ok else "b", line[0]), *line[1:]]
        for row, line in zip(rows, cells, strict=True)
    ]
    plain = f"{caption}\n{text.table([header, *cells])}"
    return View(plain, {HTML: html(table(caption, header, drawn))})


def packets(
    messages: Sequence[Message],
    clients: Mapping[int, str] | None = None,
    *,
    start_ns: int | None = None,
    caption: str = "Packets",
    whole: bool = False,
    lost: str = "",
    start: int = 1,
    most: int | None = None,
) -> View:
    """The messages of a capture, one a row: from number ``start`` on, and at most so many.

    ``clients`` names the clients by their ports; times count from ``start_ns``,
    or from the first message.  ``whole``: these are all of them, so that what
    lies between two of one side never came.  ``lost`` says what the capture
    missed (see :func:`utils.views.wording.lost`).
    """
    rows = list(text.packet_rows(messages, clients, start_ns, whole=whole, start=start, most=most))
    plain = text.packets_text(messages, clients, start_ns, whole=whole, start=start, most=most)
    drawn: list[list[Child]] = [
        [number, measured(at), sender, receiver, chip(message.unit.layer), what, size]
        for message, (number, at, sender, receiver, _, what, size) in zip(
            messages[start - 1 : start - 1 + len(rows)], rows, strict=True
        )
    ]
    title = f"{caption}: {wording.count(len(messages), 'message')}"
    if len(rows) < len(messages):
        title += f", here {start:,} to {start - 1 + len(rows):,}" if rows else f", none from {start:,} on"
    title += f"; {lost}" if lost else ""
    return View(
        f"{title}\n{plain}",
        {HTML: html(table(title, text.PACKET_HEADER, drawn, right=frozenset({0, 1, 6})))},
    )


def findings(messages: Sequence[Message], found: Sequence[tuple[int, Finding]]) -> View:
    """Where the traffic departs from its protocols.

    ``found`` holds, with each finding, the place of its message in ``messages``;
    it is told by the number that :func:`packets` gives it.
    """
    size = sum(len(message.unit.raw) for message in messages)
    unexplained = sum(message.unit.unexplained for message in messages)
    share = (
        f"all of {size:,} bytes explained"
        if not unexplained
        else f"{unexplained:,} of {size:,} bytes unexplained"
    )
    total = f"{wording.count(len(found), 'finding')} in {wording.count(len(messages), 'message')}; {share}"
    if not found:
        return View(total, {HTML: html(element("p", total))})
    header = ["#", "side", "what the protocol asks for", "what came", "clause", "message"]
    rows = [
        [
            str(place + 1),
            finding.unit.side.value,
            *map(wording.visible, (finding.rule, finding.got, finding.clause)),
            wording.shorten(wording.visible(finding.unit.summary), _MESSAGE),
        ]
        for place, finding in found
    ]
    plain = f"{total}\n{text.table([header, *rows], right=frozenset({0}))}"
    return View(plain, {HTML: html(table(total, header, rows, right=frozenset({0})))})


def frames(journey: Journey, caption: str = "Calls") -> View:
    """How many calls of which library did a journey's work, for each thread in the order of telling.

    Counted are those of the essential level: how often a thread waits is chance.
    """
    counts: dict[tuple[str, str], Counter[str]] = {}
    for step in journey.at(Level.ESSENTIAL):
        if step.kind is StepKind.CALL and step.library is not None:
            counts.setdefault((step.process, step.thread), Counter())[step.library.name] += 1
    header = ["process", "thread", "library", "calls"]
    rows = [
        [*map(wording.visible, (process, thread, library)), str(number)]
        for (process, thread), found in counts.items()
        for library, number in found.most_common()
    ]
    total = f"{caption}: {sum(int(row[-1]) for row in rows)}, in {wording.count(len(counts), 'thread')}"
    plain = f"{total}\n{text.table([header, *rows], right=frozenset({3}))}"
    return View(plain, {HTML: html(table(total, header, rows, right=frozenset({3})))})
