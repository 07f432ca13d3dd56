"""The report as one HTML page that needs nothing else: no script, no network.

The rule kept here: every element is made by the views' own markup, which
escapes whatever enters; the page's policy forbids it to ask for anything, or to
run anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from xml.etree.ElementTree import Element

from utils.report.blocks import (
    Anchor,
    Ask,
    Bars,
    Block,
    Code,
    Fold,
    Grid,
    Line,
    Octets,
    Paragraph,
    Picture,
    Piece,
    Points,
    Question,
    Section,
    Source,
    Strong,
    Verbatim,
    plain_text,
)
from utils.report.sections import Report
from utils.views import html, ladder, wording
from utils.views.highlight import highlight
from utils.views.markup import breakable, css, element
from utils.views.markup import html as markup

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(report: Report) -> Iterator[str]:
    """The whole page, piece by piece."""
    yield '<!doctype html>\n<html lang="en">\n'
    yield markup(_head(report.title)) + "\n<body>\n"
    yield markup(element("a", "Skip to the report", href="#report", class_="skip"))
    yield markup(element("header", element("h1", report.title))) + "\n"
    yield markup(_contents(report)) + '\n<main id="report">\n'
    part = ""
    for section in report.sections():
        if section.part and section.part != part:
            yield markup(element("h2", section.part)) + "\n"
        part = section.part
        yield from _section(section, 3 if section.part else 2)
    yield "</main>\n</body>\n</html>\n"


def _head(title: str) -> Element:
    style = element("style")
    style.text = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        style,
    )


def _contents(report: Report) -> Element:
    items: list[Element] = []
    below = element("ol")
    part = ""
    for name, title, of in report.contents():
        entry = element("li", element("a", title, href=f"#{name}"))
        if of and of != part:
            below = element("ol")
            items.append(element("li", of, below))
        part = of
        (below if of else items).append(entry)
    return element(
        "nav",
        element("details", element("summary", "Contents"), element("ol", *items), open="open"),
        aria_label="Contents",
    )


def _section(section: Section, level: int) -> Iterator[str]:
    heading = f"{section.name}-heading"
    yield f'<section id="{section.name}" aria-labelledby="{heading}">\n'
    yield markup(element(f"h{level}", section.title, id=heading)) + "\n"
    for block in section.blocks:
        made = block_element(block, level + 1)
        if made is not None:
            yield markup(made) + "\n"
    yield "</section>\n"


def block_element(block: Block, level: int) -> Element | None:
    """One block; None for what only a notebook shows."""
    match block:
        case Paragraph():
            return element("p", *_inline(block.line))
        case Question():
            return element(f"h{level}", block.text)
        case Points():
            return element("ul", *(element("li", *_inline(one)) for one in block.lines))
        case Grid():
            return _scrolling(_grid(block), block.caption)
        case Source():
            return _source(block)
        case Picture():
            return _picture(block)
        case Octets():
            return element("div", _by_keys(html.bytes_element(block.message)), class_="octets")
        case Bars():
            return _scrolling(_bars(block), block.caption)
        case Fold():
            made = (block_element(inner, level) for inner in block.blocks)
            return element("details", element("summary", block.summary), *made)
        case Verbatim():
            return element("pre", plain_text(block.text), class_="verbatim", tabindex="0")
        case Ask():
            return None


def _scrolling(table: Element, label: str) -> Element:
    """A table that is wider than its page moves by itself, by the keys, too."""
    return element("div", table, class_="wide", role="group", aria_label=label, tabindex="0")


def _by_keys(made: Element) -> Element:
    """What is wider than a phone moves by the keys, too."""
    for block in made.iter("pre"):
        block.set("tabindex", "0")
    return made


def _grid(grid: Grid) -> Element:
    def row(tag: str, cells: tuple[Line, ...]) -> Element:
        scope = "col" if tag == "th" else None
        return element(
            "tr",
            *(
                element(tag, *_inline(cell), scope=scope, class_="number" if column in grid.right else None)
                for column, cell in enumerate(cells)
            ),
        )

    header = tuple((title,) for title in grid.header)
    head = element("thead", row("th", header)) if any(grid.header) else None
    return element(
        "table",
        element("caption", grid.caption, class_="heard" if grid.quiet else None),
        head,
        element("tbody", *(row("td", one) for one in grid.rows)),
    )


def _source(block: Source) -> Element:
    lines = wording.source_lines(block.excerpt)
    pieces = highlight(["" if line is None else line[1] for line in lines])
    width = len(str(max((line[0] for line in lines if line is not None), default=0)))
    drawn: list[Element | str] = []
    for line, coloured in zip(lines, pieces, strict=True):
        if line is None:
            drawn.append(element("span", f"{wording.GAP:>{width}}\n", class_="gap"))
            continue
        current = line[0] == block.excerpt.current
        code = [element("span", text, class_=f"t-{kind}") if kind else text for kind, text in coloured]
        sign = "▶" if current else " "
        drawn.append(
            element(
                "mark" if current else "span",
                element("span", f"{line[0]:>{width}} {sign} ", class_="line"),
                *code,
                "\n",
            )
        )
    return element(
        "figure",
        element("figcaption", *_inline(block.title)),
        element("pre", *drawn, tabindex="0"),
        id=block.name,
        class_="source",
    )


def _picture(block: Picture) -> Element:
    laid = block.ladder
    return element(
        "figure",
        element("div", ladder.svg(laid), class_="wide", role="group", aria_label="Ladder", tabindex="0"),
        element("figcaption", laid.sentence),
        element(
            "details",
            element("summary", "The same as text"),
            element("pre", "\n".join(ladder.ladder_lines(laid)), tabindex="0"),
        ),
    )


def _bars(bars: Bars) -> Element:
    whole = max((end for _, _, end in bars.rows), default=1) or 1
    rows = []
    for label, start, end in bars.rows:
        left = 100 * max(0, start) / whole
        long = max(0.3, 100 * max(0, end - start) / whole)
        bar = element(
            "span",
            style=css(margin_left=f"{min(left, 99.7):.2f}%", width=f"{min(long, 100 - left):.2f}%"),
            class_="bar",
        )
        rows.append(
            element(
                "tr",
                element("td", label),
                element("td", wording.since(start), class_="number"),
                element("td", wording.duration(end - start), class_="number"),
                element("td", bar, class_="bars", aria_hidden="true"),
            )
        )
    header = element(
        "tr",
        *(element("th", title, scope="col") for title in ("hop", "from", "took")),
        element("th", "on one axis", scope="col", class_="bars"),
    )
    return element(
        "table", element("caption", bars.caption), element("thead", header), element("tbody", *rows)
    )


def _inline(line: Line) -> list[Element | str | None]:
    found: list[Element | str | None] = []
    for piece in line:
        found += _piece(piece)
    return found


def _piece(piece: Piece) -> list[Element | str | None]:
    match piece:
        case Code():
            return [element("code", *breakable(piece.text))] if piece.text else []
        case Strong():
            return [element("strong", piece.text)]
        case Anchor():
            inner = element("code" if piece.code else "span", *breakable(piece.text))
            if piece.address is None:
                return [inner]
            if piece.address.startswith("#"):
                return [element("a", inner, href=piece.address)]
            return [element("a", inner, href=wording.web_link(piece.address), rel="noopener noreferrer")]
        case _:
            return [piece]
