"""What the report says of the stack, claim by claim, each with the check that answers it.

The rule kept here: a claim is data, and what is so is computed, from the
definitions, the calls and the packets that a recording keeps.  No claim is
marked true or false by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from utils.errors import InputError
from utils.records import Journey, Message, Recording, Sources, StepKind
from utils.wire.units import Side

#: What the report's page sends, and its handler takes.
EVENT = "replace old value"


class Verdict(NamedTuple):
    """Whether a claim holds, and what was found."""

    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a claim is held against: one recording of the report's own application."""

    stack: str  # the versions, in words
    sources: Sources
    messages: Sequence[Message]
    journey: Journey  # of EVENT

    @classmethod
    def of(cls, recording: Recording, messages: Sequence[Message], journey: Journey) -> Evidence:
        """Raises InputError if ``recording`` keeps no sources to look at."""
        if recording.sources is None:
            raise InputError(
                f"{recording.meta.name} keeps no sources",
                why="it was recorded to show a run, not its versions",
                next_step="take a recording that python tools/stacks.py made",
            )
        versions = recording.meta.versions
        stack = ", ".join(f"{library} {versions[library]}" for library in ("Flask-SocketIO", "Flask"))
        return cls(stack, recording.sources, messages, journey)


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that the report says, in our words, and how to see whether it is so."""

    about: str  # the report's section: "licence", "SocketIO", "route", "on" or "emit"
    said: str
    check: Callable[[Evidence], Verdict]


def _stands(evidence: Evidence, *, library: str, path: str, name: str, line: int) -> Verdict:
    """Whether ``name`` begins on ``line`` of ``path``."""
    for file, definitions in sorted(
        evidence.sources.definitions.items(), key=lambda item: (item[0] != f"{library}:{path}", item[0])
    ):
        if file.startswith(f"{library}:") and (definition := definitions.get(name)) is not None:
            found = file.partition(":")[2]
            holds = (found, definition.first) == (path, line)
            return Verdict(holds, f"{found}, lines {definition.first} to {definition.last}")
    return Verdict(False, f"{library} has no {name}")


def _is_a(evidence: Evidence, *, library: str, name: str, kind: str) -> Verdict:
    for file, definitions in evidence.sources.definitions.items():
        if file.startswith(f"{library}:") and (definition := definitions.get(name)) is not None:
            inside = "method" if "." in name and definition.kind == "function" else definition.kind
            return Verdict(definition.kind == kind, f"{name} is a {inside}")
    return Verdict(False, f"{library} has no {name}")


def _calls_first(evidence: Evidence, *, handler: str, callee: str) -> Verdict:
    """Whether the first call that ``handler`` makes is one of ``callee``."""
    steps = [step for step in evidence.journey.steps if step.kind is StepKind.CALL]
    for step, following in pairwise(steps):
        if step.title.rpartition(".")[2] == handler:
            library = following.library.name if following.library is not None else "no library"
            return Verdict(following.title == callee, f"{handler} calls {following.title} of {library}")
    return Verdict(False, f"{handler} was not called")


def _first_request(evidence: Evidence, *, transport: str) -> Verdict:
    """Whether the client's first request of Socket.IO asks for ``transport``."""
    asked = [message.unit.summary for message in evidence.messages if message.side is Side.CLIENT]
    requests = [summary for summary in asked if "/socket.io/" in summary]
    if not requests:
        return Verdict(False, "there is no request of Socket.IO")
    then = f"; then {requests[1]}" if len(requests) > 1 else ""
    return Verdict(f"transport={transport}" in requests[0], f"first {requests[0]}{then}")


def _reaches_all(evidence: Evidence, *, event: str) -> Verdict:
    """Whether ``event`` went out to every client that was connected."""
    connected, reached = set(), set()
    for message in evidence.messages:
        for packet in message.unit.packets if message.side is Side.SERVER else ():
            if packet.socketio is not None and packet.socketio.event == event:
                reached.add(message.flow.destination)
            elif message.unit.summary.startswith("CONNECT "):
                connected.add(message.flow.destination)
    return Verdict(reached >= connected > set(), f"sent to {len(reached)} of {len(connected)} connected")


def _licence(evidence: Evidence, *, library: str, licence: str) -> Verdict:
    found = evidence.sources.libraries[library].licence if library in evidence.sources.libraries else "?"
    return Verdict(licence in found, f"{library}: {found}")


_socketio_stands = partial(_stands, library="Flask-SocketIO", path="flask_socketio/__init__.py")

#: In the order of the report.
CLAIMS = (
    Claim(
        "licence",
        "Flask-SocketIO has the MIT licence",
        partial(_licence, library="Flask-SocketIO", licence="MIT"),
    ),
    Claim(
        "licence",
        "Flask, which the title names, has it too",
        partial(_licence, library="Flask", licence="MIT"),
    ),
    Claim("SocketIO", "SocketIO stands on line 54", partial(_socketio_stands, name="SocketIO", line=54)),
    Claim(
        "SocketIO",
        "SocketIO is a class",
        partial(_is_a, library="Flask-SocketIO", name="SocketIO", kind="class"),
    ),
    Claim(
        "route",
        "route() stands in flask/scaffold.py, on line 423",
        partial(_stands, library="Flask", path="flask/scaffold.py", name="Scaffold.route", line=423),
    ),
    Claim(
        "route",
        "a page begins with the WebSocket handshake",
        partial(_first_request, transport="websocket"),
    ),
    Claim("on", "socketio.on() stands on line 258", partial(_socketio_stands, name="SocketIO.on", line=258)),
    Claim(
        "on",
        "socketio.on() is a class",
        partial(_is_a, library="Flask-SocketIO", name="SocketIO.on", kind="class"),
    ),
    Claim(
        "emit",
        "socketio.emit() stands on line 401",
        partial(_socketio_stands, name="SocketIO.emit", line=401),
    ),
    Claim(
        "emit",
        "emit(...) in the handler is that method",
        partial(_calls_first, handler="replace_old_value", callee="SocketIO.emit"),
    ),
    Claim("emit", "it sends to every connected client", partial(_reaches_all, event="replaced values")),
)

#: The report's sections, in its order.
ABOUT = tuple(dict.fromkeys(claim.about for claim in CLAIMS))
