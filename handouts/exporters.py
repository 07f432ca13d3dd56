"""The two exporters: nbconvert's own for pages and for slides, with this folder's templates.

The rule kept here: what a page looks like stands in templates/ and static/; an
exporter only tells the template what the notebook cannot know of itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter, SlidesExporter
from nbformat import NotebookNode
from traitlets.config import Config

from handouts import solutions, widgets
from handouts.course import Chapter, anchor
from handouts.links import Links

TEMPLATES = Path(__file__).resolve().parent / "templates"


class _Handout(HTMLExporter):
    """What pages and slides have in common."""

    def __init__(self, links: Links, contents: list[Chapter]) -> None:
        super().__init__(
            Config(),
            extra_template_basedirs=[str(TEMPLATES)],
            # Whoever embeds them parses the prose piece by piece: a fold would end before what it hides.
            embed_images=False,
            exclude_anchor_links=True,
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        self._contents = contents
        for name, function in {"lead": links.lead, "anchor": anchor, "grouped": grouped}.items():
            self.register_filter(name, function)

    def page(self, chapter: Chapter, notebook: NotebookNode) -> str:
        """The page of ``chapter``, from its notebook that was run."""
        place = self._contents.index(chapter)
        notebook = solutions.set_apart(notebook)
        found = widgets.gather(notebook)
        told: dict[str, Any] = {
            "metadata": {"name": chapter.name, "path": ""},
            "chapter": chapter,
            "contents": self._contents,
            "previous": self._contents[place - 1] if place else None,
            "next": self._contents[place + 1] if place + 1 < len(self._contents) else None,
            "widgets": found,
        }
        made, _ = self.from_notebook_node(notebook, told)
        return str(made)

    def contents(self) -> str:
        """The page that leads to all others."""
        template = self.environment.get_template("contents.html.j2")
        return str(template.render(contents=self._contents))


def grouped(markup: str) -> str:
    """An output's sections as groups: reveal.js takes a section for a slide, readers for a landmark."""
    tree = BeautifulSoup(markup, "html.parser")
    for section in tree.find_all("section"):
        section.name = "div"
        section["role"] = "group"
    return str(tree)


class BookExporter(_Handout):
    """A notebook as a page of the book."""

    template_name = "book"


class DeckExporter(_Handout, SlidesExporter):
    """A notebook as a deck of slides."""

    template_name = "slides"
