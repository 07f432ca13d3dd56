"""Diagrams drawn from what was found: which object holds which, and how an upgrade went.

The rule kept here: nothing is drawn from memory.  The objects are those that
live, and the states are those of the table that the messages were walked through.
"""

from __future__ import annotations

from collections.abc import Sequence

from utils.libraries.wiring import Wiring
from utils.views import wording
from utils.views.graph import Edge, Graph, Node, graph
from utils.views.view import View
from utils.wire.upgrade import FROM_SERVER, TRANSITIONS, Move, State


def wiring(found: Wiring) -> View:
    """Which objects hold which, with the names by which they do."""
    nodes = [Node(thing.name, thing.library) for thing in found.things]
    edges = [
        Edge(one.holder, one.target, f"{one.path}, its {one.method}()" if one.method else one.path)
        for one in found.references
    ]
    total = f"{wording.count(len(nodes), 'object')}, {wording.count(len(edges), 'reference')}"
    return graph(Graph(f"What {nodes[0].name} leads to: {total}", nodes, edges))


def upgrade(moves: Sequence[Move], client: str) -> View:
    """The states of a connection: the ways that ``client`` went, numbered, and those that were open to it."""
    states = list(State)
    numbers: dict[object, list[int]] = {}
    for number, move in enumerate(moves, 1):
        numbers.setdefault((move.before, move.sign), []).append(number)
    edges = []
    for (before, sign), after in TRANSITIONS.items():
        gone = numbers.get((before, sign), [])
        side = "server" if sign in FROM_SERVER else client
        label = f"{side}: {sign.value}"
        label = f"{', '.join(map(str, gone))} · {label}" if gone else label
        edges.append(Edge(states.index(before), states.index(after), label, bool(gone)))
    end = moves[-1].after if moves else State.NOTHING
    sentence = f"How {client} connected: {wording.count(len(moves), 'step')}, at the end {end.value}"
    return graph(Graph(sentence, [Node(state.value) for state in states], edges))
