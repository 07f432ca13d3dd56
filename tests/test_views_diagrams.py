"""Diagrams of what was found: numbered where something happened, dotted where it only could."""

from __future__ import annotations

import socketio

from utils import lab
from utils.libraries.wiring import wired
from utils.views import diagrams
from utils.views.view import MERMAID
from utils.wire.upgrade import TRANSITIONS, State, walk


def test_the_wiring_counts_what_it_draws():
    found = wired(socketio.Server(async_mode="threading"))
    view = diagrams.wiring(found)
    head = f"What socketio.Server leads to: {len(found.things)} objects, {len(found.references)} references"
    assert str(view).splitlines()[0] == head
    assert view.rich[MERMAID].count("-->") == len({(one.holder, one.target) for one in found.references})
    assert ".handlers['connect'], its _handle_eio_connect()" in str(view)


def test_the_ways_that_were_gone_are_numbered_and_the_others_dotted():
    moves = list(walk(message.unit for message in lab.replay("upgrade_refused").messages_of("alice")))
    view = diagrams.upgrade(moves, "alice")
    source = view.rich[MERMAID]
    assert source.count(" -->|") == len(moves) and source.count(" -.->|") == len(TRANSITIONS) - len(moves)
    assert "4 · server: 4xx" in str(view) and str(view).splitlines()[0].endswith("at the end polling")


def test_a_client_that_said_nothing_went_nowhere():
    view = diagrams.upgrade([], "nobody")
    assert str(view).splitlines()[0] == f"How nobody connected: 0 steps, at the end {State.NOTHING.value}"
