"""Puts a hand-out together: pages, contents, the files that are linked, and what they are shown with.

The rule kept here: a folder below build/ is made anew and whole, or stays as
it was; all links in it are relative, so that it may be moved or served.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from handouts import assets
from handouts.course import ROOT, Chapter
from handouts.exporters import BookExporter, DeckExporter
from handouts.highlighting import style_sheet
from handouts.links import FILES, Links

if TYPE_CHECKING:
    from handouts.exporters import _Handout

#: A linked file longer than this is not shown whole.
LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two hand-outs."""

    exporter: type[_Handout]
    packages: dict[str, str]  # files of npm packages, and their names here
    own: list[str]  # files of static/


#: The window that shows a speaker the notes.
SPEAKER = ["speaker.html", "speaker.css", "speaker.js"]

KINDS = {
    "book": Kind(
        BookExporter,
        assets.MERMAID,
        ["base.css", "book.css", "widgets.js", "diagrams.js", "reach.js"],
    ),
    "slides": Kind(
        DeckExporter,
        {**assets.MERMAID, **assets.REVEAL},
        ["base.css", "book.css", "slides.css", "widgets.js", "diagrams.js", "reach.js", "deck.js", *SPEAKER],
    ),
}


def build(kind: str, chapters: Sequence[Chapter], notebooks: Sequence[NotebookNode], folder: Path) -> Path:
    """Write the hand-out of ``kind`` into ``folder``; returns its first page.

    ``notebooks`` are the chapters' notebooks as they were run.  Raises LabError
    if a link leads nowhere, or something to show it with is missing.
    """
    made = KINDS[kind]
    links = Links({chapter.name for chapter in chapters})
    exporter = made.exporter(links, list(chapters))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fresh = Path(scratch) / folder.name
        assets.copy(made.packages, made.own, fresh / "assets")
        (fresh / "assets" / "code.css").write_text(style_sheet(), encoding="utf-8")
        for chapter, notebook in zip(chapters, notebooks, strict=True):
            (fresh / f"{chapter.name}.html").write_text(exporter.page(chapter, notebook), encoding="utf-8")
        (fresh / "index.html").write_text(exporter.contents(), encoding="utf-8")
        for path in sorted(links.files):
            target = fresh / FILES / f"{path}.html"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_file_page(exporter, path), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    return folder / "index.html"


def _file_page(exporter: _Handout, path: str) -> str:
    """A file of the repository as a page; of a folder, what is in it."""
    source = ROOT / path
    if source.is_dir():
        names = sorted(f"{one.name}{'/' if one.is_dir() else ''}" for one in source.iterdir())
        shown = (
            f"<pre>{escape(chr(10).join(name for name in names if not name.startswith(('.', '__'))))}</pre>"
        )
    else:
        shown = _coloured(source)
    up = "../" * len(PurePosixPath(FILES, path).parent.parts)
    template = exporter.environment.get_template("file.html.j2")
    return str(template.render(path=path, shown=shown, up=up))


def _coloured(source: Path) -> str:
    try:
        text = source.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return f"<p>{source.stat().st_size:,} bytes, and no text.</p>"
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters\n"
    try:
        lexer = get_lexer_for_filename(source.name)
    except ClassNotFound:
        lexer = TextLexer()
    return str(highlight(text, lexer, HtmlFormatter(linespans="line")))
