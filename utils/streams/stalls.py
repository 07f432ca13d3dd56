"""Where a sender's kernel kept small packets back: Nagle's algorithm meets delayed acknowledgements.

The rule kept here: a stall is told by what was on the wire (data, a long
silence, the acknowledgement, and at once the next data), and proved by when
the program had handed the bytes over, where that was recorded.

RFC 9293, section 3.7.4, says when a small segment may wait for the
acknowledgement of the one before; section 3.8.6.3, how long that may be put off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from utils.records import Flag, Flow, Segment, Transfer, TransferKind

#: So long is at least waited for a delayed acknowledgement, in ns: Linux takes 40 ms and more.
LEAST = 30_000_000

#: So soon after the acknowledgement the data come that waited for it, in ns.
SOON = 5_000_000

_WRAP, _HALF = 1 << 32, 1 << 31


@dataclass(frozen=True, slots=True)
class Stall:
    """One segment that waited.  Times are ns of the packets' clock.

    ``before_ns`` is when the segment before it went out, ``acknowledged_ns``
    when that one's acknowledgement came, ``sent_ns`` when this one did;
    ``handed_ns`` is when the program had called ``send`` with its first byte,
    None where that was not recorded.
    """

    flow: Flow
    size: int
    before_ns: int
    acknowledged_ns: int
    sent_ns: int
    handed_ns: int | None = None

    @property
    def waited_ns(self) -> int:
        """How long it was kept: since it was handed over, or else since the segment before it."""
        return self.sent_ns - (self.before_ns if self.handed_ns is None else self.handed_ns)

    @property
    def proved(self) -> bool:
        """Whether it is known that the bytes were there while nothing but the acknowledgement was missing."""
        return self.handed_ns is not None


@dataclass(slots=True)
class _Way:
    """One direction of a connection: its last data, and when they were acknowledged."""

    base: int
    end: int = 0  # in the stream
    last_ns: int = 0
    acknowledged_ns: int = 0


def stalls(
    segments: Iterable[Segment], transfers: Sequence[Transfer] = (), *, least_ns: int = LEAST
) -> tuple[Stall, ...]:
    """Every segment that waited ``least_ns`` or more for an acknowledgement, by time.

    ``transfers`` are those that were traced, in any order.  Segments that the
    tap made up hold no acknowledgements, and tell nothing.
    """
    ways: dict[Flow, _Way] = {}
    found: list[Stall] = []
    for segment in segments:
        if segment.synthetic:
            continue
        opening = 1 if segment.flags & Flag.SYN else 0
        if opening or segment.flow not in ways:
            ways[segment.flow] = _Way(segment.sequence + opening)
        _acknowledge(ways.get(segment.flow.reverse), segment)
        if segment.payload:
            way = ways[segment.flow]
            start = (segment.sequence - way.base) % _WRAP
            quiet, soon = way.acknowledged_ns - way.last_ns, segment.time_ns - way.acknowledged_ns
            if way.last_ns and quiet >= least_ns and soon <= SOON:
                handed = _handed(transfers, segment.flow, start)
                # What the program handed over after the acknowledgement did not wait for it.
                if handed is None or handed < way.acknowledged_ns:
                    times = way.last_ns, way.acknowledged_ns, segment.time_ns, handed
                    found.append(Stall(segment.flow, len(segment.payload), *times))
            way.end, way.last_ns, way.acknowledged_ns = start + len(segment.payload), segment.time_ns, 0
    return tuple(found)


def _acknowledge(way: _Way | None, segment: Segment) -> None:
    if way is not None and segment.flags & Flag.ACK and way.last_ns and not way.acknowledged_ns:
        behind = (segment.acknowledgment - way.base - way.end) % _WRAP
        if behind < _HALF:
            way.acknowledged_ns = segment.time_ns


def _handed(transfers: Iterable[Transfer], flow: Flow, offset: int) -> int | None:
    for transfer in transfers:
        is_send = transfer.kind is TransferKind.SEND and transfer.flow == flow
        if is_send and transfer.offset <= offset < transfer.end:
            return transfer.start_ns
    return None
