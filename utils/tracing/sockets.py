"""The socket boundary: every byte that a TCP socket of this process moved.

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
from threading import get_ident
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from utils.records import Endpoint, Flow, TransferKind
from utils.tracing.buffer import HEAVY, Buffer, Kind
from utils.tracing.connections import FAMILIES, UNKNOWN, Connections, attempt, endpoint
from utils.tracing.overhearing import Heard, Overhearing
from utils.tracing.snapshots import type_name


class Moved(NamedTuple):
    """What the extra of a TRANSFER tells: what one call on one socket did."""

    kind: TransferKind
    flow: Flow
    offset: int
    length: int
    start_ns: int
    end_ns: int
    data: bytes | None
    exception: str | None


class _Place(NamedTuple):
    """Where in its stream stands what a call is to send."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


_SEND, _RECV, _TRANSFER = TransferKind.SEND.value, TransferKind.RECV.value, Kind.TRANSFER


def read_moved(extra: tuple[Any, ...]) -> Moved:
    """What the boundary has noted: in a plain tuple of atoms, which the garbage collector lets go of."""
    kind, host, port, other_host, other_port, *rest = extra
    return Moved(TransferKind(kind), Flow(Endpoint(host, port), Endpoint(other_host, other_port)), *rest)


class SocketBoundary:
    """Counts the bytes of each connection, and notes transfers while ``recording``."""

    def __init__(self, buffer: Buffer, *, tap: bool, worker: Callable[[], Any] = get_ident) -> None:
        self._recording = False
        self.listener: Overhearing | None = None  # hears all bytes, recorded or not
        self._buffer = buffer
        self._tap = tap
        self._worker = worker
        self._connections = Connections()
        #: Class and name → (ours, the class's own or None).
        self._put: dict[tuple[Any, str], tuple[Any, Any]] = {}
        self._others: list[tuple[Any, Mapping[str, Callable[[Any], Any]]]] = []  # classes of gevent's

    @property
    def recording(self) -> bool:
        """Whether transfers are noted."""
        return self._recording

    @recording.setter
    def recording(self, wanted: bool) -> None:
        if wanted and not self._recording:
            self._connections.begin()
        self._recording = wanted

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

    def open_ports(self) -> list[int]:
        """The ports of the peers whose connections this process still serves.

        A connection is served until it is closed here and no thread that
        moved bytes on it runs any more.
        """
        return self._connections.open_ports()

    # ── noting: nothing here raises into the program ─────────────────────────

    def _place(self, sock: socket.socket, data: Any) -> _Place | None:
        """Where in their stream the bytes of ``data`` will stand; they are about to go out.

        A thread that has sent may have to wait for the interpreter; meanwhile the other side
        may have answered, and another thread sent what comes behind.
        """
        try:
            connection = self._connections.find(sock)
            if connection is None:
                return None
            place = _Place(connection.sent, memoryview(data).nbytes)
        except TypeError:
            return None  # no bytes: the socket will say so itself
        except Exception:
            self._buffer.faults += 1
            return None
        connection.sent = place.end
        return place

    def _sent(
        self,
        sock: socket.socket,
        data: Any,
        length: int | None,
        start_ns: int,
        error: BaseException | None,
        place: _Place | None = None,
    ) -> None:
        """``length`` bytes (None: all) of ``data`` went out; the caller's caller asked for it."""
        try:
            connection = self._connections.find(sock)
            if connection is None:
                return
            if length is None:
                length = memoryview(data).nbytes
            offset = connection.sent if place is None else place.offset
            # Of what was to go out, some may not have: unless more was placed behind it.
            if place is None or connection.sent == place.end:
                connection.sent = offset + length
            connection.workers.add(self._worker())
            if (listener := self.listener) is not None and length:
                copy = bytes(memoryview(data).cast("B")[:length])
                listener.hear(Heard(connection.out, True, offset, start_ns, copy))
            offset -= connection.begun[0]
            if self._recording and offset >= 0:  # else it was under way when the recording began
                kept = bytes(memoryview(data).cast("B")[:length]) if self._tap and length else None
                self._note(_SEND, connection.out, offset, length, start_ns, sys._getframe(2), kept, error)
        except Exception:
            self._buffer.faults += 1

    def _received(
        self, sock: socket.socket, data: Any, length: int, start_ns: int, error: BaseException | None
    ) -> None:
        """``length`` bytes of ``data`` came in; the caller's caller asked for them."""
        try:
            connection = self._connections.find(sock)
            if connection is None:
                return
            offset = connection.received
            connection.received = offset + length
            connection.workers.add(self._worker())
            if (listener := self.listener) is not None and length:
                copy = bytes(memoryview(data).cast("B")[:length])
                listener.hear(Heard(connection.back, False, offset, self._buffer.clock(), copy))
            if self._recording:
                kept = bytes(memoryview(data).cast("B")[:length]) if self._tap and length else None
                offset -= connection.begun[1]
                self._note(_RECV, connection.back, offset, length, start_ns, sys._getframe(2), kept, error)
        except Exception:
            self._buffer.faults += 1

    def _did(
        self,
        kind: TransferKind,
        flow: Flow,
        start_ns: int,
        frame: FrameType,
        offset: int = 0,
        error: BaseException | None = None,
    ) -> None:
        """A call that moved no bytes."""
        if self._recording:
            try:
                self._note(kind.value, flow, offset, 0, start_ns, frame, None, error)
            except Exception:
                self._buffer.faults += 1

    def _note(
        self,
        kind: str,
        flow: Flow,
        offset: int,
        length: int,
        start_ns: int,
        frame: FrameType,
        data: bytes | None,
        error: BaseException | None,
    ) -> None:
        buffer = self._buffer
        end_ns = buffer.clock()
        exception = None if error is None else type_name(type(error))
        moved = (kind, *flow[0], *flow[1], offset, length, start_ns, end_ns, data, exception)
        buffer.extend((get_ident(), end_ns, _TRANSFER, None, frame.f_code, frame.f_lasti, moved))
        if data is not None:
            buffer.weight += len(data)
            if buffer.weight >= HEAVY:
                buffer.pack(early=True)

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
        clock, place, sent = self._buffer.clock, self._place, self._sent

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
        clock, sent = self._buffer.clock, self._sent

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
        clock, place, sent = self._buffer.clock, self._place, self._sent

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
        clock, received = self._buffer.clock, self._received

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
        clock, received = self._buffer.clock, self._received

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
        clock, getframe = self._buffer.clock, sys._getframe

        def accept(sock: socket.socket) -> Any:
            start_ns = clock()
            accepted, address = original(sock)
            self._connections.watch(accepted)
            connection = self._connections.find(accepted)
            if connection is not None:
                self._did(TransferKind.ACCEPT, connection.back, start_ns, getframe(1))
            return accepted, address

        return accept

    def _make_do_read(self, original: Any) -> Any:
        clock, getframe = self._buffer.clock, sys._getframe

        def do_read(server: Any) -> Any:
            start_ns = clock()
            found = original(server)
            if found:
                self._connections.watch(found[0])
                connection = self._connections.find(found[0])
                if connection is not None:
                    self._did(TransferKind.ACCEPT, connection.back, start_ns, getframe(1))
            return found

        return do_read

    def _make_connect(self, original: Any) -> Any:
        clock, getframe = self._buffer.clock, sys._getframe

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
                    self._did(TransferKind.CONNECT, flow, start_ns, getframe(1), error=raised)

        return connect

    def _make_listen(self, original: Any) -> Any:
        clock, getframe = self._buffer.clock, sys._getframe

        def listen(sock: socket.socket, *arguments: Any) -> Any:
            start_ns = clock()
            result = original(sock, *arguments)
            if sock.family in FAMILIES:
                flow = Flow(endpoint(sock.getsockname()), UNKNOWN)
                self._did(TransferKind.LISTEN, flow, start_ns, getframe(1))
            return result

        return listen

    def _make_shutdown(self, original: Any) -> Any:
        clock, getframe = self._buffer.clock, sys._getframe

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
                    self._did(TransferKind.SHUTDOWN, connection.out, start_ns, getframe(1), at, raised)

        return shutdown

    def _make_dup(self, original: Any) -> Any:
        def dup(sock: socket.socket) -> Any:
            twin = original(sock)
            self._connections.share(sock, twin)
            return twin

        return dup

    def _make_close(self, original: Any) -> Any:
        clock, getframe = self._buffer.clock, sys._getframe

        def close(sock: socket.socket) -> Any:
            start_ns = clock()
            # Its name is known only as long as it is open.
            connection = self._connections.find(sock)
            result = original(sock)
            # As long as a file made of it is open, so is the connection; the last one closes it.
            if connection is not None and sock.fileno() < 0 and self._connections.close(sock):
                at = connection.sent - connection.begun[0]
                self._did(TransferKind.CLOSE, connection.out, start_ns, getframe(1), at)
            return result

        return close
