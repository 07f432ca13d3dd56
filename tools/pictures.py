"""The pictures in a notebook's outputs, and the text that stands for each.

The rule kept here: a picture is whatever carries facts by its shape: an image,
an SVG, a diagram, a map of bytes.  What no reader can hear is found, and not
guessed at.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from nbformat import NotebookNode

MERMAID = "text/vnd.mermaid"

#: The stepper holds byte maps, too, but they are not what it shows first.
_STEPPER = "lab-journey"
_BYTES = "lab-message"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: the cell that made it, its ``kind``, and what is read out instead of it."""

    cell: str
    kind: str  # "image", "svg", "mermaid", "bytes"
    alternative: str
    png: bytes = b""


def pictures(notebook: NotebookNode) -> Iterator[Picture]:
    """Every picture of the outputs, in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            for kind in data:
                if kind.startswith("image/"):  # JupyterLab shows it, and gives it no text
                    yield Picture(cell.id, "image", "")
            if MERMAID in data:
                told = re.search(r"^\s*accTitle: *(\S.*)$", data[MERMAID], re.MULTILINE)
                yield Picture(cell.id, "mermaid", told[1] if told else "")
            if "text/html" in data:
                yield from _in_page(cell.id, data["text/html"])


def _in_page(cell: str, page: str) -> Iterator[Picture]:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    for kind, alternative, source in reader.found:
        head, _, data = source.partition("base64,")
        png = base64.b64decode(data) if head.startswith("data:image/png") else b""
        yield Picture(cell, kind, alternative.strip(), png)


class _Reader(HTMLParser):
    """Finds images, SVGs and maps of bytes, each with what stands for it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str, str]] = []
        self._caption: int | None = None  # whose caption is being read
        self._steps = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        classes = had.get("class", "").split()
        if _STEPPER in classes:
            self._steps += 1
        elif tag == "img":
            self.found.append(("image", had.get("alt", ""), had.get("src", "")))
        elif tag == "svg" and had.get("aria-hidden") != "true":
            named = had.get("aria-label", "") if had.get("role") == "img" else ""
            self.found.append(("svg", named, ""))
        elif tag == "figure" and _BYTES in classes and not self._steps:
            self.found.append(("bytes", "", ""))
        elif tag == "figcaption" and self.found and self.found[-1][0] == "bytes":
            self._caption = len(self.found) - 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "figcaption":
            self._caption = None

    def handle_data(self, data: str) -> None:
        if self._caption is not None:
            kind, said, source = self.found[self._caption]
            self.found[self._caption] = (kind, said + data, source)
