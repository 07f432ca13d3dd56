"""The frozen values that flow through the lab: facts, extracted once.

Nothing here does I/O, interprets or renders.  Times are integers in
nanoseconds of the system's real-time clock (``time.time_ns()``), the clock of
the kernel's packet stamps: packets and frames need no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, NamedTuple

from utils.wire.units import Side, Unit


class Endpoint(NamedTuple):
    """One end of a TCP connection."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Flow(NamedTuple):
    """One direction of a TCP connection: from source to destination."""

    source: Endpoint
    destination: Endpoint

    @property
    def reverse(self) -> Flow:
        return Flow(self.destination, self.source)

    def __str__(self) -> str:
        return f"{self.source} → {self.destination}"


# ── what the capture yields ──────────────────────────────────────────────────


class Flag(IntEnum):
    """TCP control bits that the lab looks at (RFC 9293, section 3.1)."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment.  ``synthetic`` headers come from the user-space tap."""

    time_ns: int
    flow: Flow
    sequence: int  # modulo 2**32, as on the wire
    acknowledgment: int
    flags: int
    payload: bytes
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded unit with its place on the wire and its times.

    ``first_ns`` and ``last_ns`` are the stamps of the segments that brought
    its first and its last byte.
    """

    flow: Flow
    unit: Unit
    first_ns: int
    last_ns: int

    @property
    def side(self) -> Side:
        return self.unit.side

    @property
    def start(self) -> int:
        """Offset of the first byte in the flow's stream."""
        return self.unit.start

    @property
    def end(self) -> int:
        return self.unit.end


# ── what the tracer yields ───────────────────────────────────────────────────


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


# ── what a recording is ──────────────────────────────────────────────────────


class Service(NamedTuple):
    """What listens at a port: a process of the application, or a program that its processes use."""

    name: str  # as the views call it: "server", "server 2", "Redis"
    protocol: str = "http"  # "http" (with all that it may be upgraded to) or "redis"
    traced: bool = True  # whether its own process was


@dataclass(frozen=True, slots=True)
class Meta:
    """How a recording came to be."""

    name: str
    mode: str  # "live", "tap" or "replay": see utils.capture
    why: str  # why that mode
    created: str  # ISO 8601, UTC
    python: str
    platform: str
    versions: Mapping[str, str]  # distribution → version
    port: int
    bytes_lost: int = 0  # that the capture missed, as the sequence numbers tell
    packets_dropped: int = 0  # that the kernel had no room for, as it tells itself
    extra: Mapping[str, Any] = field(default_factory=dict)
    services: Mapping[int, Service] = field(default_factory=dict)  # port → what listens; none: one server

    @property
    def listening(self) -> Mapping[int, Service]:
        """What listens, by its port: the one server, unless there are several."""
        return self.services or {self.port: Service("server")}


class Definition(NamedTuple):
    """Where a function or class stands in its file."""

    kind: str  # "class" or "function"
    first: int  # the line of its ``def`` or ``class``
    last: int
    digest: str  # of its text, wherever it stands and however far it is indented


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recording keeps of the sources that ran, for where other versions are installed.

    Files go by their portable names (``Flask:flask/app.py``, see :mod:`utils.libraries`).
    """

    libraries: Mapping[str, Library]  # by name
    licences: Mapping[str, str]  # name → the licence's own text, as installed
    definitions: Mapping[str, Mapping[str, Definition]]  # file → qualified name → where
    lines: Mapping[str, Mapping[int, str]]  # file → number → text, of the excerpts alone
    excerpts: Mapping[tuple[str, str, int | None], tuple[int | None, ...]]  # file, function, current line

    def excerpt(self, file: str, function: str, current: int | None) -> Excerpt | None:
        """The excerpt of ``function`` at line ``current`` as it was when it ran; None if none was kept."""
        numbers = self.excerpts.get((file, function, current))
        if numbers is None:
            return None
        texts = self.lines[file]
        lines = tuple(None if number is None else (number, texts[number]) for number in numbers)
        return Excerpt(file.partition(":")[2], file, function, lines, current)


@dataclass(frozen=True, slots=True)
class Recording:
    """Packets and calls of one run, on one clock."""

    meta: Meta
    segments: Sequence[Segment]  # by time_ns
    traces: tuple[Trace, ...]  # one for each traced process
    sources: Sources | None = None  # kept where the versions are the point

    def trace(self, process: str) -> Trace:
        """The trace of ``process``; KeyError if it was not traced."""
        for trace in self.traces:
            if trace.process == process:
                return trace
        raise KeyError(process)


# ── what the views render ────────────────────────────────────────────────────


class Link(NamedTuple):
    """Where a line of code can be read on its forge.

    ``proved`` is True where the version's tag and the path are known from the
    package itself; otherwise ``url`` is None and the bare file and line stand.
    """

    url: str | None
    proved: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of one installed source file.

    ``lines`` holds (number, text) pairs; ``None`` stands for a gap.
    ``current`` is the number of the marked line, or None.
    """

    path: str  # relative to its library, with the library's own folder: flask/app.py
    filename: str  # as installed
    function: str
    lines: tuple[tuple[int, str] | None, ...]
    current: int | None


@dataclass(frozen=True, slots=True)
class Library:
    """One distribution of the stack (or CPython, or the application)."""

    name: str  # as its metadata spells it, e.g. "Flask-SocketIO"
    version: str
    licence: str  # SPDX expression, or what the metadata says
    home: str | None  # the repository's address


class StepKind(Enum):
    """What a step of a journey is."""

    CALL = "call"  # a function is entered
    SEND = "send"  # bytes go into a socket
    RECV = "recv"  # bytes come out of a socket
    WIRE = "wire"  # a message on the wire
    HANDOFF = "handoff"  # work passes to another thread
    SOCKET = "socket"  # a connection begins or ends
    CLOCK = "clock"  # the time is over for which a thread slept


class Level(IntEnum):
    """How deep to look; each level shows all of the levels before it."""

    LIBRARY = 1  # where one library calls into another, and the wire
    ESSENTIAL = 2  # the functions that do the work
    ALL = 3  # everything recorded


class Touch(NamedTuple):
    """Bytes of a message that passed through a step; ``ranges`` are (start, end) in its ``unit.raw``."""

    what: str  # a verb: "writes", "reads", ...
    message: Message
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a journey, ready to be rendered: plain texts and numbers.

    ``since_ns`` counts from the journey's start; ``turn`` numbers the turns (see
    :mod:`utils.journeys.turns`) in the order in which they are told.  ``message`` and ``span`` are
    the bytes in play: ``span`` is a (start, end) in ``message.unit.raw``.  ``call`` is the
    id, in its process, of the call that is entered, that moved bytes, or that handed on.
    """

    kind: StepKind
    level: Level
    process: str
    thread: str
    title: str  # the function's qualified name, or the message's summary
    since_ns: int
    depth: int
    duration_ns: int | None = None
    library: Library | None = None
    excerpt: Excerpt | None = None
    link: Link | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    result: str | None = None
    note: str = ""  # one sentence, made from the facts
    message: Message | None = None
    span: tuple[int, int] | None = None
    onward: bool = False  # bytes or work leave the thread here
    turn: int = 0  # which turn of which thread: steps of one turn share it
    call: int | None = None
    touches: tuple[Touch, ...] = ()  # see utils.provenance.touched


@dataclass(frozen=True, slots=True)
class Journey:
    """What happened to one message, from the line that asked for it onwards.

    ``steps`` stand in the order of cause, not of the clock: a thread's work is
    told to its end before the work that it handed on.  ``wakers`` tells, for the
    number of each turn but the first, which turn sent or handed on what woke it.
    """

    name: str
    start_ns: int  # real time of the first step
    steps: tuple[Step, ...]
    mode: str  # the capture's mode
    traced: bool = True
    wakers: Mapping[int, int] = field(default_factory=dict)

    def at(self, level: Level) -> tuple[Step, ...]:
        """The steps that ``level`` shows."""
        return tuple(step for step in self.steps if step.level <= level)
