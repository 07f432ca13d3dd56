"""What one side of a connection has sent that is not a unit yet.

The rule kept here: everything that decides how the next bytes are read stands
in one place, so that giving up on a message is one step (:meth:`Half.seek`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from utils.wire.assembly import Assembler
from utils.wire.body import Body
from utils.wire.http import Head
from utils.wire.resync import Seeker
from utils.wire.units import Fault, Side

_SOUGHT = Fault(0, "an HTTP message or a WebSocket frame", "bytes that are neither")


class Mode(Enum):
    """What the bytes of a side are taken for."""

    SEEKING = "nothing known: the next beginning is sought"
    HTTP = "HTTP"
    WAITING = "asked for a WebSocket; the answer decides"
    WEBSOCKET = "WebSocket"


@dataclass(slots=True)
class Half:
    """One side's bytes that are not yet a unit, and what they may become."""

    side: Side
    seeker: Seeker
    mode: Mode = Mode.SEEKING
    start: int = 0  # offset of buffer[0] in the side's stream
    buffer: bytearray = field(default_factory=bytearray)
    enough: int = 0  # with fewer bytes than this, trying again is in vain
    ends_at: int = 0  # where in the buffer the message under way will end; 0 if that is not known
    skip: int = 0  # bytes to pass over: the rest of a message that is not decoded
    trouble: Fault = _SOUGHT  # why the next bytes are decoded by nobody
    fresh: bool = True  # while seeking: a message may well begin at buffer[0]
    after: int = 0  # while seeking: nothing begins before this place, but for the former
    final: bool = False  # the capture has ended
    upgraded: bool = False
    assembler: Assembler = field(default_factory=Assembler)
    # Of the HTTP message under way:
    scanned: int = 0  # bytes in which its head does not end
    head: Head | None = None
    body: Body | None = None

    @property
    def framing(self) -> bool:
        """Whether the next byte is the first of a WebSocket frame, and of a message."""
        return self.mode is Mode.WEBSOCKET and not self.buffer and not self.skip and self.assembler.idle

    def seek(self, trouble: Fault, after: int = 0) -> None:
        """Look for the next beginning."""
        self.mode, self.trouble, self.fresh, self.after = Mode.SEEKING, trouble, True, after
        self.forget()
        self.assembler.lose()

    def forget(self) -> None:
        """No message is under way."""
        self.enough = self.ends_at = self.scanned = 0
        self.head = self.body = None
