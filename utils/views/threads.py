"""The threads that a journey ran through, and what woke each: a picture of lanes, and the same as a table.

The rule kept here: one lane a thread, one numbered box a turn, from the left
in the order of cause; each arrow comes from the turn that handed the work on,
and says by what.  There is no axis of time: a box is as wide as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element

from utils.records import Excerpt, Journey, Level, Step, StepKind
from utils.views import text, wording
from utils.views.markup import Child, breakable, css, drawing, element, html
from utils.views.palette import DARK_INK, Mark, marks
from utils.views.tables import table
from utils.views.view import HTML, View

_PYTHON = "CPython"


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of work of one thread: woken, busy, done."""

    number: int
    process: str
    thread: str
    waker: int | None  # the number of the turn that woke it
    by: str  # what woke it: "Queue.put", "Event.set", "bytes", ...; "" for the first
    at: str  # the file and the function in which it went on; which of its lines may be chance
    libraries: tuple[str, ...]  # in the order in which they are entered; Python's own is everybody's

    @property
    def lane(self) -> tuple[str, str]:
        return self.process, self.thread


def turns(journey: Journey) -> tuple[Turn, ...]:
    """The turns of a journey, in the order in which it is told."""
    found = []
    for number, group in groupby(journey.at(Level.ESSENTIAL), key=lambda step: step.turn):
        steps = [step for step in group if step.kind is not StepKind.WIRE]
        if steps:
            found.append(_turn(number, steps, journey.wakers.get(number)))
    return tuple(found)


def _turn(number: int, steps: list[Step], waker: int | None) -> Turn:
    first = steps[0]
    entered = [step.library.name for step in steps if step.kind is StepKind.CALL and step.library]
    return Turn(
        number,
        wording.visible(first.process),
        wording.visible(first.thread),
        waker,
        _by(first) if waker is not None else "",
        _where(first.excerpt) if first.excerpt is not None else "",
        tuple(dict.fromkeys(wording.visible(name) for name in entered if name != _PYTHON)),
    )


def _where(excerpt: Excerpt) -> str:
    return f"{wording.visible(excerpt.path)} {wording.visible(excerpt.function)}"


def _by(first: Step) -> str:
    """What woke a turn, by its first step."""
    if first.kind is StepKind.HANDOFF:
        return wording.visible(first.title.partition(" → ")[0])
    return {StepKind.RECV: "bytes", StepKind.SOCKET: "a connection", StepKind.CLOCK: "the clock"}.get(
        first.kind, ""
    )


def threads(journey: Journey) -> View:
    """The picture, with the table below it; as text, the table alone."""
    told = turns(journey)
    lanes = tuple(dict.fromkeys(turn.lane for turn in told))
    caption = f"{wording.count(len(told), 'turn')} in {wording.count(len(lanes), 'thread')}"
    header = ["turn", "thread", "woken by", "from", "goes on in", "libraries"]
    rows = [
        [
            str(turn.number),
            f"{turn.process} · {turn.thread}",
            turn.by,
            "" if turn.waker is None else str(turn.waker),
            turn.at,
            ", ".join(turn.libraries),
        ]
        for turn in told
    ]
    heading = f"Threads of {wording.visible(journey.name)}: {caption}"
    plain = f"{heading}\n{text.table([header, *rows], right=frozenset({0, 3}))}"
    figure = element(
        "figure",
        svg(told, lanes, f"{heading}. {' '.join(map(sentence, told))}"),
        element("figcaption", f"{heading}, in the order of cause"),
        class_="lab-threads",
        style=css(margin="0", overflow_x="auto"),
    )
    cells: list[list[Child]] = [
        [number, _wrapped(thread), by, waker, _wrapped(at), names]
        for number, thread, by, waker, at, names in rows
    ]
    drawn = table("Each turn", header, cells, right=frozenset({0, 3}))
    return View(plain, {HTML: html(element("div", figure, drawn))})


def _wrapped(name: str) -> Element:
    return element("span", *breakable(name), style=css(white_space="normal"))


def sentence(turn: Turn) -> str:
    """A turn, for those who do not see the picture."""
    woken = f", woken by {turn.by} from turn {turn.waker}" if turn.waker is not None else ""
    return f"Turn {turn.number}: {turn.process}, {turn.thread}{woken}."


# ── SVG ──────────────────────────────────────────────────────────────────────

_NAMES = 300  # the width of the lanes' names
_STEP = 64  # from one turn to the next
_BOX = 34
_LANE = 46
_TOP = 10
_RIGHT = 36  # where the last label ends


def svg(told: tuple[Turn, ...], lanes: tuple[tuple[str, str], ...], description: str) -> Element:
    """The lanes in the page's own ink; the boxes in that of their process."""
    width = _NAMES + _STEP * len(told) + _RIGHT
    height = _TOP * 2 + _LANE * len(lanes)
    inks = marks(process for process, _ in lanes)
    columns = {turn.number: column for column, turn in enumerate(told)}
    drawn: list[Child] = []
    for row, (process, thread) in enumerate(lanes):
        drawn += _lane(row, process, thread, inks[process], width)
    for turn in told:
        if turn.waker in columns:
            waker = told[columns[turn.waker]]
            drawn += _arrow(
                turn,
                (columns[waker.number], lanes.index(waker.lane)),
                (columns[turn.number], lanes.index(turn.lane)),
            )
    for turn in told:
        drawn += _box(turn, columns[turn.number], lanes.index(turn.lane), inks[turn.process])
    return drawing(drawn, width, height, description)


def _middle(row: int) -> int:
    return _TOP + _LANE * row + _LANE // 2


def _left(column: int) -> int:
    return _NAMES + _STEP * column + (_STEP - _BOX)


def _lane(row: int, process: str, thread: str, mark: Mark, width: int) -> Iterator[Element]:
    y = str(_middle(row))
    yield element(
        "line", x1=str(_NAMES), x2=str(width), y1=y, y2=y, stroke="currentColor", stroke_opacity=".22"
    )
    name = wording.shorten(f"{mark.glyph} {process} · {thread}", 50)
    yield element("text", name, x="4", y=str(_middle(row) + 4), font_size="12", fill="currentColor")


def _box(turn: Turn, column: int, row: int, mark: Mark) -> Iterator[Element]:
    x, y = _left(column), _middle(row)
    title = element("title", sentence(turn))
    frame = element(
        "rect",
        x=str(x),
        y=str(y - 13),
        width=str(_BOX),
        height="26",
        rx="5",
        fill="#ffffff",
        stroke=mark.ink.light,
        stroke_width="2",
    )
    number = element(
        "text",
        str(turn.number),
        x=str(x + _BOX // 2),
        y=str(y + 5),
        font_size="13",
        font_weight="bold",
        text_anchor="middle",
        fill=DARK_INK,
    )
    yield element("g", title, frame, number)


def _arrow(turn: Turn, start: tuple[int, int], end: tuple[int, int]) -> Iterator[Element]:
    """From the waker's lower (upper) edge along the gap before the woken box, and into its side."""
    x0, y0 = _left(start[0]) + _BOX, _middle(start[1])
    x1, y1 = _left(end[0]), _middle(end[1])
    turning = x1 - (_STEP - _BOX) // 2
    bytes_ = turn.by == "bytes"
    path = f"M{x0} {y0}H{turning}V{y1}H{x1 - 7}"
    if end[0] > start[0] + 1:  # its lane may hold other boxes: leave it at once
        out = x0 + (_STEP - _BOX) // 2 - 3
        between = y1 - _LANE // 2 if y1 > y0 else y1 + _LANE // 2
        path = f"M{x0} {y0}H{out}V{between}H{turning}V{y1}H{x1 - 7}"
    yield element(
        "path",
        d=path,
        fill="none",
        stroke="currentColor",
        stroke_width="1.6",
        stroke_dasharray="5 3" if bytes_ else None,
    )
    yield element("path", d=f"M{x1} {y1}l-8 -4.5v9z", fill="currentColor")
    yield element(
        "text",
        turn.by,
        x=str(turning + 4),
        y=str(y1 - 17 if y1 > y0 else y1 + 25),
        font_size="11",
        fill="currentColor",
    )
