"""A notebook that holds one of everything that a hand-out has to show."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NAME = "00_everything"

#: Lines that no page is wide enough for.
WIDE = "print('wide ' * 60)"

EXERCISE = """\
### BEGIN SOLUTION
answer = 6 * 7
### END SOLUTION
answer == 42"""


def _prose(name: str, slide: str, source: str) -> NotebookNode:
    return new_markdown_cell(source, id=name, metadata={"slideshow": {"slide_type": slide}})


def _code(name: str, slide: str, source: str, *tags: str) -> NotebookNode:
    return new_code_cell(source, id=name, metadata={"slideshow": {"slide_type": slide}, "tags": list(tags)})


def notebook() -> NotebookNode:
    cells = [
        _prose("title", "slide", "# Everything\n\nOne of *each* kind, from `captures/`."),
        _prose("title-notes", "notes", "Say hello first."),
        _prose("q-links", "slide", "## Where do links lead?\n\n[On](01_more.ipynb#cell-title), [a file](../scenarios/plays.py), [the web](https://example.org/)."),
        _prose("q-walk", "slide", "## Can I walk?\n\n<details><summary>Hint</summary>Press **Next**.</details>"),
        _code("run", "fragment", "from utils import lab\n\nrun = lab.replay('one_bid')\nrun"),
        _code("stepper", "subslide", "run.stepper('replace old value')"),
        _prose("stepper-notes", "notes", "The arrow keys step."),
        _code("inspector", "subslide", "run.inspect(12)"),
        _prose("q-see", "slide", "## What is there to see?"),
        _code("packets", "fragment", "run.packets(event='replace old value')"),
        _code("frames", "fragment", "run.frames('replace old value')"),
        _code("bytes", "fragment", "run.bytes('replace old value')"),
        _code("provenance", "fragment", "run.provenance('replace old value')"),
        _code("ladder", "fragment", "run.ladder(event='replace old value')"),
        _code("mermaid", "subslide", "run.mermaid(event='replace old value')"),
        _prose("drawn", "subslide", "```mermaid\nsequenceDiagram\n    accTitle: A bid\n    Alice->>Server: bid\n```"),
        _code("waterfall", "subslide", "run.waterfall('replace old value')"),
        _code("wide", "subslide", WIDE),
        _prose("q-task", "slide", "## Exercise\n\nWhat is six times seven?"),
        _code("task", "fragment", EXERCISE, "exercise"),
        _code("silent", "subslide", "### BEGIN SOLUTION\nword = 'bid'\n### END SOLUTION", "exercise"),
        _code("check", "fragment", "from utils.exercises import check\n\ncheck(word, 'bid')"),
        _code("slider", "skip", "import ipywidgets\n\nipywidgets.IntSlider()"),
    ]  # fmt: skip
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def second() -> NotebookNode:
    return new_notebook(cells=[_prose("title", "slide", "# More\n\nWhat comes after.")])
