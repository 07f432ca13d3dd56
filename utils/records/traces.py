"""What the tracer yields: calls, transfers and hand-offs of each process.

The rule kept here: what a program's objects said is kept as bounded, safe text,
never as the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from utils.records.traffic import Flow


@dataclass(frozen=True, slots=True)
class Code:
    """A function, as its code object tells it."""

    filename: str  # as installed: an absolute path
    name: str  # the qualified name, e.g. ``SocketIO.on.<locals>.decorator``
    first_line: int


@dataclass(frozen=True, slots=True)
class Site:
    """A line inside a function: where a call was made or a value returned."""

    code: Code
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """One run of one Python function in one thread.

    ``id`` counts from 0 within its process; ``parent`` is the id of the
    nearest recorded call around it.  ``site`` is the line that called it (in
    the immediate caller, recorded or not); ``left`` the line that it returned
    from.  ``arguments`` and ``result`` are bounded, safe texts, or None where
    no snapshot was taken.  ``leave_ns`` is None for a call that was still
    running when the recording ended.
    """

    id: int
    process: str  # "server", "client", ...
    thread: int
    code: Code
    parent: int | None
    depth: int  # of recorded calls in this thread; 0 is the outermost
    enter_ns: int
    leave_ns: int | None = None
    site: Site | None = None
    left: int | None = None
    arguments: Mapping[str, str] | None = None
    result: str | None = None
    exception: str | None = None  # the exception's type name, if it left by one


class TransferKind(Enum):
    """What a socket was asked to do."""

    LISTEN = "listen"
    ACCEPT = "accept"
    CONNECT = "connect"
    SEND = "send"
    RECV = "recv"
    SHUTDOWN = "shutdown"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One call on one socket, with the bytes that it moved.

    ``flow`` is the direction in which the bytes travelled: local → remote for
    a send, remote → local for a recv.  ``offset`` counts the bytes moved that
    way on this connection before it, since the recording began.  ``call`` is the innermost recorded call
    of the thread; ``site`` the line that asked the socket.  ``data`` is kept
    only where the tap is on.
    """

    process: str
    thread: int
    kind: TransferKind
    flow: Flow
    offset: int
    length: int
    start_ns: int
    end_ns: int
    call: int | None = None
    site: Site | None = None
    data: bytes | None = None
    exception: str | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length


class HandOffKind(Enum):
    """The ways in which one thread hands work to another."""

    QUEUE = "queue"  # Queue.put → Queue.get
    EVENT = "event"  # Event.set → Event.wait
    THREAD = "thread"  # Thread.start → Thread.run


@dataclass(frozen=True, slots=True)
class HandOff:
    """Work that passed from one thread to another of the same process.

    ``given`` and ``taken`` are ids of the calls on either side (the put and
    the get, the set and the wait, the start and the run); ``taken_ns`` is when
    the work was taken up, which may be some time after it was taken out.
    """

    process: str
    kind: HandOffKind
    given: int
    taken: int
    given_ns: int
    taken_ns: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that the tracer recorded in one process."""

    process: str
    pid: int
    python: str
    threads: Mapping[int, str]  # ident → name
    calls: tuple[Call, ...]  # by enter_ns
    transfers: tuple[Transfer, ...]  # by start_ns
    handoffs: tuple[HandOff, ...]  # by taken_ns
    lost: int = 0  # events dropped at the buffer's bound, oldest first
    faults: int = 0  # errors inside the tracer itself, caught and counted
