"""The flat facts that the hooks note, in one bounded buffer.

The rule kept here: noting a fact waits for no one and keeps no frame and no value
of the program alive.  A fact is one row of seven small things, and rows are
added by a single ``list.extend``, which CPython does in one step: threads may
write side by side.  Now and then a batch of rows is packed into columns of machine
numbers (37 bytes a row, so 74 a call) and one string of bytes for all extras,
so that a long recording gives the garbage collector nothing to look at; when
the bound is reached, the oldest columns go first, and are counted.
"""

from __future__ import annotations

import itertools
import marshal
import struct
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from types import CodeType, FrameType
from typing import Any, Literal, NamedTuple

from utils.tracing.snapshots import type_name

#: The cells of a row: thread's ident, time in ns, kind, code, caller's code, offset, extra.
WIDTH = 7

#: So many rows are packed at a time: a pause of about a millisecond, once in some thousand calls.
BATCH = 4_096
#: How long a hook gives way to the packing, in seconds, if there are two batches of rows.
BRAKE = 0.02
#: Packed before the batch is full, if so many bytes of data were copied.
HEAVY = 8 << 20
#: Memory is bounded by so many bytes for each row of the capacity, extras included.
ROOM = 128


class Kind(IntEnum):
    """What a row tells.  The extra is None where nothing is added; else an atom or a plain tuple."""

    ENTER = 0  # extra: what Plan.enter gave
    LEAVE = 1  # extra: what Plan.leave gave
    UNWIND = 2  # left by an exception; extra: its type's name
    YIELD = 3  # a generator gives a value, or a coroutine waits; extra: the frame's id
    RESUME = 4  # and goes on; extra: the frame's id
    RUNNING = 5  # a call that had begun before the recording; extra: its Entered, as a plain tuple
    TRANSFER = 6  # a socket's call; extra: see transfers.read_moved
    THREAD = 7  # a thread begins, or was found; extra: its ThreadFacts, as a plain tuple
    SESSION = 8  # a recording begins: nothing before it is still open
    SWITCH = 9  # another greenlet has the thread; extra: its ThreadFacts, as a plain tuple; () if none has


class ThreadFacts(NamedTuple):
    """A thread or greenlet.  The system uses idents again at once, so these have numbers of our own."""

    number: int
    name: str
    identity: int  # id of its Thread or greenlet object


class Bearers:
    """Who has which ident, as the rows that were read so far tell: a thread, or one of its greenlets."""

    def __init__(self) -> None:
        self.now: dict[int, ThreadFacts] = {}  # ident → who has it
        self._threads: dict[int, ThreadFacts] = {}  # ident → the thread itself
        self._greenlets: dict[int, int] = {}  # ident → the number of the greenlet that runs in it
        self._as_threads: dict[int, ThreadFacts] = {}  # a greenlet's number → the Thread that it runs

    def copy(self) -> Bearers:
        """The same, to go on from."""
        other = Bearers()
        other.now = dict(self.now)
        other._threads, other._greenlets = dict(self._threads), dict(self._greenlets)
        other._as_threads = dict(self._as_threads)
        return other

    def take(self, kind: int, ident: int, extra: tuple[Any, ...]) -> None:
        """A row of the kind THREAD or SWITCH."""
        if kind == Kind.THREAD:
            facts = ThreadFacts(*extra)
            greenlet = self._greenlets.get(ident)
            if greenlet is None:
                self._threads[ident] = facts
            else:  # where gevent has put itself in its place, a Thread is a greenlet
                self._as_threads[greenlet] = facts
            self.now[ident] = facts
        elif extra:
            facts = ThreadFacts(*extra)
            self._greenlets[ident] = facts.number
            self.now[ident] = self._as_threads.get(facts.number, facts)
        else:
            self._greenlets.pop(ident, None)
            self.now.pop(ident, None)
            if ident in self._threads:
                self.now[ident] = self._threads[ident]


#: The cells of the columns, as struct spells them.
_CELLS: tuple[Literal["Q", "q", "B", "I"], ...] = ("Q", "q", "B", "Q", "Q", "I")
_ROW_BYTES = sum(map(struct.calcsize, _CELLS))


@dataclass(frozen=True, slots=True)
class Columns:
    """A batch of rows, packed."""

    idents: bytes  # each of these holds machine numbers, of the size that _CELLS tells
    times: bytes
    kinds: bytes
    codes: bytes
    callers: bytes
    ats: bytes
    extras: bytes  # row → extra, as marshal writes it

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return _ROW_BYTES * len(self) + len(self.extras)

    def rows(self) -> Iterator[tuple[int, int, int, int, int, int, Any]]:
        """Ident, time, kind, code's id, caller's id, offset and extra of each row."""
        columns = (self.idents, self.times, self.kinds, self.codes, self.callers, self.ats)
        cells = (memoryview(column).cast(cell) for column, cell in zip(columns, _CELLS, strict=True))
        extras = marshal.loads(self.extras)
        for index, row in enumerate(zip(*cells, strict=True)):
            yield *row, extras.get(index)


@dataclass(frozen=True, slots=True)
class Facts:
    """A consistent copy of the buffer, ready to be assembled."""

    batches: list[Columns]
    codes: dict[int, CodeType | None]  # id → code; that of None stands for none
    bearers: Bearers  # who had which ident before the first row
    lost: int
    faults: int


@dataclass
class Buffer:
    """Where all hooks write.

    At least the last ``capacity`` rows are kept, if they have room: what is
    packed never takes more than ``most_bytes`` and one batch.
    """

    capacity: int
    clock: Callable[[], int]
    rows: list[Any] = field(default_factory=list)
    weight: int = 0  # bytes of data copied into rows since the last packing
    faults: int = 0

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.batch = min(BATCH, self.capacity)
        #: The length of ``rows`` at which a hook calls :meth:`pack`.
        self.full = self.batch * WIDTH
        self.extend = self.rows.extend
        self.most_bytes = self.capacity * ROOM
        self._packed: deque[Columns] = deque()
        self._packed_rows = 0
        self.packed_bytes = 0
        self.lost = 0
        self._codes: dict[int, CodeType | None] = {}  # id → code, kept so that the id stays its own
        self._bearers = Bearers()
        self._packing = threading.Lock()  # a hook does not wait for it, or hardly
        self._thread_numbers = itertools.count(1)
        # ident → the thread that has it now.  The system uses idents again, and Python the
        # addresses of objects: only a reference tells that it is still the same thread.
        self._known: dict[int, tuple[weakref.ref[threading.Thread] | None, tuple[int, str, int]]] = {}
        self._known_greenlets: dict[int, tuple[weakref.ref[Any], tuple[int, str, int]]] = {}  # by their ids

    # ── written by the hooks ─────────────────────────────────────────────────

    def note(
        self,
        kind: Kind,
        extra: Any = None,
        code: CodeType | None = None,
        caller: CodeType | None = None,
        at: int = 0,
        ident: int | None = None,
    ) -> None:
        """Note one fact; the hooks do the same in line."""
        ident = threading.get_ident() if ident is None else ident
        self.extend((ident, self.clock(), kind, code, caller, at, extra))

    def pack(self, *, early: bool = False) -> None:
        """Pack whole batches of rows (``early``: all rows), and drop what is beyond the bound."""
        # Another thread may just be doing it.  Only if rows come faster than it
        # can pack them, it is given time: little, for it may be this very
        # thread, interrupted by a signal.
        patience = BRAKE if len(self.rows) >= 2 * self.full else 0
        if not self._packing.acquire(timeout=patience):
            return
        try:
            while len(self.rows) >= self.full:
                self._pack_rows(self.full)
            if early:
                self._pack_rows(len(self.rows))
        finally:
            self._packing.release()

    def meet(self, thread: threading.Thread | None, ident: int) -> None:
        """Note that ``thread``, which has ``ident``, is there."""
        known = self._known.get(ident)
        if known is not None and _refers_to(known[0], thread):
            facts = known[1]
        else:
            # Read past any property of a subclass: a hook runs no code of others.
            name = None if thread is None else object.__getattribute__(thread, "_name")
            name = name if type(name) is str else f"thread {ident}"
            identity, reference = (0, None) if thread is None else (id(thread), weakref.ref(thread))
            facts = (next(self._thread_numbers), name, identity)
            self._known[ident] = reference, facts
        self.extend((ident, self.clock(), Kind.THREAD, None, None, 0, facts))

    def meet_greenlet(self, greenlet: Any) -> tuple[int, str, int]:
        """The facts of ``greenlet``, which are its own as long as it lives."""
        identity = id(greenlet)
        known = self._known_greenlets.get(identity)
        if known is not None and known[0]() is greenlet:
            return known[1]
        number = next(self._thread_numbers)
        facts = (number, f"{type_name(type(greenlet))} {number}", identity)
        self._known_greenlets[identity] = weakref.ref(greenlet), facts
        return facts

    # ── by whoever reads ─────────────────────────────────────────────────────

    def copy(self) -> Facts:
        """What is kept at this moment; hooks may go on writing meanwhile."""
        with self._packing:
            rest = self._columns(self.rows[:])
            batches, codes = [*self._packed, rest], dict(self._codes)
            return Facts(batches, codes, self._bearers.copy(), self.lost, self.faults)

    def clear(self) -> None:
        """Forget all facts; threads keep their numbers."""
        with self._packing:
            self.rows.clear()
            self._packed.clear()
            self._bearers = Bearers()
            self._codes.clear()
            self.weight = self._packed_rows = self.packed_bytes = self.lost = self.faults = 0

    # ── packing, by whoever holds the lock ───────────────────────────────────

    def _pack_rows(self, length: int) -> None:
        # Others only ever append: the first ``length`` cells stay what they are.
        cells = self.rows[:length]
        del self.rows[:length]
        self.weight = 0
        columns = self._columns(cells)
        self._packed.append(columns)
        self._packed_rows += len(columns)
        self.packed_bytes += columns.size
        while len(self._packed) > 1 and (
            self._packed_rows - len(self._packed[0]) >= self.capacity or self.packed_bytes > self.most_bytes
        ):
            self._drop(self._packed.popleft())

    def _columns(self, cells: list[Any]) -> Columns:
        idents, times, kinds, codes, callers, ats, extras = (cells[at::WIDTH] for at in range(WIDTH))
        code_ids, caller_ids = self._known_ids(codes), self._known_ids(callers)
        return Columns(
            struct.pack(f"={len(idents)}Q", *idents),
            struct.pack(f"={len(times)}q", *times),
            bytes(kinds),
            struct.pack(f"={len(codes)}Q", *code_ids),
            struct.pack(f"={len(callers)}Q", *caller_ids),
            struct.pack(f"={len(ats)}I", *ats),
            marshal.dumps({index: extra for index, extra in enumerate(extras) if extra is not None}),
        )

    def _known_ids(self, codes: list[CodeType | None]) -> list[int]:
        """The ids of ``codes``, each of which is kept from now on: most are known already."""
        ids = list(map(id, codes))
        if not self._codes.keys() >= set(ids):
            self._codes.update(zip(ids, codes, strict=True))
        return ids

    def _drop(self, columns: Columns) -> None:
        self._packed_rows -= len(columns)
        self.packed_bytes -= columns.size
        self.lost += len(columns)
        if Kind.THREAD in columns.kinds or Kind.SWITCH in columns.kinds:
            for ident, _, kind, _, _, _, extra in columns.rows():
                if kind in (Kind.THREAD, Kind.SWITCH):
                    self._bearers.take(kind, ident, extra)


def _refers_to(reference: weakref.ref[threading.Thread] | None, thread: threading.Thread | None) -> bool:
    if reference is None or thread is None:
        return reference is None and thread is None
    return reference() is thread


#: The frame in which every thread of the threading module begins.
BOOTSTRAP: CodeType = threading.Thread._bootstrap_inner.__code__  # type: ignore[attr-defined]


def thread_of(frame: FrameType, ident: int) -> threading.Thread | None:
    """The Thread object that runs ``frame``.

    ``threading.current_thread()`` would make a dummy for a thread that is still
    starting; so the thread is read off the frame in which it begins.
    """
    outer: FrameType | None = frame
    while outer is not None:
        if outer.f_code is BOOTSTRAP:
            return outer.f_locals.get("self")
        outer = outer.f_back
    return threading._active.get(ident)  # type: ignore[attr-defined, no-any-return]
