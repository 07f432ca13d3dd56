"""What an exercise answers: right, not yet, or not answered yet.

The rule kept here: the verdict is told by a sign and by a word, and its colour
only repeats them; what was expected is kept back until there is an answer.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from utils.views import text, wording
from utils.views.markup import Child, breakable, css, element, html
from utils.views.palette import BAD, GOOD, GREY, LIGHT_INK, Tone
from utils.views.view import HTML, View


class State(Enum):
    """How an exercise stands: its words, and the colour that repeats them."""

    RIGHT = ("✓ right", GOOD)
    WRONG = ("✗ not yet", BAD)
    OPEN = ("… not answered yet", GREY)

    def __init__(self, words: str, tone: Tone) -> None:
        self.words = words
        self.tone = tone


class Verdict(NamedTuple):
    """What is said of one answer; an empty line is left out."""

    state: State
    expected: str = ""
    got: str = ""
    note: str = ""  # where the two part, or why they could not be compared
    look: str = ""  # where the answer can be seen


def verdict(of: Verdict) -> View:
    """The verdict in words, and its lines below."""
    lines = [
        (name, wording.visible(said))
        for name, said in (
            ("expected", of.expected),
            ("got", of.got),
            ("note", of.note),
            ("look", of.look),
        )
        if said
    ]
    if of.state is State.RIGHT and len(lines) == 1:
        ((_, said),) = lines
        plain = f"{of.state.words}: {said}"
        drawn: list[Child] = [_chip(of.state), " ", element("code", *breakable(said))]
    else:
        plain = of.state.words + ("\n" + text.table(lines) if lines else "")
        drawn = [_chip(of.state), *([_lines(lines)] if lines else [])]
    return View(plain, {HTML: html(element("div", *drawn, class_="lab-verdict", style=_box(of.state)))})


def _box(state: State) -> str:
    return css(border_left=f".35em solid {state.tone.light}", padding=".2em 0 .2em .8em", margin=".4em 0")


def _chip(state: State) -> Child:
    """On a ground of its own, so that it reads the same in the light and in the dark."""
    style = css(
        background_color=state.tone.light,
        color=LIGHT_INK,
        padding=".1em .5em",
        border_radius=".3em",
        white_space="nowrap",
    )
    return element("b", state.words, style=style)


def _lines(lines: list[tuple[str, str]]) -> Child:
    parts: list[Child] = []
    for name, said in lines:
        parts.append(element("dt", name, style=css(font_weight="600")))
        shown = element("code", *breakable(said)) if name in ("expected", "got") else said
        parts.append(element("dd", shown, style=css(margin="0 0 0 1.2em")))
    return element("dl", *parts, style=css(margin=".4em 0 0"))
