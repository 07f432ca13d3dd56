"""The socket boundary: what every TCP socket of this process is asked to do, told as it is done.

The rule kept here: a socket behaves exactly as it does unobserved; same
results, same exceptions.  The methods are put over those that ``socket.socket``
inherits from C, by attributes of the class, and taken off again, which leaves
the class as it was.  Offsets are true only for connections that began while
the boundary stood; transfers of others are not noted.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from utils.records import Flow, TransferKind
from utils.tracing.connections import FAMILIES, UNKNOWN, attempt, endpoint
from utils.tracing.transfers import Transfers


class SocketBoundary:
    """Tells ``transfers`` what the sockets of this process do."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._connections = transfers.connections
        #: Class and name → (ours, the class's own or None).
        self._put: dict[tuple[Any, str], tuple[Any, Any]] = {}
        self._others: list[tuple[Any, Mapping[str, Callable[[Any], Any]]]] = []  # classes of gevent's

    # ── putting up and taking down ───────────────────────────────────────────

    def install(self) -> None:
        """Begin to count; idempotent."""
        if self._put:
            return
        self._cover(socket.socket, self._methods())
        for kind, methods in self._others:
            self._cover(kind, methods)

    def also(self, module: ModuleType) -> None:
        """Count the bytes of gevent's sockets, too: ``module`` is gevent's, and just imported."""
        methods = self._methods()
        if module.__name__ == "gevent.server":
            # Its server takes the connection from below the socket's own accept.
            self._add(module.StreamServer, {"do_read": self._make_do_read})
        else:
            # gevent's sendall sends by this class's send, piece by piece: each piece is told.
            del methods["sendall"]
            self._add(module.socket, {**methods, "send": self._make_send_in_turn})

    def _add(self, kind: Any, methods: Mapping[str, Callable[[Any], Any]]) -> None:
        self._others.append((kind, methods))
        if self._put:
            self._cover(kind, methods)

    def _cover(self, kind: Any, methods: Mapping[str, Callable[[Any], Any]]) -> None:
        """Put methods of ours over those of ``kind``."""
        for name, make in methods.items():
            original = getattr(kind, name)
            method = make(original)
            functools.update_wrapper(method, original, updated=())
            self._put[kind, name] = (method, kind.__dict__.get(name))
            setattr(kind, name, method)

    def remove(self) -> None:
        """Leave the classes as they were; idempotent.

        A method that someone else has put over ours since then stays, and still calls ours.
        """
        for (kind, name), (method, own) in self._put.items():
            if kind.__dict__.get(name) is not method:
                continue
            if own is None:
                delattr(kind, name)
            else:
                setattr(kind, name, own)
        self._put.clear()
        self._connections.clear()

    # ── the methods ──────────────────────────────────────────────────────────

    def _methods(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "send": self._make_send,
            "sendall": self._make_sendall,
            "recv": self._make_recv,
            "recv_into": self._make_recv_into,
            "accept": self._make_accept,
            "connect": self._make_connect,
            "connect_ex": self._make_connect,
            "listen": self._make_listen,
            "shutdown": self._make_shutdown,
            "close": self._make_close,
            "dup": self._make_dup,
        }

    def _make_send(self, original: Any) -> Any:
        clock, place, sent = self._transfers.clock, self._transfers.place, self._transfers.sent

        def send(sock: socket.socket, *arguments: Any, **named: Any) -> Any:
            start_ns = clock()
            placed = place(sock, arguments[0]) if arguments else None
            try:
                length = original(sock, *arguments, **named)
            except BaseException as error:
                sent(sock, b"", 0, start_ns, error, placed)
                raise
            sent(sock, arguments[0], length, start_ns, None, placed)
            return length

        return send

    def _make_send_in_turn(self, original: Any) -> Any:
        """A gevent socket's: it may let others send before it does, and is never interrupted behind it."""
        clock, sent = self._transfers.clock, self._transfers.sent

        def send(sock: socket.socket, *arguments: Any, **named: Any) -> Any:
            start_ns = clock()
            try:
                length = original(sock, *arguments, **named)
            except BaseException as error:
                sent(sock, b"", 0, start_ns, error)
                raise
            sent(sock, arguments[0], length, start_ns, None)
            return length

        return send

    def _make_sendall(self, original: Any) -> Any:
        clock, place, sent = self._transfers.clock, self._transfers.place, self._transfers.sent

        def sendall(sock: socket.socket, *arguments: Any) -> None:
            start_ns = clock()
            placed = place(sock, arguments[0]) if arguments else None
            try:
                original(sock, *arguments)
            except BaseException as error:
                # How much went out is not known to anyone: none is claimed.
                sent(sock, b"", 0, start_ns, error, placed)
                raise
            sent(sock, arguments[0], None, start_ns, None, placed)

        return sendall

    def _make_recv(self, original: Any) -> Any:
        clock, received = self._transfers.clock, self._transfers.received

        def recv(sock: socket.socket, *arguments: Any) -> Any:
            start_ns = clock()
            try:
                data = original(sock, *arguments)
            except BaseException as error:
                received(sock, b"", 0, start_ns, error)
                raise
            if len(arguments) < 2 or not arguments[1] & socket.MSG_PEEK:
                received(sock, data, len(data), start_ns, None)
            return data

        return recv

    def _make_recv_into(self, original: Any) -> Any:
        clock, received = self._transfers.clock, self._transfers.received

        def recv_into(sock: socket.socket, buffer: Any, *arguments: Any, **named: Any) -> Any:
            start_ns = clock()
            try:
                length = original(sock, buffer, *arguments, **named)
            except BaseException as error:
                received(sock, b"", 0, start_ns, error)
                raise
            flags = arguments[1] if len(arguments) > 1 else named.get("flags", 0)
            if not flags & socket.MSG_PEEK:
                received(sock, buffer, length, start_ns, None)
            return length

        return recv_into

    def _make_accept(self, original: Any) -> Any:
        clock, did, getframe = self._transfers.clock, self._transfers.did, sys._getframe

        def accept(sock: socket.socket) -> Any:
            start_ns = clock()
            accepted, address = original(sock)
            self._connections.watch(accepted)
            connection = self._connections.find(accepted)
            if connection is not None:
                did(TransferKind.ACCEPT, connection.back, start_ns, getframe(1))
            return accepted, address

        return accept

    def _make_do_read(self, original: Any) -> Any:
        clock, did, getframe = self._transfers.clock, self._transfers.did, sys._getframe

        def do_read(server: Any) -> Any:
            start_ns = clock()
            found = original(server)
            if found:
                self._connections.watch(found[0])
                connection = self._connections.find(found[0])
                if connection is not None:
                    did(TransferKind.ACCEPT, connection.back, start_ns, getframe(1))
            return found

        return do_read

    def _make_connect(self, original: Any) -> Any:
        clock, did, getframe = self._transfers.clock, self._transfers.did, sys._getframe

        def connect(sock: socket.socket, *arguments: Any) -> Any:
            start_ns = clock()
            self._connections.watch(sock)
            raised: BaseException | None = None
            try:
                return original(sock, *arguments)
            except BaseException as error:
                raised = error
                raise
            finally:
                connection = self._connections.find(sock)
                if connection is not None or raised is not None:
                    flow = connection.out if connection is not None else attempt(arguments)
                    did(TransferKind.CONNECT, flow, start_ns, getframe(1), error=raised)

        return connect

    def _make_listen(self, original: Any) -> Any:
        clock, did, getframe = self._transfers.clock, self._transfers.did, sys._getframe

        def listen(sock: socket.socket, *arguments: Any) -> Any:
            start_ns = clock()
            result = original(sock, *arguments)
            if sock.family in FAMILIES:
                flow = Flow(endpoint(sock.getsockname()), UNKNOWN)
                did(TransferKind.LISTEN, flow, start_ns, getframe(1))
            return result

        return listen

    def _make_shutdown(self, original: Any) -> Any:
        clock, did, getframe = self._transfers.clock, self._transfers.did, sys._getframe

        def shutdown(sock: socket.socket, *arguments: Any) -> Any:
            start_ns = clock()
            connection = self._connections.find(sock)
            raised: BaseException | None = None
            try:
                return original(sock, *arguments)
            except BaseException as error:
                raised = error
                raise
            finally:
                if connection is not None:
                    at = connection.sent - connection.begun[0]
                    did(TransferKind.SHUTDOWN, connection.out, start_ns, getframe(1), at, raised)

        return shutdown

    def _make_dup(self, original: Any) -> Any:
        def dup(sock: socket.socket) -> Any:
            twin = original(sock)
            self._connections.share(sock, twin)
            return twin

        return dup

    def _make_close(self, original: Any) -> Any:
        clock, did, getframe = self._transfers.clock, self._transfers.did, sys._getframe

        def close(sock: socket.socket) -> Any:
            start_ns = clock()
            # Its name is known only as long as it is open.
            connection = self._connections.find(sock)
            result = original(sock)
            # As long as a file made of it is open, so is the connection; the last one closes it.
            if connection is not None and sock.fileno() < 0 and self._connections.close(sock):
                at = connection.sent - connection.begun[0]
                did(TransferKind.CLOSE, connection.out, start_ns, getframe(1), at)
            return result

        return close
