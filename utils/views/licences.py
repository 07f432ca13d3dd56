"""The licences of libraries: who may do what, what is asked for it, and where it is written.

The rule kept here: each statement stands with its clause, and one that a
library's own copy does not hold is marked; a licence that is not known is said
to be so.  The texts themselves are behind their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from utils.libraries.clauses import TERMS, Clause, Terms
from utils.libraries.licences import WATCHING, Licence
from utils.libraries.terms import identifiers
from utils.views import text, wording
from utils.views.markup import Child, css, element, html, link
from utils.views.tables import table
from utils.views.view import HTML, View

#: What a reader of a licence asks, and where its answer is.
QUESTIONS = ("permits", "asks", "forbids", "does not promise")

#: What a copyleft licence means for a work that contains the library.
COPYLEFT = {
    "GPL-2.0-only": "a copyleft licence. Whoever passes it on together with other code, as one work (an "
    "image, an installer), passes the whole on under it (section 2 (b)). The Free Software Foundation holds "
    "the Apache License 2.0 to be incompatible with it (https://www.gnu.org/licenses/license-list.html#apache2)."
}

#: What it means that the lab itself is written with such a library.
WATCHED = (
    "The lab uses it; an application that is recorded never imports it, and does not become part of the same "
    "work. What it puts out is not covered either (section 0): a recording and a report are yours, under "
    "terms of your choice."
)

_TEXT = css(
    max_height="24em", overflow="auto", white_space="pre-wrap", font_size=".85em", padding=".5em .7em"
)


def licences(found: Sequence[Licence], caption: str = "Licences") -> View:
    """Each library with its licence; then each licence with its terms; then the texts."""
    header = ["library", "licence", "known from", "repository"]
    rows = [_row(one) for one in found]
    plain = [caption, text.table([header, *rows])]
    drawn: list[list[Child]] = [
        [row[0], link(spdx_page(one), row[1]), row[2], link(one.library.home, row[3])]
        for one, row in zip(found, rows, strict=True)
    ]
    parts: list[Child] = [table(caption, header, drawn)]
    for terms in _named(found):
        holders = [one for one in found if terms in one.terms]
        plain += ["", *terms_lines(terms, holders)]
        parts.append(terms_element(terms, holders))
    for sentence in _remarks(found):
        plain += ["", sentence]
        parts.append(element("p", sentence))
    parts += [texts_element(one) for one in found if one.texts]
    return View("\n".join(plain), {HTML: html(element("div", *parts))})


def name_of(licence: Licence) -> str:
    """SPDX's expression; or that it is not known."""
    return wording.visible(licence.expression) or "✗ not known"


def spdx_page(licence: Licence) -> str | None:
    """Where SPDX has the licence's text, if it is one licence."""
    return f"https://spdx.org/licenses/{licence.expression}.html" if licence.expression in TERMS else None


def answers(terms: Terms) -> tuple[tuple[str, tuple[Clause, ...]], ...]:
    """The questions with their statements."""
    return tuple(zip(QUESTIONS, (terms.permits, terms.asks, terms.forbids, terms.denies), strict=True))


def statement(clause: Clause, holders: Sequence[Licence]) -> str:
    """``to change it (section 2)``; and whose own copy does not say so."""
    lacking = [wording.visible(one.library.name) for one in holders if clause in one.unproved]
    doubt = f"; ✗ not found in the copy of {', '.join(lacking)}" if lacking else ""
    return f"{clause.said} ({clause.clause}{doubt})"


def terms_lines(terms: Terms, holders: Sequence[Licence]) -> Iterator[str]:
    """One licence as text."""
    yield _heading(terms, holders)
    for question, clauses in answers(terms):
        told = [statement(clause, holders) for clause in clauses] or ["nothing"]
        yield f"  {question}"
        yield from (f"    - {one}" for one in told)


def terms_element(terms: Terms, holders: Sequence[Licence]) -> Element:
    """One licence as a table with a column for each question; a statement shows its words when pointed at."""
    cells: list[Child] = []
    for _, clauses in answers(terms):
        told = [
            element(
                "li", statement(clause, holders), title=f"“{clause.words}”", style=css(margin="0 0 .25em")
            )
            for clause in clauses
        ]
        cells.append(element("ul", *told, style=css(margin="0", padding="0 0 0 1em")) if told else "nothing")
    return table(_heading(terms, holders), list(QUESTIONS), [cells])


def texts_element(licence: Licence) -> Element:
    """The licence files of one library, to be opened."""
    name = wording.library(licence.library)
    files = ", ".join(wording.visible(one.name) for one in licence.texts)
    return element(
        "details",
        element("summary", f"{name}: {files}"),
        *(element("pre", one.text.strip("\n"), style=_TEXT, tabindex="0") for one in licence.texts),
    )


def _row(licence: Licence) -> list[str]:
    return [
        wording.library(licence.library),
        name_of(licence),
        wording.visible(licence.basis),
        wording.visible(licence.library.home or "not stated"),
    ]


def _heading(terms: Terms, holders: Sequence[Licence]) -> str:
    who = ", ".join(wording.visible(one.library.name) for one in holders)
    return f"{terms.title} ({terms.spdx}): {who}"


def _named(found: Sequence[Licence]) -> list[Terms]:
    """The licences of which something is known, those of most libraries first."""
    counts: dict[str, int] = {}
    for one in found:
        for terms in one.terms:
            counts[terms.spdx] = counts.get(terms.spdx, 0) + 1
    return [TERMS[spdx] for spdx in sorted(counts, key=lambda spdx: (-counts[spdx], spdx))]


def _remarks(found: Sequence[Licence]) -> Iterator[str]:
    for one in found:
        name = wording.visible(one.library.name)
        if not one.known:
            yield f"The licence of {name} is not known: {wording.visible(one.basis)}."
        elif one.unread:
            named = ", ".join(map(wording.visible, one.unread))
            yield f"Of {named}, which {name} names, nothing is told here: read its text."
        if not one.texts:
            yield f"The text of {name}'s licence is not at hand: nothing of it was looked up."
        for spdx, meaning in COPYLEFT.items():
            if spdx in identifiers(one.expression):
                yield f"{name} is under {meaning}"
                if one.library.name in WATCHING:
                    yield WATCHED
