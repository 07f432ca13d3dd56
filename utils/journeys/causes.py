"""What a journey can begin with, by name.

The rule kept here: a name stands for the first thing of its kind that a
recording holds, a message or a call; the kinds are the protocols' own and the
application's own lines.  How it went on is not known here: it is found in the
recording.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from utils import libraries
from utils.journeys.journey import Cause
from utils.records import Call, Flow, Message, Recording, TransferKind
from utils.streams.dissection import Messages
from utils.wire.units import EngineType, Layer, Side, SocketType

#: Whether a message is of the kind.
Test = Callable[[Message], bool]


@dataclass(frozen=True, slots=True)
class Called:
    """A function of a library, as its file and its qualified name tell it."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that is asked of a socket."""

    kind: TransferKind


@dataclass(frozen=True, slots=True)
class Sent:
    """A kind of message; ``together`` if all of one connection are one thing."""

    test: Test
    together: bool = False


# ── kinds of messages ────────────────────────────────────────────────────────


def _request(*words: str, without: str = "\n") -> Test:
    """HTTP requests whose first line holds all of the words."""

    def test(message: Message) -> bool:
        line = _request_line(message)
        return line is not None and all(word in line for word in words) and without not in line

    return test


def _engine(*types: EngineType, side: Side | None = None, probe: bool = False) -> Test:
    """Engine.IO packets: those of an upgrade's probe, or all others."""

    def test(message: Message) -> bool:
        found = (
            packet.type in types and (packet.data == "probe") is probe for packet in message.unit.packets
        )
        return side in (None, message.side) and any(found)

    return test


def _socket(*types: SocketType, side: Side | None = None) -> Test:
    """Socket.IO packets."""

    def test(message: Message) -> bool:
        found = (packet.socketio and packet.socketio.type in types for packet in message.unit.packets)
        return side in (None, message.side) and any(found)

    return test


def _either(*tests: Test) -> Test:
    return lambda message: any(test(message) for test in tests)


_FLASK_SOCKETIO = "flask_socketio/__init__.py"
_SERVER = "socketio/base_server.py"
_EVENTS = (SocketType.EVENT, SocketType.BINARY_EVENT)
_ACKS = (SocketType.ACK, SocketType.BINARY_ACK)

#: Name → what it is the first of.  Of several, the one that is there counts.
KINDS: dict[str, tuple[Called | Sent | Moved, ...]] = {
    "construct": (
        Called(_FLASK_SOCKETIO, "SocketIO.__init__"),
        Called(_SERVER, "BaseServer.__init__"),  # without Flask
    ),
    "route": (
        Called("flask/sansio/scaffold.py", "Scaffold.route"),
        Called("flask/scaffold.py", "Scaffold.route"),  # until Flask 2.2
    ),
    "on": (Called(_FLASK_SOCKETIO, "SocketIO.on"), Called(_SERVER, "BaseServer.on")),
    "serve": (Moved(TransferKind.LISTEN),),
    "open": (Sent(_request("EIO=", without="sid=")),),
    "upgrade": (
        Sent(
            _either(
                _request("transport=websocket", "sid="),
                _engine(EngineType.PING, side=Side.CLIENT, probe=True),
                _engine(EngineType.UPGRADE, side=Side.CLIENT),
            ),
            together=True,
        ),
    ),
    "connect": (Sent(_socket(SocketType.CONNECT, side=Side.CLIENT)),),
    "event in": (Sent(_socket(*_EVENTS, side=Side.CLIENT)),),
    "broadcast out": (
        Called(_FLASK_SOCKETIO, "emit"),
        Called(_FLASK_SOCKETIO, "SocketIO.emit"),
        Called("socketio/server.py", "Server.emit"),
    ),
    "enter a room": (Called(_FLASK_SOCKETIO, "join_room"),),
    "leave a room": (Called(_FLASK_SOCKETIO, "leave_room"),),
    "binary in": (Sent(_socket(SocketType.BINARY_EVENT, side=Side.CLIENT)),),
    "binary out": (Sent(_socket(SocketType.BINARY_EVENT, side=Side.SERVER)),),
    "ack from the server": (Sent(_socket(*_ACKS, side=Side.SERVER)),),
    "ack from the client": (Sent(_socket(*_ACKS, side=Side.CLIENT)),),
    "heartbeat": (Sent(_engine(EngineType.PING, side=Side.SERVER)),),
    "disconnect": (Sent(_socket(SocketType.DISCONNECT)),),
    "close": (Sent(_engine(EngineType.CLOSE)),),
}


class Causes:
    """The causes that one recording holds."""

    def __init__(self, recording: Recording, messages: Messages) -> None:
        self._recording = recording
        self._messages = messages
        self._times: Counter[Called] = Counter()  # how often each function was called

    @cached_property
    def _calls(self) -> dict[Called, Call]:
        """The first call of each function; it is not needed for messages, and takes a while."""
        found: dict[Called, Call] = {}
        for trace in self._recording.traces:
            for call in trace.calls:
                where = libraries.place(call.code.filename)
                if where is not None:
                    called = Called(where.path, call.code.name)
                    found.setdefault(called, call)
                    self._times[called] += 1
        return found

    @cached_property
    def _sent(self) -> dict[str, list[Message]]:
        """For each kind of message the first of its kind; for one thing of several messages, each thing's."""
        found: dict[str, list[Message]] = {}
        sent = [(name, kind) for name, kinds in KINDS.items() for kind in kinds if isinstance(kind, Sent)]
        things: set[tuple[str, Flow]] = set()
        for message in self._messages:
            for name, kind in sent:
                if not kind.test(message) or (kind.together and (name, message.flow) in things):
                    continue
                things.add((name, message.flow))
                found.setdefault(name, []).append(message)
        return found

    def count(self, name: str) -> int:
        """How often the kind called ``name`` is in the recording: its messages, or its function's calls."""
        sent = len(self._sent.get(name, ()))
        called = [kind for kind in KINDS[name] if isinstance(kind, Called) and kind in self._calls]
        calls = sum(self._times[kind] for kind in called[:1])
        return sent + calls or int(self._of_kind(name) is not None)

    def names(self) -> tuple[str, ...]:
        """The names that :meth:`find` knows here: the kinds, then the requests and events."""
        found = [name for name in KINDS if self._of_kind(name) is not None]
        pages = (page for _, page in self.pages())
        return tuple(dict.fromkeys([*found, *pages, *(event for _, event in self._events())]))

    def find(self, name: str) -> Cause | None:
        """The cause called ``name``: a kind, ``GET /path``, an event, or a function's qualified name."""
        if name in KINDS:
            return self._of_kind(name)
        if "/" in name:
            for message, page in self.pages():
                if page == name:
                    return message
        for place, event in self._events():
            if event == name:
                return self._messages[place]
        return next((call for called, call in self._calls.items() if called.name == name), None)

    def _of_kind(self, name: str) -> Cause | None:
        for kind in KINDS[name]:
            if isinstance(kind, Called):
                if kind in self._calls:
                    return self._calls[kind]
                continue
            if isinstance(kind, Moved):
                transfers = (one for trace in self._recording.traces for one in trace.transfers)
                # It may have been under way when the recording began: then nobody is known to have asked.
                asked = (one for one in transfers if one.kind is kind.kind and one.call is not None)
                return next(asked, None)
            for first in self._sent.get(name, ())[:1]:
                if kind.together:
                    return [one for one in self._messages if one.flow == first.flow and kind.test(one)]
                return first
        return None

    def pages(self) -> Iterator[tuple[Message, str]]:
        """The requests for anything but Socket.IO, each with its name: ``GET /auctions``, without a query."""
        for message in self._messages:
            line = _request_line(message)
            if line is not None and "EIO=" not in message.unit.summary:
                method, target, *_ = [*line.split(" "), "", ""]
                yield message, f"{method} {target.partition('?')[0]}"

    def _events(self) -> Iterator[tuple[int, str]]:
        """The events, each with its message's place."""
        for place, packet in self._messages.socketio():
            if packet.event is not None:
                yield place, packet.event


def _request_line(message: Message) -> str | None:
    """The method and target of an HTTP request; None for anything else."""
    if message.unit.layer is not Layer.HTTP or message.side is not Side.CLIENT:
        return None
    return message.unit.raw.partition(b"\r\n")[0].decode("latin-1")
