"""A TCP connection of the latency lab: what is sent at once, and what has come and was not read yet.

The rule kept here: to receive is one call of the system into a buffer that was
made beforehand, and nothing else; the clock is read behind it, and only then
is anything understood.  So the client's own work stands outside of what it
measures.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from utils.errors import ProcessError

#: How long a server may keep a connection waiting, in seconds: a slow machine is no error.
PATIENCE = 30

#: So much is read at once, in bytes.
CHUNK = 1 << 18


@runtime_checkable
class Inlet(Protocol):
    """Where messages come in: what a selector holds beside a socket."""

    def receive(self, room: memoryview) -> None:
        """Take what has come, by way of ``room``; waits if nothing has."""

    def messages(self) -> Iterable[bytes]:
        """Those that are whole now, each once."""


class Line:
    """One connection and its buffer.  ``ProcessError`` is raised when the server ends it or lets it hang."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = bytearray()

    def say(self, ready: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(ready)

    def receive(self, room: memoryview) -> None:
        """One read, by way of ``room``, behind what is there already."""
        try:
            size = self.socket.recv_into(room)
        except OSError as error:
            raise ProcessError(
                "the server lets a connection hang that is being measured",
                why=str(error),
                next_step="read its log",
            ) from error
        if not size:
            raise ProcessError(
                "the server ended a connection that was being measured", next_step="read the server's log"
            )
        self.buffer += room[:size]

    def close(self) -> None:
        """Leave without a word."""
        self.socket.close()


def room() -> memoryview:
    """A buffer to receive by way of; one is enough for whoever reads one line after another."""
    return memoryview(bytearray(CHUNK))


def connected(port: int) -> socket.socket:
    """A connection to the server at ``port`` that sends small packets at once (TCP_NODELAY)."""
    made = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def refused(answer: bytes) -> ProcessError:
    """What is wrong with a server that gives such an ``answer``."""
    said = answer[:120].decode("utf-8", "replace")
    return ProcessError(
        "the server does not let itself be measured", why=f"it answered {said!r}", next_step="read its log"
    )
