"""Two sets of versions side by side: the chain, the source and the bytes; and the report's claims.

The rule kept here: the text names every step of both sides, in order, with
what became of it; the HTML shows the same, and opens each step to its source
or its bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from xml.etree.ElementTree import Element

from utils.records import Step, StepKind
from utils.versions.claims import Verdict
from utils.versions.stackdiff import Fate, Row
from utils.views import text, wording
from utils.views.dump import dump
from utils.views.markup import Child, css, element, html, link
from utils.views.tables import table
from utils.views.view import HTML, View

_SIGNS = {
    Fate.SAME: "=",
    Fate.MOVED: "≈",
    Fate.CHANGED: "≠",
    Fate.RENAMED: "~",
    Fate.GONE: "-",
    Fate.NEW: "+",
}
_SOURCE = css(margin=".3em 0", overflow_x="auto", font_size=".85em")


def diff(
    rows: Sequence[Row],
    caption: str,
    versions: tuple[Mapping[str, str], Mapping[str, str]],
    *,
    folded: bool = False,
) -> View:
    """The steps of one journey on two sets of versions; ``folded``, those that stayed are only counted."""
    left, right = versions
    changed = [
        [*map(wording.visible, (name, left.get(name, "none"), right.get(name, "none")))]
        for name in {**left, **right}
        if left.get(name) != right.get(name)
    ]
    fates = Counter(row.fate for row in rows)
    summary = ", ".join(
        f"{fates[fate]} {fate.value} ({sign})" for fate, sign in _SIGNS.items() if fates[fate]
    )
    heading = f"{wording.visible(caption)}: {wording.count(len(rows), 'step')}, {summary}"
    cells: list[list[str]] = []
    drawn: list[list[Child]] = []
    for stayed, group in groupby(rows, key=lambda row: folded and row.fate is Fate.SAME):
        steps = list(group)
        if stayed:
            told = f"{wording.GAP} {wording.count(len(steps), 'step')} the same"
            cells.append([_SIGNS[Fate.SAME], told, ""])
            drawn.append([_sign(Fate.SAME), told, None])
            continue
        cells += [[_SIGNS[row.fate], _cell(row.left), _cell(row.right)] for row in steps]
        drawn += [[_sign(row.fate), _opened(row.left), _opened(row.right)] for row in steps]
    plain = [heading, text.table([["", "left", "right"], *cells])]
    tables = [table(heading, ["", "left", "right"], drawn)]
    if changed:
        plain.insert(0, text.table([["versions", "left", "right"], *changed]))
        tables.insert(0, table("Versions", ["library", "left", "right"], changed))
    return View("\n\n".join(plain), {HTML: html(element("div", *tables))})


def _sign(fate: Fate) -> Element:
    return element("span", _SIGNS[fate], title=fate.value, aria_label=fate.value)


def _cell(step: Step | None) -> str:
    if step is None:
        return ""
    title = wording.shorten(wording.visible(step.title), 60)
    return f"{title}  {wording.file_line(step.excerpt)}" if step.excerpt is not None else title


def _opened(step: Step | None) -> Element | None:
    """A step's name and place, which opens to its source, or of a message to its bytes."""
    if step is None:
        return None
    summary = element("summary", _cell(step))
    if step.kind is StepKind.WIRE and step.message is not None:
        inside = "\n".join(text.dump_lines(dump(step.message)))
    elif step.excerpt is not None:
        inside = "\n".join(text.excerpt_lines(step))
    else:
        return element("span", _cell(step))
    address = step.link.url if step.link is not None else None
    where = link(address, wording.library(step.library)) if step.library is not None else None
    body = element("div", where, element("pre", inside, style=_SOURCE))
    return element("details", summary, body)


class Answer(NamedTuple):
    """A claim with what was found on each set of versions."""

    said: str
    verdicts: tuple[Verdict, ...]


def claims(answers: Sequence[Answer], names: Sequence[str]) -> View:
    """The report's claims, each held against every set of versions."""
    header = ["the report says", *names]
    cells = [
        [answer.said, *(f"{_truth(holds)}: {wording.visible(found)}" for holds, found in answer.verdicts)]
        for answer in answers
    ]
    heading = "The report's claims, as " + " and ".join(names) + " have it"
    counts = ", ".join(
        f"{sum(answer.verdicts[column].holds for answer in answers)} of {len(answers)} true with {name}"
        for column, name in enumerate(names)
    )
    lines = [f"{heading}: {counts}"]
    for answer, row in zip(answers, cells, strict=True):
        lines += ["", answer.said, *(f"  {name}  {cell}" for name, cell in zip(names, row[1:], strict=True))]
    return View("\n".join(lines), {HTML: html(table(f"{heading}: {counts}", header, cells))})


def _truth(holds: bool) -> str:
    return "✓ true" if holds else "✗ not so"
