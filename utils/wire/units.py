"""The nouns of the wire: sides, spans, faults, packets and units.

Nothing here decodes.  The decoders build these values, the views render them;
a unit's ``raw`` is exactly what was on the wire, and its spans tile ``raw``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, NamedTuple


class Side(Enum):
    """Who sent the bytes."""

    CLIENT = "client"
    SERVER = "server"


class Layer(Enum):
    """The layers that a byte can belong to, from the outermost in."""

    HTTP = "HTTP"
    WEBSOCKET = "WebSocket"
    ENGINEIO = "Engine.IO"
    SOCKETIO = "Socket.IO"
    REDIS = "Redis"
    PAYLOAD = "Payload"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes of one unit with one meaning.

    ``start`` and ``end`` are offsets into the unit's ``raw``; ``value`` is the
    decoded value as short text (a masked byte's value is the unmasked one);
    ``meaning`` says in one sentence what it does here; ``clause`` cites the
    RFC's section or the protocol document that defines it.
    """

    start: int
    end: int
    layer: Layer
    label: str
    value: str
    meaning: str
    clause: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A byte outside the grammar: where, what came, what was expected."""

    offset: int  # into the unit's raw
    expected: str
    got: str
    clause: str = ""


class EngineType(IntEnum):
    """Engine.IO v4 packet types (engine.io-protocol, "Packet types")."""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class SocketType(IntEnum):
    """Socket.IO v5 packet types (socket.io-protocol, "Packet types")."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


class SocketPacket(NamedTuple):
    """One Socket.IO packet; ``data`` is its parsed JSON (None if there is none)."""

    type: SocketType
    namespace: str = "/"
    id: int | None = None
    data: Any = None
    attachments: int = 0  # binary attachments announced

    @property
    def event(self) -> str | None:
        """The event's name, or None for a packet that carries no event."""
        if self.type not in (SocketType.EVENT, SocketType.BINARY_EVENT):
            return None
        named = isinstance(self.data, list) and bool(self.data) and isinstance(self.data[0], str)
        return str(self.data[0]) if named else None


class EnginePacket(NamedTuple):
    """One Engine.IO packet; ``data`` is what follows its type."""

    type: EngineType
    data: str | bytes
    socketio: SocketPacket | None = None
    attachment: bool = False  # a binary attachment of the Socket.IO packet before it


@dataclass(frozen=True, slots=True)
class Unit:
    """One HTTP request or response, one WebSocket frame, or one value of Redis, as one side sent it.

    ``start`` is the offset of ``raw[0]`` in that side's byte stream (0 is the
    first byte after the TCP handshake).  ``payload`` is what the layer above
    reads: the body without chunking and compression, the frame unmasked and
    inflated.  ``packets`` are the Engine.IO packets that end in this unit: of
    a fragmented message, its last frame carries them.
    """

    side: Side
    layer: Layer  # HTTP, WEBSOCKET, REDIS, or UNKNOWN for bytes outside every grammar
    start: int
    raw: bytes
    payload: bytes = b""
    packets: tuple[EnginePacket, ...] = ()
    summary: str = ""  # one line, safe to print: no control characters
    faults: tuple[Fault, ...] = ()
    _explain: Callable[[], tuple[Span, ...]] | None = field(default=None, repr=False, compare=False)

    @property
    def end(self) -> int:
        """The offset, in the side's stream, of the byte after the last one."""
        return self.start + len(self.raw)

    @property
    def unexplained(self) -> int:
        """How many of the bytes no decoder claims."""
        return sum(span.end - span.start for span in self.explain() if span.layer is Layer.UNKNOWN)

    def explain(self) -> tuple[Span, ...]:
        """The spans that tile ``raw``, in order and without gap or overlap."""
        if self._explain is not None:
            return self._explain()
        if not self.raw:
            return ()
        return (
            Span(0, len(self.raw), Layer.UNKNOWN, "Unexplained", "", "No decoder claims these bytes.", ""),
        )
