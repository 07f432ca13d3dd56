"""What an application registered and what it did, as two tables: the report in small.

The rule kept here: what was registered and never called stands beside what was,
and says so in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from utils import libraries
from utils.deeds.finding import Deed, Deeds
from utils.records import Site
from utils.views import text, wording
from utils.views.markup import element, html
from utils.views.tables import table
from utils.views.view import HTML, View


def deeds(found: Deeds) -> View:
    """The deeds by kind, each with its count and its function; then what was registered."""
    rows = [
        [deed.kind.value, wording.visible(deed.name), f"{deed.times:,}", _function(deed), _place(deed.site)]
        for deed in found.told
    ]
    told = ["kind", "deed", "times", "the application's function", "its line"]
    parts: list[tuple[str, Sequence[str], list[list[str]]]] = [(_caption(len(rows)), told, rows)]
    if found.registered.seen:
        header = ["registered", "for", "function", "at", "called"]
        parts.append(("What it registered", header, [*_handlers(found), *_routes(found)]))
    plain = "\n\n".join(f"{caption}\n{text.table([header, *cells])}" for caption, header, cells in parts)
    drawn = element("div", *(table(caption, header, cells) for caption, header, cells in parts))
    return View(plain, {HTML: html(drawn)})


def _caption(number: int) -> str:
    return f"What the application did: {wording.count(number, 'different thing')}"


def _handlers(found: Deeds) -> Iterator[list[str]]:
    for handler in found.registered.handlers:
        where = f"{handler.event} in {handler.namespace or '?'}"
        called = "yes" if found.handled(handler) else "✗ never called"
        yield [
            "handler",
            *map(wording.visible, (where, handler.function or "?")),
            _place(handler.site),
            called,
        ]


def _routes(found: Deeds) -> Iterator[list[str]]:
    for route in found.registered.routes:
        called = "yes" if route in found.asked else "✗ never asked for"
        yield [
            "route",
            *map(wording.visible, (route.rule, route.endpoint or "?")),
            _place(route.site),
            called,
        ]


def _function(deed: Deed) -> str:
    return wording.visible(deed.functions[0].name) if deed.functions else ""


def _place(site: Site | None) -> str:
    """``scenarios/guestbook.py:27``."""
    where = None if site is None else libraries.place(site.code.filename)
    return "" if where is None or site is None else wording.visible(f"{where.path}:{site.line}")
