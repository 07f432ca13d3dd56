"""Both directions of a connection to Redis, cut into the values that are sent.

The rule kept here: as everywhere, the units of a side tile its bytes exactly,
in order; one unit is one value of RESP.  An answer belongs to the command at
its place in line; what a subscriber is sent without asking answers nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial

from utils.wire import commands
from utils.wire.resp import Reader
from utils.wire.tiling import shown
from utils.wire.units import Fault, Layer, Side, Unit

#: The most commands that wait for their answers; older ones are forgotten.
MOST_ASKED = 1024

#: How a value begins: a client sends arrays only (a line typed by hand cannot be told from others).
_FIRSTS = {Side.CLIENT: b"*", Side.SERVER: b"+-:$*_#,(!=%|~>"}


@dataclass(slots=True)
class _Half:
    """One side's bytes that are not yet a unit."""

    side: Side
    reader: Reader
    start: int = 0  # offset of buffer[0] in the side's stream
    buffer: bytearray = field(default_factory=bytearray)
    trouble: Fault | None = None  # why the next beginning is sought
    fresh: bool = False  # while seeking: a value may well begin at buffer[0]

    def begin(self) -> None:
        self.reader = Reader(inline=self.side is Side.CLIENT)

    def seek(self, trouble: Fault, *, fresh: bool) -> None:
        self.trouble, self.fresh = trouble, fresh
        self.begin()

    def take(self, size: int) -> tuple[int, bytes]:
        start, raw = self.start, bytes(self.buffer[:size])
        del self.buffer[:size]
        self.start += size
        return start, raw


class RedisConnection:
    """Feed it both sides' bytes as they come; it gives the units that they complete."""

    def __init__(self) -> None:
        self._halves = {side: _Half(side, Reader(inline=side is Side.CLIENT)) for side in Side}
        self._asked: deque[str] = deque(maxlen=MOST_ASKED)  # commands without their answers yet

    def feed(self, side: Side, data: bytes | memoryview) -> list[Unit]:
        """The units that ``data``, the next bytes of ``side``, completes."""
        half = self._halves[side]
        half.buffer += data
        found: list[Unit] = []
        while half.buffer:
            if half.trouble is not None and not self._seek(half, half.trouble, found):
                break
            if len(half.buffer) < half.reader.need:
                break
            end = half.reader.read(half.buffer)
            if end is None:
                break
            if isinstance(end, Fault):
                half.seek(end, fresh=False)
            else:
                found.append(self._unit(half, end))
        return found

    def gap(self, side: Side, length: int) -> list[Unit]:
        """``length`` bytes of ``side`` are missing; what stood before them is given as it is."""
        half = self._halves[side]
        found = self._flush(half, Fault(len(half.buffer), "the next byte", f"{length} bytes missing"))
        half.start += length
        half.seek(Fault(0, "the bytes before it", f"{length} bytes missing"), fresh=True)
        self._asked.clear()  # which of them were answered in the lost bytes is not known
        return found

    def finish(self) -> list[Unit]:
        """What is left at the end of the capture."""
        found = []
        for half in self._halves.values():
            found += self._flush(half, Fault(len(half.buffer), "the rest of it", "the end of the capture"))
        return found

    def _seek(self, half: _Half, trouble: Fault, found: list[Unit]) -> bool:
        """Pass over what precedes the next line that may begin a value; whether there is one."""
        at = _beginning(half)
        # Of what is passed over, the end may be a part of a line's end.
        kept = 2 if half.buffer.endswith(b"\r\n") else int(half.buffer.endswith(b"\r"))
        passed = len(half.buffer) - kept if at is None else at
        if passed:
            found.append(self._unknown(half, passed, trouble))
            half.fresh = False
        if at is not None:
            half.trouble = None
        return at is not None

    def _unknown(self, half: _Half, size: int, fault: Fault) -> Unit:
        start, raw = half.take(size)
        if fault.offset >= size:
            fault = replace(fault, offset=0)
        # They are not told: a part of a command may be a password.
        told = f"? {size} bytes of no value"
        return Unit(half.side, Layer.UNKNOWN, start, raw, raw, summary=told, faults=(fault,))

    def _flush(self, half: _Half, fault: Fault) -> list[Unit]:
        found = [self._unknown(half, len(half.buffer), fault)] if half.buffer else []
        half.begin()
        return found

    def _unit(self, half: _Half, end: int) -> Unit:
        tokens = tuple(half.reader.tokens)
        start, raw = half.take(end)
        half.begin()
        value = commands.Value(half.side, raw, tokens)
        role, told, answered = value.role, commands.told(value), ""
        if role.asks:
            self._asked.append(role.asks)
        elif role.answers and self._asked:
            answered = self._asked.popleft()
            told = f"{told} · answers {shown(answered, 20)}{commands.meaning(answered, value)}"
        return Unit(
            half.side,
            Layer.REDIS,
            start,
            raw,
            b"" if role.carries is None else role.carries.payload,
            summary=shown(told, 120),
            _explain=partial(commands.explained, value, answered),
        )


def _beginning(half: _Half) -> int | None:
    """Where the next value may begin: at a line's beginning, or at once, if a value may well begin there."""
    data, firsts = half.buffer, _FIRSTS[half.side]
    if half.fresh and data[0] in firsts:
        return 0
    at = data.find(b"\r\n") + 2
    while 2 <= at < len(data):
        if data[at] in firsts:
            return at
        at = data.find(b"\r\n", at) + 2
    return None
