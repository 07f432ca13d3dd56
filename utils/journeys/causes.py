"""What a journey can begin with, by name.

The rule kept here: a name stands for the first thing of its kind that a
recording holds, a message or a call; the kinds are the protocols' own and the
application's own lines.  How it went on is not known here: it is found in the
recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from utils import libraries
from utils.journeys.journey import Cause
from utils.records import Call, Message, Recording, TransferKind
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
_EVENTS = (SocketType.EVENT, SocketType.BINARY_EVENT)
_ACKS = (SocketType.ACK, SocketType.BINARY_ACK)

#: Name → what it is the first of.  Of several, the one that is there counts.
KINDS: dict[str, tuple[Called | Sent | Moved, ...]] = {
    "construct": (Called(_FLASK_SOCKETIO, "SocketIO.__init__"),),
    "route": (
        Called("flask/sansio/scaffold.py", "Scaffold.route"),
        Called("flask/scaffold.py", "Scaffold.route"),  # until Flask 2.2
    ),
    "on": (Called(_FLASK_SOCKETIO, "SocketIO.on"),),
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
    "broadcast out": (Called(_FLASK_SOCKETIO, "emit"), Called(_FLASK_SOCKETIO, "SocketIO.emit")),
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

    @cached_property
    def _calls(self) -> dict[Called, Call]:
        """The first call of each function; it is not needed for messages, and takes a while."""
        found: dict[Called, Call] = {}
        for trace in self._recording.traces:
            for call in trace.calls:
                where = libraries.place(call.code.filename)
                if where is not None:
                    found.setdefault(Called(where.path, call.code.name), call)
        return found

    def names(self) -> tuple[str, ...]:
        """The names that :meth:`find` knows here: the kinds, then the requests and events."""
        found = [name for name in KINDS if self._of_kind(name) is not None]
        return tuple(
            dict.fromkeys([*found, *map(_named, self._pages()), *(event for _, event in self._events())])
        )

    def find(self, name: str) -> Cause | None:
        """The cause called ``name``: a kind, ``GET /path``, an event, or a function's qualified name."""
        if name in KINDS:
            return self._of_kind(name)
        if "/" in name:
            for message in self._pages():
                if _named(message) == name:
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
            first = next(filter(kind.test, self._messages), None)
            if first is not None and kind.together:
                return [one for one in self._messages if one.flow == first.flow and kind.test(one)]
            if first is not None:
                return first
        return None

    def _pages(self) -> Iterator[Message]:
        """The requests for anything but Socket.IO."""
        for message in self._messages:
            if _request_line(message) is not None and "EIO=" not in message.unit.summary:
                yield message

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


def _named(message: Message) -> str:
    """``GET /auctions``, without a query."""
    method, target, *_ = [*(_request_line(message) or "").split(" "), "", ""]
    return f"{method} {target.partition('?')[0]}"
