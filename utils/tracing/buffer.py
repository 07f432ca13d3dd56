"""The flat facts that the hooks note, in one bounded buffer.

The rule kept here: noting a fact takes no lock, keeps no frame and no live
object, and costs a few bytes.  A fact is one fixed-size record of a chunk; what
does not fit into it (a snapshot, a transfer) is appended to the chunk's
``extras`` and belongs to the next flagged record of the same thread.  Both
appends are single operations of CPython, so threads may write side by side.
When the bound is reached, the oldest chunk goes first, and is counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from struct import Struct
from types import CodeType, FrameType
from typing import Any, NamedTuple

#: time in ns · thread's number · code's number << SHIFT | flags | kind · caller's code · offset
RECORD = Struct("=qIIII")
SHIFT = 5
EXTRA = 0x10  # flag: one entry of ``extras`` belongs to this record
KIND = 0x0F

#: Records of one chunk: small enough to drop, large enough to be rarely changed.
CHUNK_RECORDS = 16_384
#: A chunk with so many bytes of copied data is changed before it is full.
CHUNK_WEIGHT = 8 << 20
#: What one entry of ``extras`` is taken to weigh, in bytes, when the bound is watched.
EXTRA_WEIGHT = 256

NO_CODE = 0


class Kind(IntEnum):
    """What a record tells."""

    ENTER = 0
    LEAVE = 1
    UNWIND = 2  # left by an exception
    YIELD = 3  # a generator gives a value, or a coroutine waits
    RESUME = 4  # and goes on
    RUNNING = 5  # a call that had begun before the recording
    TRANSFER = 6  # a socket's call
    SESSION = 7  # a recording begins: nothing before it is still open


class Extra(NamedTuple):
    """One entry of ``extras``: which thread noted it, and what."""

    thread: int
    value: Any


class Chunk:
    """Some thousand records, with their extras."""

    __slots__ = ("extras", "records", "weight")

    def __init__(self) -> None:
        self.records = bytearray()
        self.extras: list[Extra] = []
        self.weight = 0  # bytes of copied data, beside the records and the extras

    @property
    def size(self) -> int:
        """About how many bytes of memory it holds."""
        return len(self.records) + len(self.extras) * EXTRA_WEIGHT + self.weight


@dataclass
class ThreadFacts:
    """What is known of one thread; ``identity`` is the id of its Thread object."""

    name: str
    ident: int
    identity: int


@dataclass(frozen=True)
class Facts:
    """A consistent copy of the buffer, ready to be assembled."""

    chunks: list[tuple[bytes, list[Extra]]]
    codes: list[CodeType | None]
    threads: dict[int, ThreadFacts]
    lost: int
    faults: int


class _Here(threading.local):
    """The number of the running thread.

    Numbers are our own: the system's idents are used again as soon as a thread
    has ended, and each event starts a thread.
    """

    number: int


@dataclass
class Buffer:
    """Where all hooks write.  ``capacity`` bounds the records that are kept."""

    capacity: int
    clock: Callable[[], int]
    chunk: Chunk = field(default_factory=Chunk)
    here: _Here = field(default_factory=_Here)
    numbers: dict[int, int] = field(default_factory=dict)  # id(code) → its number
    codes: list[CodeType | None] = field(default_factory=lambda: [None])  # keeps them alive
    threads: dict[int, ThreadFacts] = field(default_factory=dict)
    faults: int = 0

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._chunk_records = min(CHUNK_RECORDS, self.capacity)
        self.full = self._chunk_records * RECORD.size
        self.heavy = CHUNK_WEIGHT
        self._bound = self.capacity * (RECORD.size + EXTRA_WEIGHT)
        self._sealed: deque[Chunk] = deque()
        self._sealed_records = 0
        self._sealed_size = 0
        self._lost = 0
        self._changing = threading.Lock()  # only ever tried, never waited for, by a hook
        self._next_thread = count(1)
        self._assigned: dict[int, int] = {}  # ident → number given before the thread's first event

    # ── written by the hooks ─────────────────────────────────────────────────

    def seal(self, chunk: Chunk) -> None:
        """Begin a new chunk after ``chunk``; drop the oldest beyond the bound."""
        if not self._changing.acquire(blocking=False):
            return  # another thread is just doing it
        try:
            if chunk is not self.chunk:
                return
            self.chunk = Chunk()
            self._sealed.append(chunk)
            self._sealed_records += len(chunk.records) // RECORD.size
            self._sealed_size += chunk.size
            while self._sealed and (
                self._sealed_records + self._chunk_records > self.capacity or self._sealed_size > self._bound
            ):
                oldest = self._sealed.popleft()
                self._sealed_records -= len(oldest.records) // RECORD.size
                self._sealed_size -= oldest.size
                self._lost += len(oldest.records) // RECORD.size
        finally:
            self._changing.release()

    def number(self, code: CodeType) -> int:
        """The number of ``code``, which is kept alive so that its id stays its own."""
        known = self.numbers.get(id(code))
        if known is None:
            # Two threads may both get here: the code then has two numbers, and both are right.
            self.codes.append(code)
            known = len(self.codes) - 1
            while self.codes[known] is not code:
                known -= 1
            self.numbers[id(code)] = known
        return known

    def enlist(self, frame: FrameType) -> int:
        """Number the running thread; ``frame`` is any frame of it."""
        ident = threading.get_ident()
        thread = _thread_of(frame, ident)
        assigned = self._assigned.pop(ident, None)
        if assigned is not None and self.threads[assigned].identity == _identity(thread):
            number = assigned
        else:
            number = next(self._next_thread)
            self.threads[number] = _facts_of(thread, ident)
        self.here.number = number
        return number

    # ── by whoever starts a recording ────────────────────────────────────────

    def assign(self, ident: int, frame: FrameType) -> int:
        """Number the thread ``ident``, which may be another than the running one."""
        if ident == threading.get_ident():
            known = getattr(self.here, "number", None)
            return self.enlist(frame) if known is None else known
        thread = _thread_of(frame, ident)
        for number, facts in reversed(self.threads.items()):
            if facts.ident == ident and facts.identity == _identity(thread):
                return number
        number = next(self._next_thread)
        self.threads[number] = _facts_of(thread, ident)
        self._assigned[ident] = number
        return number

    def note(self, kind: Kind, thread: int = 0, code: int = NO_CODE, caller: int = NO_CODE, at: int = 0) -> None:
        """Note one record; the hooks do the same in line."""
        records = self.chunk.records
        records += RECORD.pack(self.clock(), thread, code << SHIFT | kind, caller, at)

    def copy(self) -> Facts:
        """What is kept at this moment; hooks may go on writing meanwhile."""
        with self._changing:
            chunks = [*self._sealed, self.chunk]
            # Records first: an extra is always appended before its record.
            copies = [(bytes(chunk.records), chunk.extras[:]) for chunk in chunks]
            return Facts(copies, self.codes[:], dict(self.threads), self._lost, self.faults)

    def clear(self) -> None:
        """Forget all records; threads and codes keep their numbers."""
        with self._changing:
            self._sealed.clear()
            self._sealed_records = self._sealed_size = self._lost = 0
            self.faults = 0
            self.chunk = Chunk()


def unpack(records: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """The records of one chunk."""
    whole = len(records) - len(records) % RECORD.size
    return RECORD.iter_unpack(records[:whole])


_BOOTSTRAP = threading.Thread._bootstrap_inner.__code__  # type: ignore[attr-defined]


def _thread_of(frame: FrameType, ident: int) -> threading.Thread | None:
    """The Thread object that runs ``frame``.

    ``threading.current_thread()`` would make a dummy for a thread that is still
    starting; so the thread is read off the frame that starts it.
    """
    outer: FrameType | None = frame
    while outer is not None:
        if outer.f_code is _BOOTSTRAP:
            found = outer.f_locals.get("self")
            return found if isinstance(found, threading.Thread) else None
        outer = outer.f_back
    return threading._active.get(ident)  # type: ignore[attr-defined, no-any-return]


def _identity(thread: threading.Thread | None) -> int:
    return 0 if thread is None else id(thread)


def _facts_of(thread: threading.Thread | None, ident: int) -> ThreadFacts:
    # Read past any property of a subclass: a hook runs no code of others.
    name = None if thread is None else object.__getattribute__(thread, "_name")
    return ThreadFacts(name if type(name) is str else f"thread {ident}", ident, _identity(thread))
