"""The messages between clients and server as a ladder: SVG, text and Mermaid.

The rule kept here: time runs downwards, one message a rung, in the order of
the wire's stamps; what is not drawn is counted.  A layer is told by its name
on the rung as well as by its tint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from utils.records import Message
from utils.views import wording
from utils.views.markup import css, drawing, element, html
from utils.views.palette import DARK_INK, FILLS
from utils.views.view import HTML, MERMAID, View
from utils.wire.units import Layer

#: How many messages are drawn, at most, unless asked for more.
MOST = 60


@dataclass(frozen=True, slots=True)
class Rung:
    """One message on the ladder."""

    since_ns: int
    sender: int  # the lifeline's place, from the left
    receiver: int
    layer: Layer
    summary: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """What all forms of one ladder draw."""

    lifelines: tuple[str, ...]
    rungs: tuple[Rung, ...]
    left_out: int  # messages beyond the last rung

    @property
    def sentence(self) -> str:
        """What the picture shows, for those who do not see it."""
        total = wording.count(len(self.rungs) + self.left_out, "message")
        *others, last = self.lifelines
        between = f" between {', '.join(others)} and {last}" if others else ""
        rest = f"; the last {self.left_out} not drawn" if self.left_out else ""
        return total + between + rest


def lay_out(
    messages: Sequence[Message], clients: Mapping[int, str] | None = None, most: int = MOST
) -> Ladder:
    """Lifelines and rungs: the first client, the servers, then the other clients."""
    by_time = sorted(messages, key=lambda message: message.first_ns)
    who = wording.Clients(by_time, clients)
    lifelines = _lifelines([(who.name(message), who.server(message)) for message in by_time])
    rungs = []
    for message in by_time[:most]:
        sender, receiver = who.ends(message)
        rungs.append(
            Rung(
                message.first_ns - by_time[0].first_ns,
                lifelines.index(sender),
                lifelines.index(receiver),
                message.unit.layer,
                wording.visible(message.unit.summary),
            )
        )
    return Ladder(tuple(lifelines), tuple(rungs), max(0, len(by_time) - most))


def _lifelines(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Who stands where: of each pair, a client speaks to a server.

    What only servers speak to (a message queue) stands between them.
    """
    servers = list(dict.fromkeys(server for _, server in pairs)) or ["server"]
    clients = [name for name in dict.fromkeys(name for name, _ in pairs) if name not in servers]
    asked = {server for name, server in pairs if name in clients}
    shared = [server for server in servers if pairs and server not in asked]
    served = [server for server in servers if server not in shared]
    return [*clients[:1], *served[:1], *shared, *served[1:], *clients[1:]]


def ladder(
    messages: Sequence[Message], clients: Mapping[int, str] | None = None, *, most: int = MOST
) -> View:
    """The ladder as a picture, with the same ladder as text behind it.

    ``clients`` names the clients by their ports; at most ``most`` messages are
    drawn.
    """
    laid = lay_out(messages, clients, most)
    plain = "\n".join(ladder_lines(laid))
    figure = element(
        "figure",
        svg(laid),
        element("figcaption", laid.sentence),
        element("details", element("summary", "The same as text"), element("pre", plain)),
        class_="lab-ladder",
        style=css(margin="0"),
    )
    return View(plain, {HTML: html(figure)})


def mermaid(
    messages: Sequence[Message], clients: Mapping[int, str] | None = None, *, most: int = MOST
) -> View:
    """The ladder as a Mermaid sequence diagram, which JupyterLab draws by itself."""
    laid = lay_out(messages, clients, most)
    source = "\n".join(mermaid_lines(laid))
    return View("\n".join(ladder_lines(laid)), {MERMAID: source})


# ── text ─────────────────────────────────────────────────────────────────────

_GUTTER = 14
_SPACING = 46


def ladder_lines(laid: Ladder) -> Iterator[str]:
    """The ladder in characters of one width."""
    width = _SPACING * (len(laid.lifelines) - 1) + 1
    names = [" "] * (_GUTTER + width + _SPACING)
    for place, name in enumerate(laid.lifelines):
        start = max(0, _GUTTER + place * _SPACING - len(name) // 2)
        names[start : start + len(name)] = name[: _SPACING - 2]
    yield "".join(names).rstrip()
    rails = ["│" if column % _SPACING == 0 else " " for column in range(width)]
    for rung in laid.rungs:
        line = list(rails)
        left, right = sorted((rung.sender * _SPACING, rung.receiver * _SPACING))
        label = f" {rung.layer.value}: {rung.summary} "
        room = right - left - 6
        shaft = wording.shorten(label, room).center(right - left - 3, "─")
        line[left + 1 : right] = f"{shaft}─▶" if rung.sender < rung.receiver else f"◀─{shaft}"
        yield f"{wording.since(rung.since_ns):>{_GUTTER - 2}}  {''.join(line)}".rstrip()
    if laid.left_out:
        yield f"{wording.GAP:>{_GUTTER - 2}}  {wording.count(laid.left_out, 'more message')}"


# ── Mermaid ──────────────────────────────────────────────────────────────────

_NOT_PLAIN = re.compile(r"[^\w .,/=()\[\]{}'\"?&·→-]")


def mermaid_lines(laid: Ladder) -> Iterator[str]:
    """The ladder in Mermaid's own language."""
    yield "sequenceDiagram"
    yield f"    accTitle: {mermaid_text(laid.sentence)}"
    yield f"    accDescr: {mermaid_text(_described(laid))}"
    for place, name in enumerate(laid.lifelines):
        yield f"    participant L{place} as {mermaid_text(name)}"
    for rung in laid.rungs:
        arrow = "-->>" if rung.layer is Layer.HTTP else "->>"
        label = mermaid_text(f"{rung.layer.value}: {wording.shorten(rung.summary, 60)}")
        yield f"    L{rung.sender}{arrow}L{rung.receiver}: {label}"
    if laid.left_out:
        last = len(laid.lifelines) - 1
        yield f"    Note over L0,L{last}: {wording.count(laid.left_out, 'more message')}"


def _described(laid: Ladder) -> str:
    """The first rungs in words, for those who do not see the picture."""
    told = [
        f"{laid.lifelines[rung.sender]} to {laid.lifelines[rung.receiver]}, {rung.summary}"
        for rung in laid.rungs
    ]
    return wording.shorten(". ".join(told) or "No message", 400)


def mermaid_text(text: str) -> str:
    """``text`` with whatever Mermaid could read as syntax or markup as its character number."""
    return _NOT_PLAIN.sub(lambda found: f"#{ord(found[0])};", text)


# ── SVG ──────────────────────────────────────────────────────────────────────

_TOP = 34
_RUNG = 30
_LEFT = 128
_WIDTH = 800
_RIGHT = 56
#: The width of an average character of 12 px, for what is cut to fit.
_CHARACTER = 7


def svg(laid: Ladder) -> Element:
    """The ladder as inline SVG: lines and times in the page's own ink, labels on tints."""
    column = max(280, _WIDTH // max(1, len(laid.lifelines) - 1))
    width = _LEFT + column * (len(laid.lifelines) - 1) + _RIGHT
    height = _TOP + _RUNG * len(laid.rungs) + (24 if laid.left_out else 10)
    drawn = [_lifeline(_LEFT + place * column, name, height) for place, name in enumerate(laid.lifelines)]
    for number, rung in enumerate(laid.rungs):
        drawn += _rung(rung, column, _TOP + _RUNG * number + _RUNG // 2)
    if laid.left_out:
        more = f"{wording.GAP} {wording.count(laid.left_out, 'more message')}"
        drawn.append(_text(more, _LEFT, height - 8, text_anchor="start"))
    return drawing(drawn, width, height, f"Ladder: {laid.sentence}")


def _text(content: str, x: float, y: float, **attributes: str) -> Element:
    made = {"font_size": "12", "fill": "currentColor", "text_anchor": "middle", **attributes}
    return element("text", content, x=f"{x:g}", y=f"{y:g}", **made)


def _lifeline(x: int, name: str, height: int) -> Element:
    line = element(
        "line",
        x1=str(x),
        x2=str(x),
        y1=str(_TOP - 8),
        y2=str(height),
        stroke="currentColor",
        stroke_opacity=".45",
    )
    label = _text(wording.shorten(name, 40), x, 16, font_weight="bold", font_size="13")
    return element("g", line, label)


def _rung(rung: Rung, column: int, y: int) -> Iterator[Element]:
    start, end = _LEFT + rung.sender * column, _LEFT + rung.receiver * column
    way = 1 if end > start else -1
    tip = 9 * way
    label = wording.shorten(f"{rung.layer.value} · {rung.summary}", int((column - 60) / _CHARACTER))
    box = len(label) * _CHARACTER + 14
    middle = end - way * column / 2
    yield element(
        "g",
        element("title", f"{wording.since(rung.since_ns)} {rung.layer.value}: {rung.summary}"),
        element(
            "line",
            x1=str(start),
            x2=str(end - tip),
            y1=str(y),
            y2=str(y),
            stroke="currentColor",
            stroke_width="1.5",
            stroke_dasharray="6 3" if rung.layer is Layer.HTTP else None,
        ),
        element("path", d=f"M{end} {y}l{-tip} -4.5v9z", fill="currentColor"),
        element(
            "rect",
            x=f"{middle - box / 2:g}",
            y=str(y - 10),
            width=f"{box:g}",
            height="20",
            rx="4",
            fill=FILLS[rung.layer].tint.light,
        ),
        _text(label, middle, y + 4, fill=DARK_INK),
    )
    yield _text(wording.since(rung.since_ns), _LEFT - 40, y + 4, text_anchor="end", opacity=".85")
