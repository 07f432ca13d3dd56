"""What the ledger of a message says: plain values, ready to be rendered.

The rule kept here: an explained byte has a line that wrote it and a line that
read it, each with the call that proves it; all others are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from utils.provenance.ranges import Ranges, size
from utils.records import Code, Message
from utils.wire.units import Span


class Part(Enum):
    """What a line of the ledger has to do with a byte."""

    VALUE = "hands the value over"
    MADE = "makes it"
    CARRIED = "carries it"
    SENT = "hands it to the socket"
    RECEIVED = "takes it from the socket"
    READ = "takes it apart"
    GIVEN = "gets the value"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: a step on a byte's way, and the line of code that it stands for."""

    part: Part
    process: str
    thread: int
    code: Code | None
    line: int | None
    time_ns: int
    call: int | None = None  # the id of the call that proves it, in its process


@dataclass(frozen=True, slots=True)
class Field:
    """One span of a message: the way of its bytes onto the wire, and off it.

    ``unwritten`` and ``unread`` are those of its bytes that are not explained.
    """

    span: Span
    written: tuple[Entry, ...]  # by time; the last is the send
    read: tuple[Entry, ...]  # by time; the first is the receive
    unwritten: Ranges = ()
    unread: Ranges = ()

    @property
    def writer(self) -> Entry | None:
        """The line that wrote these bytes: that of the value's owner, or else of the maker."""
        if size(self.unwritten) == self.span.end - self.span.start:
            return None
        wanted = (Part.VALUE, Part.MADE)
        return next((entry for part in wanted for entry in self.written if entry.part is part), None)

    def step(self, part: Part) -> Entry | None:
        """The first entry that has this to do with these bytes."""
        return next((entry for entry in (*self.written, *self.read) if entry.part is part), None)

    @property
    def reader(self) -> Entry | None:
        """The line that took these bytes apart."""
        if size(self.unread) == self.span.end - self.span.start:
            return None
        return next((entry for entry in reversed(self.read) if entry.part is Part.READ), None)


@dataclass(frozen=True, slots=True)
class Break:
    """A step that recorded other bytes, or other values, than the wire has."""

    writing: bool
    code: Code | None
    line: int | None
    ranges: Ranges
    why: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where each byte of ``message`` came from, and where it went.

    ``unreceived`` counts the bytes that no traced process took from a socket:
    nobody can have read them.  ``late`` is a message seen after a Close frame on
    its connection: nobody has to read it.  ``sender`` and ``receiver`` name the
    program that sent it, or got it, if that is one that was not traced (a message
    queue, a proxy): what it did with the bytes is not known, and not asked.
    """

    message: Message
    fields: tuple[Field, ...]
    breaks: tuple[Break, ...] = ()
    unreceived: int = 0
    late: bool = False
    sender: str = ""
    receiver: str = ""

    @property
    def unwritten(self) -> int:
        """Bytes of which no line is proved to have written them."""
        return 0 if self.sender else sum(size(one.unwritten) for one in self.fields)

    @property
    def unread(self) -> int:
        """Bytes that were received, and of which no line is proved to have read them."""
        return 0 if self.late or self.receiver else self._left

    @property
    def unused(self) -> int:
        """Bytes that were received after the Close, and that no line is proved to have read."""
        return self._left if self.late and not self.receiver else 0

    @property
    def _left(self) -> int:
        return sum(size(one.unread) for one in self.fields) - self.unreceived

    @property
    def unexplained(self) -> int:
        """Bytes that lack a writer, or a reader although they were received."""
        return self.unwritten + self.unread

    def at(self, offset: int) -> Field:
        """The field that byte ``offset`` of the message belongs to; IndexError if there is none."""
        for one in self.fields:
            if one.span.start <= offset < one.span.end:
                return one
        raise IndexError(offset)
