"""WebSocket messages from frames: fragments joined (RFC 6455, section 5.4), and inflated.

The rule kept here: a message is given once, with its last frame; control
frames between its fragments do not touch it.  A message that is too long, or
whose beginning was not seen, is told as such and never put together.
"""

from __future__ import annotations

from typing import NamedTuple

from utils.wire.deflate import Inflater
from utils.wire.units import Fault
from utils.wire.websocket import Frame, Opcode

#: The most bytes that a message of many frames may come to, and the most frames.
LONGEST = 1 << 25
MOST_FRAGMENTS = 1 << 18

_DEFLATED, _DEFLATED_CLAUSE = "a deflated message", "RFC 7692 §7.2.2"
_NOT_AGREED = "a compressed message, though the handshake agreed on no compression"
_LOST = "a message that cannot be inflated: what came before is missing, or it is too large"


class Part(NamedTuple):
    """What one data frame is of its message."""

    whole: bytes | None  # the message, inflated; None before its last frame, or if there is none
    opcode: Opcode  # TEXT or BINARY, of the message
    before: int  # bytes of the message in the frames before this one
    pieces: list[bytes]  # the payloads of the message's frames, up to this one and after
    compressed: bool
    faults: tuple[Fault, ...] = ()

    @classmethod
    def of_compressed(cls, frame: Frame, whole: bytes | None) -> Part:
        """A compressed message in one frame; None if it could not be inflated."""
        faults = () if whole is not None else (Fault(frame.head, _DEFLATED, _LOST, _DEFLATED_CLAUSE),)
        return cls(whole, frame.opcode, 0, [], True, faults)


class Assembler:
    """Joins the data frames of one side."""

    def __init__(self) -> None:
        self.inflater: Inflater | None = None
        self._pieces: list[bytes] | None = None  # of the message under way
        self._size = 0
        self._opcode = Opcode.TEXT
        self._compressed = False
        self._dropped = False  # the message under way is not put together

    @property
    def idle(self) -> bool:
        """Whether no message is under way."""
        return self._pieces is None

    def lose(self) -> None:
        """Bytes of this side were not seen."""
        self._dropped = self._pieces is not None
        if self._dropped:
            self._pieces, self._size = [], 0
        if self.inflater is not None:
            self.inflater.lose()

    def add(self, frame: Frame, payload: bytes) -> Part:
        """Take the next data frame, unmasked."""
        faults: list[Fault] = []
        continues = frame.opcode is Opcode.CONTINUATION
        if continues and self._pieces is None:
            faults.append(Fault(0, "a new message", "a continuation of none", "RFC 6455 §5.4"))
            self._begin(Opcode.BINARY, compressed=False, dropped=True)
        elif not continues:
            if self._pieces is not None:
                faults.append(Fault(0, "a continuation frame", frame.opcode.name, "RFC 6455 §5.4"))
            self._begin(frame.opcode, compressed=bool(frame.rsv & 4), dropped=False)
        if reserved := frame.rsv & (3 if self.inflater is not None and not continues else 7):
            faults.append(Fault(0, "no reserved bit", f"RSV {reserved:03b}", "RFC 6455 §5.2"))
        assert self._pieces is not None
        before, pieces = self._size, self._pieces
        if not self._dropped:
            pieces.append(payload)
            self._size += len(payload)
            if self._size > LONGEST or len(pieces) > MOST_FRAGMENTS:
                expected = f"a message of at most {LONGEST} bytes and {MOST_FRAGMENTS} frames"
                faults.append(Fault(0, expected, "more", "RFC 6455 §10.4"))
                self._dropped = True
                pieces = self._pieces = []
                if self.inflater is not None:
                    self.inflater.lose()
        whole = None
        if frame.fin:
            if not self._dropped:
                whole = b"".join(pieces)
                if self._compressed:
                    whole = self._inflated(whole, frame, faults)
            self._pieces = None
        return Part(whole, self._opcode, before, pieces, self._compressed, tuple(faults))

    def _begin(self, opcode: Opcode, *, compressed: bool, dropped: bool) -> None:
        self._pieces, self._size, self._opcode = [], 0, opcode
        self._compressed, self._dropped = compressed, dropped

    def _inflated(self, data: bytes, frame: Frame, faults: list[Fault]) -> bytes | None:
        inflated = self.inflater.inflate(data) if self.inflater is not None else None
        if inflated is None:
            got = _LOST if self.inflater is not None else _NOT_AGREED
            faults.append(Fault(frame.head, _DEFLATED, got, _DEFLATED_CLAUSE))
        return inflated
