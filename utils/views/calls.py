"""Calls of one function, side by side: what each was handed, what it gave, and which line asked.

The rule kept here: the line that asked is the caller's, whether the caller was
recorded or not; what was not recorded is left empty, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from utils import libraries
from utils.records import Call, Link, Site
from utils.views import text, wording
from utils.views.markup import Child, breakable, css, element, html, link
from utils.views.tables import table
from utils.views.view import HTML, View

#: The longest text of a value, in characters.
_VALUE = 72

_HEADER = ["#", "asked by", "with", "gives"]

_WRAPPED = css(display="inline-block", max_width="26em", overflow_wrap="anywhere")

Linker = Callable[[str, int], Link]


def calls(name: str, found: Sequence[Call], linker: Linker) -> View:
    """The calls of ``name``, in order; a method's ``self`` is not told."""
    rows = [
        [
            str(number),
            place(call.site),
            ", ".join(_argument(*one) for one in (call.arguments or {}).items()),
            wording.shorten(wording.visible(call.result or ""), _VALUE),
        ]
        for number, call in enumerate(found, 1)
    ]
    title = f"{wording.visible(name)}: {wording.count(len(found), 'call')}"
    drawn: list[list[Child]] = [
        [number, link(_address(call.site, linker), *breakable(asked)), *map(_value, values)]
        for call, (number, asked, *values) in zip(found, rows, strict=True)
    ]
    plain = f"{title}\n{text.table([_HEADER, *rows], right=frozenset({0}))}"
    return View(plain, {HTML: html(table(title, _HEADER, drawn, right=frozenset({0})))})


def place(site: Site | None) -> str:
    """``werkzeug/serving.py:278 WSGIRequestHandler.run_wsgi.<locals>.write``."""
    if site is None:
        return ""
    where = libraries.place(site.code.filename)
    # What has no file, or another name at each run (a notebook's cell), is told by its function.
    if where is None or not (where.library.version or Path(site.code.filename).is_file()):
        return wording.visible(f"line {site.line} of {site.code.name}")
    return wording.visible(f"{where.path}:{site.line} {site.code.name}")


def _address(site: Site | None, linker: Linker) -> str | None:
    return None if site is None else linker(site.code.filename, site.line).url


def _argument(name: str, value: str) -> str:
    return f"{wording.visible(name)}={wording.shorten(wording.visible(value), _VALUE)}"


def _value(content: str) -> Child:
    return element("span", content, style=_WRAPPED)
