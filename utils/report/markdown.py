"""The report as Markdown, as a forge shows it.

The rule kept here: nothing that came from outside can become markup: a text is
escaped sign by sign, code stands between more backquotes than it holds.  The
dialect is GitHub's, which other forges and JupyterLab read, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
from utils.views import text, wording
from utils.views.dump import dump
from utils.views.ladder import mermaid_lines

_SIGNS = re.compile(r"([\\`*_\[\]<>|~$])")

#: At a line's beginning these would make a heading or a list of it.
_OPENINGS = re.compile(r"^(\s*)(#{1,6}|[-+]|\d+[.)])(?=\s|$)")
_FENCES = re.compile(r"`+")

#: Characters of a bar that is as long as the whole time.
_BAR = 30


def document(report: Report) -> Iterator[str]:
    """The whole report, piece by piece."""
    yield f"# {escape(report.title)}\n\n"
    yield from _contents(report)
    part = ""
    for section in report.sections():
        if section.part and section.part != part:
            yield f"## {escape(section.part)}\n\n"
        yield from section_text(section, 3 if section.part else 2)
        part = section.part


def section_text(section: Section, level: int, *, named: bool = True) -> Iterator[str]:
    """One section under a heading of that level."""
    if named:
        yield f'<a id="{section.name}"></a>\n\n'
    yield f"{'#' * level} {escape(section.title)}\n\n"
    for block in section.blocks:
        yield from block_text(block, level + 1)


def _contents(report: Report) -> Iterator[str]:
    part = ""
    for name, title, of in report.contents():
        if of and of != part:
            yield f"- {escape(of)}\n"
        part = of
        yield f"{'  ' if of else ''}- [{escape(title)}](#{name})\n"
    yield "\n"


def block_text(block: Block, level: int) -> Iterator[str]:
    """One block with the empty line behind it."""
    match block:
        case Paragraph():
            yield f"{inline(block.line)}\n\n"
        case Question():
            yield f"{'#' * level} {escape(block.text)}\n\n"
        case Points():
            yield "".join(f"- {inline(one)}\n" for one in block.lines) + "\n"
        case Grid():
            yield from _grid(block)
        case Source():
            yield f'<a id="{block.name}"></a>\n\n{inline(block.title)}\n\n'
            yield fenced("\n".join(_source_lines(block)), "python")
        case Picture():
            yield fenced("\n".join(mermaid_lines(block.ladder)), "mermaid")
        case Octets():
            yield fenced("\n".join(text.dump_lines(dump(block.message))), "")
        case Bars():
            yield from _bars(block)
        case Fold():
            yield f"<details>\n<summary>{markup(block.summary)}</summary>\n\n"
            for inner in block.blocks:
                yield from block_text(inner, level)
            yield "</details>\n\n"
        case Verbatim():
            yield fenced(plain_text(block.text), "text")
        case Ask():
            return


def _grid(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(map(escape, grid.header))} |\n"
    yield "|" + "".join(" ---: |" if column in grid.right else " --- |" for column in range(len(grid.header)))
    yield "\n"
    for row in grid.rows:
        yield f"| {' | '.join(inline(cell, in_table=True) for cell in row)} |\n"
    yield "\n"


def _source_lines(block: Source) -> Iterator[str]:
    excerpt = block.excerpt
    lines = wording.source_lines(excerpt)
    width = len(str(max((one[0] for one in lines if one is not None), default=0)))
    for one in lines:
        if one is None:
            yield wording.GAP.rjust(width)
        else:
            yield f"{one[0]:>{width}} {'>' if one[0] == excerpt.current else ' '} {one[1]}".rstrip()


def _bars(bars: Bars) -> Iterator[str]:
    whole = max((end for _, _, end in bars.rows), default=1) or 1
    yield f"| {escape(bars.caption)} | from | took | |\n| --- | ---: | ---: | --- |\n"
    for label, start, end in bars.rows:
        left = round(_BAR * max(0, start) / whole)
        long = max(1, round(_BAR * max(0, end - start) / whole))
        drawn = f"`{'·' * left}{'█' * long}`"
        yield f"| {escape(label)} | {wording.since(start)} | {wording.duration(end - start)} | {drawn} |\n"
    yield "\n"


# ── texts ────────────────────────────────────────────────────────────────────


def inline(line: Line, *, in_table: bool = False) -> str:
    """A line of text."""
    made = "".join(_piece(piece, in_table=in_table) for piece in line).replace("\n", " ")
    return made if in_table else _OPENINGS.sub(r"\1\\\2", made)


def _piece(piece: Piece, *, in_table: bool) -> str:
    match piece:
        case Code():
            return code(piece.text, in_table=in_table)
        case Strong():
            return f"**{escape(piece.text)}**"
        case Anchor():
            shown = code(piece.text, in_table=in_table) if piece.code else escape(piece.text)
            return shown if piece.address is None else f"[{shown}]({_address(piece.address)})"
        case _:
            return escape(piece)


def escape(plain: str) -> str:
    """``plain`` as text that no reader of Markdown takes for anything else."""
    told = "".join("\n" if sign == "\n" else wording.visible(sign) for sign in plain)
    told = told.replace("&", "&amp;")
    return _SIGNS.sub(r"\\\1", told)


def code(plain: str, *, in_table: bool = False) -> str:
    """``plain`` between backquotes."""
    told = wording.visible(plain)
    if not told.strip():
        return ""
    if in_table:
        told = told.replace("|", "\\|")
    marks = "`" * (1 + max(map(len, _FENCES.findall(told)), default=0))
    space = " " if told[0] in "` " or told[-1] in "` " else ""
    return f"{marks}{space}{told}{space}{marks}"


def fenced(plain: str, language: str) -> str:
    """A block of code."""
    plain = "\n".join(wording.visible(one.expandtabs(4)) for one in plain.split("\n"))
    marks = "`" * max(3, 1 + max(map(len, _FENCES.findall(plain)), default=0))
    return f"{marks}{language}\n{plain}\n{marks}\n\n"


def markup(plain: str) -> str:
    """``plain`` inside an element of HTML."""
    told = wording.visible(plain)
    return told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(address: str) -> str:
    """An address between parentheses."""
    return address.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("<", "%3C")
