"""Segments that waited for an acknowledgement, each with its four moments.

The rule kept here: the moments count from the segment before, so that the wait
is read off the line; and whether the bytes were there is said, not supposed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from utils.records import Flow
from utils.streams.stalls import Stall
from utils.views import text, wording
from utils.views.markup import Child, element, html, measured
from utils.views.tables import table
from utils.views.view import HTML, View

HEADER = (
    "who waits",
    "bytes",
    "handed to the kernel",
    "acknowledgement comes",
    "on the wire",
    "waited",
)


def stalls(found: Sequence[Stall], name: Callable[[Flow], str]) -> View:
    """One line a stall; ``name`` says whose the flow is."""
    caption = f"{wording.count(len(found), 'packet')} waited for an acknowledgement"
    if found:
        typical = wording.duration(round(median(stall.waited_ns for stall in found)))
        proved = sum(stall.proved for stall in found)
        caption += f", {typical} in the middle; of {proved:,} the program had handed over the bytes before"
    if not found:
        return View(caption, {HTML: html(element("p", caption))})
    rows = [_row(stall, name) for stall in found]
    plain = "\n".join([caption, text.table([HEADER, *rows], right=frozenset({1}))])
    drawn: list[list[Child]] = [[*row[:2], *map(measured, row[2:])] for row in rows]
    return View(plain, {HTML: html(table(caption, HEADER, drawn, right=frozenset({1})))})


def _row(stall: Stall, name: Callable[[Flow], str]) -> list[str]:
    handed = "not recorded" if stall.handed_ns is None else wording.since(stall.handed_ns - stall.before_ns)
    return [
        wording.visible(name(stall.flow)),
        str(stall.size),
        handed,
        wording.since(stall.acknowledged_ns - stall.before_ns),
        wording.since(stall.sent_ns - stall.before_ns),
        wording.duration(stall.waited_ns),
    ]
