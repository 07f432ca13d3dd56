"""Rules that take more than one unit to break, each with the clause that states it.

The rule kept here: a rule speaks only of what it has seen.  A connection that
is captured from the middle, or polling that goes on over other connections, is
given the benefit of the doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from utils.wire import http, websocket
from utils.wire.attachments import Collector
from utils.wire.tiling import shown
from utils.wire.units import EngineType, Layer, Side, SocketType, Unit
from utils.wire.websocket import Opcode

#: How many acknowledgements and keys are remembered.
_MOST = 10_000

#: With this many masked frames under one key, the key is not chosen afresh.
_FRAMES_PER_KEY = 8

#: Names that the libraries' own events have (socket.io: "Emit cheatsheet", reserved events).
_RESERVED = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)


class Broken(NamedTuple):
    """A rule, the unit that breaks it, and how."""

    unit: Unit
    offset: int
    rule: str
    got: str
    clause: str


class Rule(Protocol):
    """Sees every unit of a connection in order."""

    def look(self, unit: Unit) -> Iterator[Broken]:
        """What ``unit`` breaks."""

    def finish(self) -> Iterator[Broken]:
        """What was still owed at the end."""


def all_rules() -> list[Rule]:
    """A fresh set of them, for one connection."""
    return [
        Handshake(),
        Closing(),
        ControlPings(),
        Masking(),
        Heartbeat(),
        EngineOrder(),
        Namespaces(),
        Acknowledgements(),
        Attachments(),
    ]


class _Rule:
    """Owes nothing at the end."""

    def finish(self) -> Iterator[Broken]:
        yield from ()


def _frame(unit: Unit) -> websocket.Frame | None:
    frame = websocket.parse(unit.raw) if unit.layer is Layer.WEBSOCKET else None
    return frame if isinstance(frame, websocket.Frame) else None


class Handshake(_Rule):
    """The opening handshake of a WebSocket."""

    def __init__(self) -> None:
        self._asked: http.Head | None = None

    def look(self, unit: Unit) -> Iterator[Broken]:
        head = http.parse_head(unit.raw) if unit.layer is Layer.HTTP else None
        if not isinstance(head, http.Head) or not (head.upgrades or head.status == 101):
            return
        if "upgrade" not in head.get("connection").lower():
            got = shown(head.get("connection")) or "nothing"
            yield Broken(unit, 0, "The Connection field holds Upgrade.", got, "RFC 6455 §4.1")
        if not head.status:
            self._asked = head
            version = head.get("sec-websocket-version")
            if version != "13":
                got = shown(version) or "nothing"
                yield Broken(unit, 0, "Sec-WebSocket-Version is 13.", got, "RFC 6455 §4.1")
        elif self._asked is not None:
            offered, self._asked = _extensions(self._asked), None
            for extension in sorted(_extensions(head) - offered):
                rule = "A server agrees only to extensions that the client offered."
                yield Broken(unit, 0, rule, shown(extension), "RFC 6455 §9.1")


def _extensions(head: http.Head) -> set[str]:
    offers = head.get("sec-websocket-extensions").split(",")
    return {name for offer in offers if (name := offer.partition(";")[0].strip().lower())}


class Closing(_Rule):
    """Nothing after a Close frame."""

    def __init__(self) -> None:
        self._closed: set[Side] = set()

    def look(self, unit: Unit) -> Iterator[Broken]:
        frame = _frame(unit)
        if frame is None:
            return
        if unit.side in self._closed:
            rule = "After its Close frame a side sends no more data."
            got = f"a {frame.opcode.name} frame after it"
            yield Broken(unit, 0, rule, got, "RFC 6455 §5.5.1")
        elif frame.opcode is Opcode.CLOSE:
            self._closed.add(unit.side)


class ControlPings:
    """Each WebSocket ping (opcode 9) is answered; only the last of several has to be."""

    def __init__(self) -> None:
        self._open: dict[Side, Unit] = {}  # by who sent it

    def look(self, unit: Unit) -> Iterator[Broken]:
        frame = _frame(unit)
        if frame is None:
            return
        other = Side.SERVER if unit.side is Side.CLIENT else Side.CLIENT
        if frame.opcode is Opcode.PING:
            self._open[unit.side] = unit
        elif frame.opcode is Opcode.PONG and other in self._open:
            if self._open[other].payload == unit.payload:
                del self._open[other]
        elif frame.opcode is Opcode.CLOSE:
            self._open.pop(other, None)  # who has closed owes no pong
        yield from ()

    def finish(self) -> Iterator[Broken]:
        for unit in self._open.values():
            rule = "A ping is answered with a pong of the same data."
            yield Broken(unit, 0, rule, "no pong until the capture's end", "RFC 6455 §5.5.2")


class Masking(_Rule):
    """Each frame has a masking key of its own."""

    def __init__(self) -> None:
        self._frames = 0
        self._keys: set[bytes] = set()

    def look(self, unit: Unit) -> Iterator[Broken]:
        frame = _frame(unit)
        if frame is None or not frame.key:
            return
        self._frames += 1
        if self._frames <= _FRAMES_PER_KEY:
            self._keys.add(frame.key)
        if self._frames == _FRAMES_PER_KEY and len(self._keys) == 1:
            rule = "The masking key is chosen afresh for each frame, so that nobody can predict it."
            got = f"{frame.key.hex(' ')} in all of {_FRAMES_PER_KEY} frames"
            yield Broken(unit, frame.head - 4, rule, got, "RFC 6455 §5.3")


class Heartbeat:
    """The server's ping, the client's pong (engine.io-protocol, "Heartbeat"); in v3 the other way round."""

    _CLAUSE = "engine.io-protocol: heartbeat"

    def __init__(self) -> None:
        self._open: Unit | None = None
        self._older = False  # a request has asked for Engine.IO v3

    def look(self, unit: Unit) -> Iterator[Broken]:
        if unit.layer is Layer.HTTP and unit.side is Side.CLIENT and b"EIO=3" in unit.raw[:2000]:
            self._older = True
        if self._older:
            return
        for packet in unit.packets:
            if packet.data == "probe":
                continue
            if packet.type is EngineType.PING:
                if unit.side is Side.CLIENT:
                    rule = "In v4 the server pings and the client answers."
                    yield Broken(unit, 0, rule, "a ping from the client", self._CLAUSE)
                    continue
                if self._open is not None:
                    yield Broken(
                        self._open, 0, "A ping is answered.", "the next ping came first", self._CLAUSE
                    )
                self._open = unit
            elif packet.type is EngineType.PONG:
                if unit.side is Side.SERVER:
                    rule = "In v4 the server pings and the client answers."
                    yield Broken(unit, 0, rule, "a pong from the server", self._CLAUSE)
                self._open = None

    def finish(self) -> Iterator[Broken]:
        # In polling the answer is a request of its own, which may take another connection.
        if self._open is not None and self._open.layer is Layer.WEBSOCKET:
            yield Broken(
                self._open, 0, "A ping is answered.", "no pong until the capture's end", self._CLAUSE
            )


class EngineOrder(_Rule):
    """Who sends which Engine.IO packet, and when."""

    def __init__(self) -> None:
        self._closed: set[Side] = set()
        self._probed = False  # by the client
        self._answered = False

    def look(self, unit: Unit) -> Iterator[Broken]:
        for packet in unit.packets:
            word = packet.type.name
            if unit.side in self._closed:
                rule = "Nothing follows a CLOSE packet on its transport."
                yield Broken(unit, 0, rule, f"{word} after it", "engine.io-protocol: packet types")
            if packet.type in (EngineType.OPEN, EngineType.NOOP) and unit.side is Side.CLIENT:
                rule = f"Only the server sends {word}."
                yield Broken(unit, 0, rule, "one from the client", "engine.io-protocol: packet types")
            elif packet.type is EngineType.PING and unit.side is Side.CLIENT and packet.data == "probe":
                self._probed = True
            elif packet.type is EngineType.PONG and unit.side is Side.SERVER and packet.data == "probe":
                self._answered = True
            elif packet.type is EngineType.UPGRADE:
                if unit.side is Side.SERVER:
                    rule = "Only the client sends UPGRADE."
                    yield Broken(unit, 0, rule, "one from the server", "engine.io-protocol: upgrade")
                elif self._probed and not self._answered:
                    rule = "The client upgrades after the server's answer to its probe."
                    yield Broken(unit, 0, rule, "no answer yet", "engine.io-protocol: upgrade")
            if packet.type is EngineType.CLOSE and unit.layer is Layer.WEBSOCKET:
                self._closed.add(unit.side)


class Namespaces(_Rule):
    """A namespace is connected to, used, and left (socket.io-protocol, "Connection to a namespace")."""

    def __init__(self) -> None:
        self._asked: set[str] = set()  # by the client, and not confirmed yet
        self._left: set[tuple[Side, str]] = set()

    def look(self, unit: Unit) -> Iterator[Broken]:
        for packet in (engine.socketio for engine in unit.packets if engine.socketio is not None):
            name, kind = packet.namespace, packet.type
            if kind is SocketType.CONNECT:
                self._left -= {(side, name) for side in Side}
                if unit.side is Side.CLIENT:
                    if len(self._asked) < _MOST:
                        self._asked.add(name)
                else:
                    self._asked.discard(name)
                continue
            if (unit.side, name) in self._left:
                rule = "After DISCONNECT nothing more is sent in the namespace."
                got = f"{kind.name} in {shown(name)}"
                yield Broken(unit, 0, rule, got, "socket.io-protocol: disconnection from a namespace")
            elif kind is SocketType.CONNECT_ERROR:
                self._asked.discard(name)
            elif kind is SocketType.DISCONNECT:
                if len(self._left) < _MOST:
                    self._left.add((unit.side, name))
            elif name in self._asked:
                rule = "Packets are sent in a namespace once the server has confirmed it."
                got = f"{kind.name} in {shown(name)} before CONNECT"
                yield Broken(unit, 0, rule, got, "socket.io-protocol: connection to a namespace")
            if packet.event in _RESERVED:
                rule = "An application's event has a name that the libraries do not use themselves."
                got = f"an event named {packet.event}"
                yield Broken(unit, 0, rule, got, "socket.io documentation: reserved events")


class Acknowledgements(_Rule):
    """An acknowledgement is given once."""

    def __init__(self) -> None:
        self._given: OrderedDict[tuple[Side, str, int], None] = OrderedDict()

    def look(self, unit: Unit) -> Iterator[Broken]:
        other = Side.SERVER if unit.side is Side.CLIENT else Side.CLIENT
        for packet in (engine.socketio for engine in unit.packets if engine.socketio is not None):
            if packet.id is None:
                continue
            if packet.type in (SocketType.ACK, SocketType.BINARY_ACK):
                key = (unit.side, packet.namespace, packet.id)
                if key in self._given:
                    rule = "An event is acknowledged once."
                    yield Broken(
                        unit, 0, rule, f"id {packet.id} again", "socket.io-protocol: acknowledgement"
                    )
                self._given[key] = None
                if len(self._given) > _MOST:
                    self._given.popitem(last=False)
            elif packet.event is not None:
                self._given.pop((other, packet.namespace, packet.id), None)  # asked for anew


class Attachments:
    """Binary attachments follow their packet, as many as it announced."""

    _RULE = "A packet's attachments follow it at once, as many as it announced."
    _CLAUSE = "socket.io-protocol: binary attachments"

    def __init__(self) -> None:
        self._collectors = {side: Collector() for side in Side}
        self._owing: dict[Side, Unit] = {}
        self._spoke: set[Side] = set()  # sides whose Socket.IO packets have been seen here

    def look(self, unit: Unit) -> Iterator[Broken]:
        side = unit.side
        collector = self._collectors[side]
        for packet in unit.packets:
            if packet.type is not EngineType.MESSAGE:
                continue
            missing = collector.missing
            if packet.attachment and not missing and side in self._spoke:
                yield Broken(unit, 0, self._RULE, "an attachment that no packet announced", self._CLAUSE)
            elif packet.socketio is not None and missing and side in self._owing:
                got = f"{missing} missing when the next packet came"
                yield Broken(self._owing[side], 0, self._RULE, got, self._CLAUSE)
            collector.add(packet)
            if packet.socketio is not None:
                self._spoke.add(side)
                self._owing[side] = unit

    def finish(self) -> Iterator[Broken]:
        for side, unit in self._owing.items():
            # Polling may bring the rest over another connection.
            if unit.layer is Layer.WEBSOCKET and (missing := self._collectors[side].missing):
                yield Broken(unit, 0, self._RULE, f"{missing} missing at the capture's end", self._CLAUSE)
