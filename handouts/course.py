"""The notebooks in their order: what each is called, promises, and asks.

The rule kept here: a title or a question is read from the notebook that has
it, and from nowhere else; so the contents cannot promise what is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from utils.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"

_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"[*`]|(?<!\w)_|_(?!\w)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level, and the anchor of the cell that it stands in."""

    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """One notebook."""

    name: str  # the file's, without .ipynb
    title: str
    promise: str  # the first paragraph below the title
    sections: tuple[Section, ...]
    notebook: NotebookNode


def chapters(folder: Path = FOLDER) -> list[Chapter]:
    """All notebooks of ``folder``, by name.  Raises InputError if there is none."""
    found = [chapter(path.stem, nbformat.read(path, as_version=4)) for path in sorted(folder.glob("*.ipynb"))]
    if not found:
        raise InputError(f"there is no notebook in {folder.name}/", next_step="write one, or name its folder")
    return found


def chapter(name: str, notebook: NotebookNode) -> Chapter:
    """A notebook's facts.  Raises InputError if it has no title."""
    prose = [
        (anchor(cell), _FENCE.sub("", cell.source)) for cell in notebook.cells if cell.cell_type == "markdown"
    ]
    headings = [(where, *heading) for where, source in prose for heading in _headings(source)]
    titles = [title for _, level, title in headings if level == 1]
    if not titles:
        raise InputError(f"{name}.ipynb has no title", next_step="begin its first cell with a line `# ...`")
    sections = tuple(Section(title, where) for where, level, title in headings if level == 2)
    return Chapter(name, titles[0], _promise(prose[0][1]), sections, notebook)


def anchor(cell: NotebookNode) -> str:
    """The id that a cell has in the page."""
    return f"cell-{cell.id}"


def _headings(source: str) -> Iterator[tuple[int, str]]:
    for found in _HEADING.finditer(source):
        yield len(found[1]), plain(found[2])


def _promise(source: str) -> str:
    paragraphs = [text.strip() for text in re.split(r"\n\s*\n", source)]
    return next((plain(text) for text in paragraphs if text and not text.startswith("#")), "")


def plain(markdown: str) -> str:
    """A line of Markdown without its marks."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", markdown)).split())
