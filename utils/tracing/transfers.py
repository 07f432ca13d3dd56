"""What moved: the bytes of each connection, counted, and the note of each call that moved some.

The rule kept here: nothing raises into the program, and a note is a plain tuple
of atoms, which the garbage collector lets go of.  Bytes are placed before they
go out: once they are out, anybody may send what comes behind them.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from threading import get_ident
from types import FrameType
from typing import Any, NamedTuple

from utils.records import Endpoint, Flow, TransferKind
from utils.tracing.buffer import HEAVY, Buffer, Kind
from utils.tracing.connections import Connections
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


class Place(NamedTuple):
    """Where in its stream stands what a call is to send."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


_SEND, _RECV, _TRANSFER = TransferKind.SEND.value, TransferKind.RECV.value, Kind.TRANSFER


def read_moved(extra: tuple[Any, ...]) -> Moved:
    """What a note tells."""
    kind, host, port, other_host, other_port, *rest = extra
    return Moved(TransferKind(kind), Flow(Endpoint(host, port), Endpoint(other_host, other_port)), *rest)


class Transfers:
    """Counts the bytes of each connection, and notes transfers while ``recording``.

    ``worker`` tells who works: a thread, or a greenlet in it.  With ``tap`` the
    bytes themselves are kept.
    """

    def __init__(self, buffer: Buffer, *, tap: bool, worker: Callable[[], Any] = get_ident) -> None:
        self._recording = False
        self.listener: Overhearing | None = None  # hears all bytes, recorded or not
        self.connections = Connections()
        self.clock = buffer.clock
        self._buffer = buffer
        self._tap = tap
        self._worker = worker

    @property
    def recording(self) -> bool:
        """Whether transfers are noted."""
        return self._recording

    @recording.setter
    def recording(self, wanted: bool) -> None:
        if wanted and not self._recording:
            self.connections.begin()
        self._recording = wanted

    def place(self, sock: socket.socket, data: Any) -> Place | None:
        """Where in their stream the bytes of ``data`` will stand; they are about to go out.

        A thread that has sent may have to wait for the interpreter; meanwhile the other side
        may have answered, and another thread sent what comes behind.
        """
        try:
            connection = self.connections.find(sock)
            if connection is None:
                return None
            place = Place(connection.sent, memoryview(data).nbytes)
        except TypeError:
            return None  # no bytes: the socket will say so itself
        except Exception:
            self._buffer.faults += 1
            return None
        connection.sent = place.end
        return place

    def sent(
        self,
        sock: socket.socket,
        data: Any,
        length: int | None,
        start_ns: int,
        error: BaseException | None,
        place: Place | None = None,
    ) -> None:
        """``length`` bytes (None: all) of ``data`` went out; the caller's caller asked for it."""
        try:
            connection = self.connections.find(sock)
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

    def received(
        self, sock: socket.socket, data: Any, length: int, start_ns: int, error: BaseException | None
    ) -> None:
        """``length`` bytes of ``data`` came in; the caller's caller asked for them."""
        try:
            connection = self.connections.find(sock)
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

    def did(
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
