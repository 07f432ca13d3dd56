"""Exceptions that left functions: where each was raised, through what it passed, and who caught it.

The rule kept here: the line that raised and the line that caught are told
with their files, and what lies between by name; where nothing recorded caught
it, that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from utils.journeys.escapes import Escape
from utils.records import Link, Site
from utils.views import text, wording
from utils.views.calls import place
from utils.views.markup import Child, breakable, html, link
from utils.views.tables import table
from utils.views.view import HTML, View

_HEADER = ["#", "raised in", "passed through", "caught in"]

_NOBODY = "nothing that was recorded"

Linker = Callable[[str, int], Link]


def exceptions(found: Sequence[Escape], linker: Linker, of: str = "") -> View:
    """One row for each exception; ``of`` is the function that they all left."""
    rows = [
        [
            str(number),
            place(one.raised),
            ", ".join(wording.visible(call.code.name) for call in one.left[1:]),
            place(one.caught_at) or _NOBODY,
        ]
        for number, one in enumerate(found, 1)
    ]
    title = wording.count(len(found), "exception") + (f" that left {wording.visible(of)}" if of else "")
    if not rows:
        return View(title, {HTML: html(table(title, _HEADER, []))})
    drawn: list[list[Child]] = [
        [number, _line(one.raised, raised, linker), passed, _line(one.caught_at, caught, linker)]
        for one, (number, raised, passed, caught) in zip(found, rows, strict=True)
    ]
    plain = f"{title}\n{text.table([_HEADER, *rows], right=frozenset({0}))}"
    return View(plain, {HTML: html(table(title, _HEADER, drawn, right=frozenset({0})))})


def _line(site: Site | None, said: str, linker: Linker) -> Child:
    return link(None if site is None else linker(site.code.filename, site.line).url, *breakable(said))
