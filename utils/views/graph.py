"""Things and what leads from one to another: as text, and as a Mermaid flowchart.

The rule kept here: the text says all that the picture shows.  A way that was
not gone is dotted and says so in the text; nothing is told by colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from utils.views import text, wording
from utils.views.ladder import mermaid_text
from utils.views.view import MERMAID, View

#: The longest label of an edge, in characters.
_LABEL = 64

#: Mermaid breaks longer lines itself, and then leaves too little room for them.
_LINE = 24


@dataclass(frozen=True, slots=True)
class Node:
    """A thing: its ``name``, and a second line about it."""

    name: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way between two nodes, by their places; ``gone`` is False for one that was only possible."""

    source: int
    target: int
    label: str
    gone: bool = True


@dataclass(frozen=True, slots=True)
class Graph:
    """What both forms of one graph draw; ``sentence`` is for those who do not see it."""

    sentence: str
    nodes: Sequence[Node]
    edges: Sequence[Edge] = field(default=())
    downwards: bool = True

    def reached(self, place: int) -> bool:
        """Whether a way that was gone begins or ends at the node there."""
        return any(edge.gone and place in (edge.source, edge.target) for edge in self.edges)


def graph(drawn: Graph) -> View:
    """The graph, as text and for JupyterLab to draw."""
    return View("\n".join(graph_lines(drawn)), {MERMAID: "\n".join(mermaid_lines(drawn))})


def graph_lines(drawn: Graph) -> Iterator[str]:
    """Each node, and below it the ways that lead on from it."""
    yield wording.visible(drawn.sentence)
    for place, node in enumerate(drawn.nodes):
        ways = [edge for edge in drawn.edges if edge.source == place]
        yield ""
        yield wording.visible("  ".join(filter(None, (node.name, node.about))))
        rows = [
            [
                "  ──" if edge.gone else "  ··",
                wording.visible(edge.label),
                f"→ {wording.visible(drawn.nodes[edge.target].name)}",
                "" if edge.gone else "(not here)",
            ]
            for edge in ways
        ]
        if rows:
            yield text.table(rows)


def mermaid_lines(drawn: Graph) -> Iterator[str]:
    """The graph in Mermaid's own language."""
    yield f"flowchart {'TB' if drawn.downwards else 'LR'}"
    yield f"    accTitle: {_quoted(drawn.sentence)}"
    yield f"    accDescr: {_quoted(_described(drawn))}"
    for place, node in enumerate(drawn.nodes):
        about = f"<br/>{_quoted(node.about)}" if node.about else ""
        yield f'    n{place}["{_quoted(node.name)}{about}"]'
    # One arrow for all ways between two nodes: labels side by side would cover each other.
    arrows: dict[tuple[int, int, bool], list[str]] = {}
    for edge in drawn.edges:
        arrows.setdefault((edge.source, edge.target, edge.gone), []).append(edge.label)
    for (source, target, gone), labels in arrows.items():
        told = "<br/>".join(map(_quoted, _lines(labels)))
        yield f'    n{source} {"-->" if gone else "-.->"}|"{told}"| n{target}'
    left = [f"n{place}" for place in range(len(drawn.nodes)) if not drawn.reached(place)]
    if left:
        yield "    classDef left stroke-dasharray:4 3"
        yield f"    class {','.join(left)} left"


def _lines(labels: Sequence[str]) -> Iterator[str]:
    """What stands on an arrow: the labels in short lines; of several items of one thing, how many."""
    things = {label.partition("[")[0] for label in labels}
    if len(labels) > 2 and len(things) == 1 and all("[" in label for label in labels):
        labels = [f"{things.pop()}[…] × {len(labels)}"]
    for label in labels:
        yield from wrap(wording.shorten(label, _LABEL), _LINE, break_long_words=False) or [""]


def _described(drawn: Graph) -> str:
    """The ways that were gone, in words."""
    told = [
        f"{drawn.nodes[edge.source].name}, {edge.label}, to {drawn.nodes[edge.target].name}"
        for edge in drawn.edges
        if edge.gone
    ]
    return wording.shorten(". ".join(told) or "No way", 600)


def _quoted(content: str) -> str:
    """``content`` for a place between quotation marks."""
    return mermaid_text(content).replace('"', "#34;")
