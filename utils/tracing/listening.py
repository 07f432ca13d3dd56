"""Where this process listens: told by its sockets, as soon as they do or just before.

The rule kept here: the application need not help, and is not kept waiting for
longer than a moment.  Nothing here uses what an application may have replaced
since (gevent puts its own locks and sockets in place of Python's).
"""

from __future__ import annotations

import _thread
import functools
import socket
from time import monotonic, sleep
from typing import Any

from utils.tracing.arrivals import Arrivals

#: How often it is looked whether a socket listens that did not tell, in seconds.
_POLL = 0.5

#: How often it is looked whether one did, in seconds.
_GRAIN = 0.005

#: How long an application that is held waits for its watcher, in seconds.
_HOLD = 30.0

#: How long it may take to listen once it is let go, in seconds.
_BEGIN = 5.0

_FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Listening:
    """Notes the TCP ports that the process's sockets listen on.

    With ``hold``, a socket that has its port waits before it begins to listen,
    until :meth:`go`: so whoever watches misses no packet.
    """

    def __init__(self, arrivals: Arrivals, *, hold: bool = False, port: int | None = None) -> None:
        self._ports: list[int] = []  # in the order in which they were told
        self._wanted = port
        self._held: list[socket.socket] = []  # those that are about to listen
        self._gate = _thread.allocate_lock() if hold else None
        if self._gate is not None:
            self._gate.acquire()
        self._cover(socket.socket)
        # gevent's sockets are no subclass of Python's.
        arrivals.when("gevent._socket3", lambda module: self._cover(module.socket))

    def go(self) -> None:
        """Let the application listen, and return when it does; a second time, nothing happens.

        Its thread goes on when the system lets it: whoever connected at once might be refused.
        """
        if self._gate is not None and self._gate.locked():
            self._gate.release()
        latest = monotonic() + _BEGIN
        while self._held and monotonic() < latest:
            sleep(_GRAIN)

    @property
    def ports(self) -> list[int]:
        """All ports that were told so far, or that the system knows of, in that order."""
        return list(dict.fromkeys([*self._ports, *_of_the_system()]))

    def wait(self) -> int:
        """The port, as soon as there is one: the one that was wanted, or the first."""
        looked = monotonic()
        while True:
            found = self._ports
            if monotonic() - looked >= _POLL and not found:
                # Not every socket is Python's own, or gevent's.
                found, looked = _of_the_system(), monotonic()
            for port in found:
                if self._wanted in (None, port):
                    return port
            sleep(_GRAIN)

    def _cover(self, kind: Any) -> None:
        """Put a method over ``kind.listen`` that tells."""
        original = kind.listen

        @functools.wraps(original, updated=())
        def listen(sock: socket.socket, *arguments: Any) -> None:
            port = _port(sock)
            self._held.append(sock)
            try:
                if port:
                    self._tell(port)
                    if self._gate is not None and self._wanted in (None, port):
                        # Whoever comes first waits for all.
                        if self._gate.acquire(timeout=_HOLD):
                            self._gate.release()
                        self._gate = None
                original(sock, *arguments)
            finally:
                self._held.remove(sock)
            self._tell(_port(sock))

        kind.listen = listen

    def _tell(self, port: int) -> None:
        if port and port not in self._ports:
            self._ports.append(port)


def _port(sock: socket.socket) -> int:
    """The TCP port that ``sock`` has; 0 if it has none (yet)."""
    try:
        if sock.family in _FAMILIES and sock.type == socket.SOCK_STREAM:
            return int(sock.getsockname()[1])
    except OSError:
        pass
    return 0


def _of_the_system() -> list[int]:
    """The ports that the system says this process listens on."""
    try:
        import psutil

        connections = psutil.Process().net_connections(kind="tcp")
    except Exception:  # it is not there, or may not ask
        return []
    return sorted({found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN})
