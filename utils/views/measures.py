"""What was measured, as a table: each figure with its interval, its floor and its conditions.

The rule kept here: no mean, and no figure without what it is to be held
against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utils.views import text, wording
from utils.views.markup import Child, element, html
from utils.views.tables import table
from utils.views.view import HTML, View


@dataclass(frozen=True, slots=True)
class Measure:
    """One line: times in ns; ``times_floor`` is the median as a multiple of the floor's."""

    name: str
    p50: float
    low: float  # between these two lies the median in 95 of 100 draws
    high: float
    p99: float | None  # None where the next request waits for the last answer: it would flatter
    times_floor: float | None
    rate: float | None  # granted a second, where requests come at their own time
    cpu: float | None  # of the server, for one request
    floor: bool = False
    unanswered: int = 0
    refused: int = 0


HEADER = ("what", "p50", "95 % within", "p99", "× floor", "granted", "server's CPU")


def measures(question: str, rows: Sequence[Measure], conditions: str, missing: Mapping[str, str]) -> View:
    """The rows under their question; ``missing`` says what could not be measured, and why."""
    cells = [_cells(row) for row in rows]
    # What nobody was measured for has no column.
    columns = [place for place in range(len(HEADER)) if any(line[place] for line in cells) or not cells]
    header, cells = _picked(HEADER, columns), [_picked(line, columns) for line in cells]
    notes = [conditions, *(f"not measured: {name}. {why}" for name, why in missing.items())]
    notes += [
        f"{row.name}: {wording.count(row.unanswered, 'request')} unanswered, {row.refused:,} refused"
        for row in rows
        if row.unanswered or row.refused
    ]
    shown = [wording.visible(note) for note in notes]
    right = frozenset(range(1, len(header)))
    plain = "\n".join([question, text.table([header, *cells], right=right), *shown])
    drawn: list[list[Child]] = [list(line) for line in cells]
    page = element("div", table(question, header, drawn, right=right), *(element("p", one) for one in shown))
    return View(plain, {HTML: html(page)})


def _picked(line: Sequence[str], columns: Sequence[int]) -> list[str]:
    return [line[place] for place in columns]


def _cells(row: Measure) -> list[str]:
    return [
        wording.visible(row.name) + (" (floor)" if row.floor else ""),
        wording.duration(round(row.p50)),
        f"{wording.duration(round(row.low))} – {wording.duration(round(row.high))}",
        "" if row.p99 is None else wording.duration(round(row.p99)),
        "" if row.times_floor is None else wording.times(row.times_floor),
        "" if row.rate is None else f"{row.rate:,.0f}/s",
        "" if row.cpu is None else wording.duration(round(row.cpu)),
    ]
