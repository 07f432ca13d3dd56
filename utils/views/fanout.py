"""What a server does once for a message, and what once for each that it is told to.

The rule kept here: it is counted, in two journeys to different numbers of
receivers, and never declared: what is called as often in both is done once;
what is called as often as there are receivers, in both, once for each.
"""

from __future__ import annotations

from collections import Counter

from utils.records import Journey, Level, Step, StepKind
from utils.views import text, wording
from utils.views.markup import html
from utils.views.tables import table
from utils.views.view import HTML, View

_HEADER = ["library", "function"]


def fanout(few: Journey, many: Journey) -> View:
    """The server's calls of two journeys of one kind, counted side by side; the sends below."""
    journeys = (few, many)
    counted = [counts(one) for one in journeys]
    receivers = [sum(1 for _ in _steps(one, StepKind.SEND)) for one in journeys]
    rows = [
        [*map(wording.visible, function), *map(str, found), _often(found, receivers)]
        for function in dict.fromkeys([*counted[0], *counted[1]])
        for found in [[count[function] for count in counted]]
    ]
    rows.append(["", "socket.send", *map(str, receivers), _often(receivers, receivers)])
    header = [*_HEADER, *(f"told to {number}" for number in receivers), "so"]
    title = (
        f"The server's calls for {wording.visible(few.name)}, told to {receivers[0]} and to {receivers[1]}"
    )
    right = frozenset({2, 3})
    plain = f"{title}\n{text.table([header, *rows], right=right)}"
    return View(plain, {HTML: html(table(title, header, rows, right=right))})


def counts(journey: Journey) -> Counter[tuple[str, str]]:
    """How often the server calls each function in a journey, by library and name, in the order of telling."""
    return Counter(_function(step) for step in _steps(journey, StepKind.CALL))


def _steps(journey: Journey, kind: StepKind) -> list[Step]:
    """What the server does, but for waiting and for Python's own part in it."""
    return [step for step in journey.at(Level.ESSENTIAL) if step.process == "server" and step.kind is kind]


def _function(step: Step) -> tuple[str, str]:
    return (step.library.name if step.library is not None else "", step.title)


def _often(found: list[int], receivers: list[int]) -> str:
    if found == receivers:
        return "once for each"
    return "once" if found == [1, 1] else ""
