"""What each notebook of the course is made of.

The rule kept here: a reader who knows one notebook finds the way in all of
them.  It promises, asks, shows, sums up, lets one try, and says what is next;
its cells are short, its pictures can be heard, and its slides are cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode

from tools import student
from tools.pictures import pictures

#: The course, in order.
NAMES = (
    "00_start_here",
    "01_socketio_app",
    "02_route",
    "03_handshake",
    "04_websocket_frame",
    "05_on",
    "06_emit",
    "07_rooms_acks_binary_heartbeat",
    "08_latency",
    "09_when_it_goes_wrong",
    "10_beyond_one_process",
    "11_your_own_report",
)

#: A cell has so many lines, at most, or does work that belongs into a module ...
NORMAL_CELL, LONGEST_CELL = 10, 15
#: ... and so many cells of a notebook may be longer than is normal.
MOST_LONG_CELLS = 3

#: Words in one cell of prose, at most; and in the middle one of them.
MOST_WORDS, USUAL_WORDS = 100, 50

FEWEST_EXERCISES = 4

#: Cells of a notebook that nbval does not compare, at most; each tells its "reason" in its metadata.
MOST_NOT_COMPARED = 2

SLIDE_TYPES = frozenset({"slide", "subslide", "fragment", "notes", "skip"})

LEARNED, EXERCISES, NEXT = "## What we learned", "## Exercises", "**Next:**"
ABLE = "**After this notebook you can**"

_NOT_COMPARED = re.compile(r"#\s*NBVAL_(IGNORE_OUTPUT|SKIP|RAISES_EXCEPTION)", re.IGNORECASE)
_NOT_COMPARED_TAGS = frozenset({"nbval-ignore-output", "nbval-skip", "raises-exception", "skip-execution"})

_DETAILS = re.compile(r"<details>[\s\S]*?</details>")
_FENCED = re.compile(r"```[\s\S]*?```")

#: How a started application, a recording and the self-check say how packets were seen.
_MODE = re.compile(r"\b(live|tap|replay): \w")


def complaints(notebook: NotebookNode) -> Iterator[str]:
    """Where ``notebook`` departs from the form that they all have."""
    cells = notebook.cells
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    code = [cell for cell in cells if cell.cell_type == "code"]
    yield from _outline(cells, prose)
    yield from _slides(cells)
    yield from _words(prose)
    yield from _lengths(code)
    yield from _exercises(cells)
    yield from _compared(code)
    yield from _seen(notebook)
    if not any(_MODE.search(said) for cell in code for said in outputs(cell)):
        yield "no output says which mode is on: end a cell with the server that lab.start gave"


def outputs(cell: NotebookNode) -> Iterator[str]:
    """The texts among the outputs of ``cell``."""
    for output in cell.get("outputs", ()):
        yield output.get("text", "")
        for kind, content in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield content


def _outline(cells: Sequence[NotebookNode], prose: Sequence[NotebookNode]) -> Iterator[str]:
    opening = cells[0].source if cells and cells[0].cell_type == "markdown" else ""
    title, _, promise = opening.partition("\n")
    if not title.startswith("# "):
        yield "it does not begin with its title: '# ...' in a cell of prose"
    elif not promise.strip():
        yield "below its title stands no promise"
    text = "\n\n".join(_FENCED.sub("", cell.source) for cell in prose)
    headings = re.findall(r"^## .*$", text, re.MULTILINE)
    places = [text.find(mark) for mark in (ABLE, *headings[:1], LEARNED, EXERCISES, NEXT)]
    for mark, place in zip((ABLE, "## ...?", LEARNED, EXERCISES, NEXT), places, strict=False):
        if place < 0:
            yield f"it lacks {mark!r}"
    if sorted(places) != places and min(places) >= 0:
        yield f"its parts are out of order: {ABLE}, questions, {LEARNED}, {EXERCISES}, {NEXT}"
    for heading in headings:
        if heading not in (LEARNED, EXERCISES) and not heading.rstrip().endswith("?"):
            yield f"its heading {heading!r} is no question"
    if cells and NEXT not in cells[-1].source:
        yield f"it does not end with {NEXT!r}"


def _slides(cells: Sequence[NotebookNode]) -> Iterator[str]:
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind not in SLIDE_TYPES:
            yield f"cell {cell.id} is no part of a slide: set its slideshow.slide_type"
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id):
            yield f"cell {cell.id!r} is not named by small words with hyphens"


def _words(prose: Sequence[NotebookNode]) -> Iterator[str]:
    counts = sorted((len(_spoken(cell).split()), cell.id) for cell in prose)
    if not counts:
        return
    for count, name in counts:
        if count > MOST_WORDS:
            yield f"cell {name} has {count} words: tell less at a time"
    middle, _ = counts[len(counts) // 2]
    if middle > USUAL_WORDS:
        yield f"half of its cells of prose have {middle} words or more: tell less at a time"


def _spoken(cell: NotebookNode) -> str:
    """The prose of a cell without its heading and what opens on demand, links by their names."""
    text = _FENCED.sub("", _DETAILS.sub("", cell.source))
    text = re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", text)


def _lengths(code: Sequence[NotebookNode]) -> Iterator[str]:
    long = [cell for cell in code if lines(cell) > NORMAL_CELL]
    for cell in long:
        if lines(cell) > LONGEST_CELL:
            yield f"cell {cell.id} has {lines(cell)} lines: move the work into a module"
    if len(long) > MOST_LONG_CELLS:
        names = ", ".join(cell.id for cell in long)
        yield f"{len(long)} cells have more than {NORMAL_CELL} lines ({names}): move work into a module"


def lines(cell: NotebookNode) -> int:
    """The lines of code of a cell: neither empty ones nor markers."""
    written = [line.strip() for line in cell.source.splitlines()]
    return sum(line not in ("", student.BEGIN, student.END) for line in written)


def _exercises(cells: Sequence[NotebookNode]) -> Iterator[str]:
    found = 0
    for place, cell in enumerate(cells):
        tagged = "exercise" in cell.metadata.get("tags", ())
        marked = student.BEGIN in cell.source and cell.cell_type == "code"
        if tagged != marked:
            yield f"cell {cell.id}: the tag 'exercise' and the markers of a solution belong together"
        if not (tagged and marked):
            continue
        try:
            if student.without_solutions(cell.source) == cell.source:
                yield f"cell {cell.id} has no solution to cut"
        except (ValueError, SyntaxError) as error:
            yield f"cell {cell.id}: {error}"
        before = cells[place - 1] if place else None
        if before is None or before.cell_type != "markdown" or not _DETAILS.search(before.source):
            yield f"cell {cell.id}: no question with a hint in <details> stands before it"
        following = [one for one in cells[place + 1 :] if one.cell_type == "code"]
        checking = [cell] if "check(" in cell.source else following[:1]
        said = "\n".join(text for one in checking for text in outputs(one))
        if "✓ right" not in said:
            yield f"cell {cell.id}: no check stands in it or next to it that gives a tick"
        elif "✗" in said or "… not answered" in said:
            yield f"cell {cell.id}: its own solution does not pass its check"
        else:
            found += 1
    if found < FEWEST_EXERCISES:
        yield f"it has {found} checked exercises, and should have {FEWEST_EXERCISES} at least"


def _compared(code: Sequence[NotebookNode]) -> Iterator[str]:
    passed_over = [cell for cell in code if not compared(cell)]
    for cell in passed_over:
        if not str(cell.metadata.get("reason", "")).strip():
            yield f"cell {cell.id} is not compared, and its metadata give no 'reason'"
    if len(passed_over) > MOST_NOT_COMPARED:
        yield f"{len(passed_over)} of its cells are not compared; at most {MOST_NOT_COMPARED} may be"


def compared(cell: NotebookNode) -> bool:
    """Whether nbval runs a cell and compares all that it gives."""
    tags = set(cell.metadata.get("tags", ()))
    return not (tags & _NOT_COMPARED_TAGS or _NOT_COMPARED.search(cell.source))


def _seen(notebook: NotebookNode) -> Iterator[str]:
    found = list(pictures(notebook))
    if not found:
        yield "it has no picture of its own run"
    for picture in found:
        if not picture.alternative:
            yield f"cell {picture.cell} shows a picture ({picture.kind}) that has no text in its place"
