"""Which TCP connection a socket object belongs to, and how far its two streams are.

The rule kept here: an offset is counted from a connection's first byte, or, if
that came before the recording, from the recording's first.  Only connections
whose beginning was watched are known.
"""

from __future__ import annotations

import socket
import weakref
from dataclasses import dataclass, field
from typing import Any

from utils.records import Endpoint, Flow
from utils.tracing.greenlets import runs

FAMILIES = (socket.AF_INET, socket.AF_INET6)
UNKNOWN = Endpoint("", 0)

#: From so many known sockets on, those that are gone are forgotten now and then.
_MANY = 64


@dataclass(slots=True)
class Connection:
    """One TCP connection as this end knows it: its two flows, and the bytes moved on each."""

    out: Flow
    back: Flow
    sent: int = 0
    received: int = 0
    ends: int = 1  # socket objects that are open on it
    workers: set[Any] = field(default_factory=set)  # who moved bytes; see greenlets.runs
    begun: tuple[int, int] = (0, 0)  # how far both were when the recording began


@dataclass(slots=True)
class _Watched:
    """A socket object; the reference tells it from a later one with the same id."""

    socket: weakref.ref[socket.socket]
    connection: Connection | None = None  # until its flow is known
    closed: bool = False


class Connections:
    """The connections that began while they were watched."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}

    def watch(self, sock: socket.socket) -> None:
        """``sock`` begins a new connection, if it is one for TCP."""
        if sock.family not in FAMILIES or sock.type != socket.SOCK_STREAM:
            return
        size = len(self._watched)
        if size >= _MANY and size & (size - 1) == 0:  # at each power of two
            for key, watched in list(self._watched.items()):
                if watched.socket() is None:
                    self._watched.pop(key, None)
        self._watched[id(sock)] = _Watched(weakref.ref(sock))

    def find(self, sock: socket.socket) -> Connection | None:
        """The connection of ``sock``; None if it has none, or its beginning was not watched."""
        watched = self._watched.get(id(sock))
        if watched is None or watched.socket() is not sock:
            return None
        if watched.connection is None:
            watched.connection = _connection(sock)
        return watched.connection

    def share(self, sock: socket.socket, twin: socket.socket) -> None:
        """``twin`` is another socket on the connection of ``sock``, if that is known."""
        connection = self.find(sock)
        if connection is not None:
            connection.ends += 1
            self._watched[id(twin)] = _Watched(weakref.ref(twin), connection)

    def close(self, sock: socket.socket) -> bool:
        """``sock``, which has a connection, was closed: whether that closes the connection, too."""
        watched = self._watched[id(sock)]
        if watched.closed or watched.connection is None:
            return False
        watched.closed = True
        watched.connection.ends -= 1
        return not watched.connection.ends

    def open_ports(self) -> list[int]:
        """The peers' ports of all connections that are not closed, or have a thread that still runs."""
        known = {id(one.connection): one.connection for one in list(self._watched.values()) if one.connection}
        return sorted(
            connection.out.destination.port
            for connection in known.values()
            if connection.ends or any(map(runs, connection.workers))
        )

    def begin(self) -> None:
        """A recording begins: of connections that are there already, it counts the bytes from here on.

        So does a capture that begins at the same time.
        """
        for watched in list(self._watched.values()):
            if watched.connection is not None:
                watched.connection.begun = (watched.connection.sent, watched.connection.received)

    def clear(self) -> None:
        self._watched.clear()


def _connection(sock: socket.socket) -> Connection | None:
    """What the system knows of the connection of ``sock``; None if it is not made yet."""
    try:
        out = Flow(endpoint(sock.getsockname()), endpoint(sock.getpeername()))
    except OSError:
        return None
    return Connection(out, out.reverse)


def attempt(arguments: tuple[Any, ...]) -> Flow:
    """The flow of a connection that was tried for, and not made."""
    address = arguments[0] if arguments else None
    known = isinstance(address, tuple) and len(address) >= 2 and isinstance(address[1], int)
    return Flow(UNKNOWN, endpoint(address) if known else UNKNOWN)


def endpoint(address: Any) -> Endpoint:
    """The endpoint that the socket module writes as ``address``."""
    return Endpoint(str(address[0]), int(address[1]))
