"""Segments in, messages out: TCP's byte streams put together again, with times.

The rule kept here: a byte is delivered once, in order, or reported missing;
nothing is skipped in silence.  Whatever order the segments come in, and
however they are cut, repeated or overlapped, the streams are the same.

Offset 0 of a stream is the first byte after the handshake: the sequence number
of the SYN, plus one (RFC 9293, section 3.4).  Of a connection whose beginning
was not captured, it is the first byte seen.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils.records import Flag, Flow, Message, Segment
from utils.streams.ports import Decoder, Ports
from utils.wire.connection import Connection
from utils.wire.units import Side, Unit

_WRAP = 1 << 32
_HALF = 1 << 31


class Chunk(NamedTuple):
    """Bytes of a stream in order; or, with ``data`` None, bytes that are missing."""

    offset: int
    length: int
    data: bytes | None
    time_ns: int  # of the segment that brought them; of a gap, when it was known


class _Held(NamedTuple):
    """Data that arrived before what comes before it."""

    offset: int
    time_ns: int
    data: bytes


@dataclass
class Stream:
    """One direction of one connection."""

    base: int | None = None  # the sequence number of offset 0
    next: int = 0  # the offset that is expected next
    missing: int = 0  # bytes that never came
    _held: list[_Held] = field(default_factory=list)
    _fin: int | None = None  # the offset at which the sender ended the stream
    _acknowledged: int = 0  # the peer has everything before this offset
    _ends: array[int] = field(default_factory=lambda: array("q"))  # where each delivered chunk ends
    _times: array[int] = field(default_factory=lambda: array("q"))

    def offset_of(self, sequence: int) -> int:
        """The offset of a sequence number near the expected one, across the wrap at 2**32."""
        assert self.base is not None
        distance = (sequence - self.base - self.next) % _WRAP
        return self.next + (distance - _WRAP if distance >= _HALF else distance)

    def add(self, segment: Segment) -> Iterator[Chunk]:
        """What ``segment`` completes.

        Data that is here already is dropped (a retransmission, a keep-alive
        probe); of conflicting copies, the first one stands, as the receiver's
        kernel has it.
        """
        if segment.flags & Flag.SYN:
            self.base = (segment.sequence + 1) % _WRAP
            sequence = self.base
        else:
            sequence = segment.sequence
        if self.base is None and segment.payload:
            self.base = sequence
        if self.base is not None and segment.flags & Flag.FIN:
            self._fin = self.offset_of(sequence) + len(segment.payload)
        if not segment.payload:
            return
        insort(self._held, _Held(self.offset_of(sequence), segment.time_ns, segment.payload))
        yield from self._release()

    def acknowledge(self, number: int, time_ns: int) -> Iterator[Chunk]:
        """The peer has everything before ``number``: a hole before held data was lost by the capture."""
        if self.base is None:
            return
        self._acknowledged = max(self._acknowledged, self.offset_of(number))
        while self._held and self.next < self._held[0].offset < self._acknowledged:
            yield self._gap(self._held[0].offset, time_ns)
            yield from self._release()

    def finish(self, time_ns: int) -> Iterator[Chunk]:
        """Nothing more comes: every hole is a gap now."""
        while self._held:  # only what has a hole before it is held
            yield self._gap(self._held[0].offset, time_ns)
            yield from self._release()
        # A FIN takes one sequence number, which the peer acknowledges like a byte.
        last = self._acknowledged if self._fin is None else min(self._acknowledged, self._fin)
        if last > self.next:
            yield self._gap(last, time_ns)

    # ── many segments at once ────────────────────────────────────────────────

    @property
    def waits(self) -> bool:
        """Whether its beginning is not known, or data is held that came too early."""
        return self.base is None or bool(self._held)

    def expects(self, sequence: int) -> bool:
        """Whether the byte with that sequence number is the next."""
        return self.offset_of(sequence) == self.next

    def extend(self, ends: NDArray[Any], times_ns: NDArray[Any]) -> None:
        """Segments of data in order have been delivered, which end at these offsets."""
        if len(ends):
            self._ends.frombytes(ends.astype(np.int64).tobytes())
            self._times.frombytes(times_ns.astype(np.int64).tobytes())
            self.next = int(ends[-1])

    def note(self, acknowledgments: NDArray[Any]) -> None:
        """The peer has everything before these numbers, while nothing is held."""
        if self.base is not None and len(acknowledgments):
            distances = (acknowledgments.astype(np.int64) - self.base - self.next + _HALF) % _WRAP - _HALF
            self._acknowledged = max(self._acknowledged, self.next + int(distances.max()))

    def time_of(self, offset: int) -> int:
        """When the delivered byte at ``offset`` was seen on the wire, in nanoseconds."""
        return self._times[min(bisect_right(self._ends, offset), len(self._times) - 1)]

    def _release(self) -> Iterator[Chunk]:
        while self._held and self._held[0].offset <= self.next:
            offset, time_ns, data = self._held.pop(0)
            fresh = data[self.next - offset :]
            if fresh:
                yield self._deliver(Chunk(self.next, len(fresh), fresh, time_ns))

    def _gap(self, until: int, time_ns: int) -> Chunk:
        self.missing += until - self.next
        return self._deliver(Chunk(self.next, until - self.next, None, time_ns))

    def _deliver(self, chunk: Chunk) -> Chunk:
        self.next = chunk.offset + chunk.length
        self._ends.append(self.next)
        self._times.append(chunk.time_ns)
        return chunk


class Streams:
    """The streams of all connections in a capture."""

    def __init__(self) -> None:
        self._streams: dict[Flow, Stream] = {}
        self._ended_missing = 0
        self._last_ns = 0

    def stream(self, flow: Flow) -> Stream:
        """The stream of one direction; made at its first mention."""
        stream = self._streams.get(flow)
        if stream is None:
            stream = self._streams[flow] = Stream()
        return stream

    @property
    def missing(self) -> int:
        """How many bytes are known to be missing so far."""
        return self._ended_missing + sum(stream.missing for stream in self._streams.values())

    def begins_anew(self, segment: Segment) -> bool:
        """Whether ``segment`` opens a new connection between ports that had one before."""
        stream = self._streams.get(segment.flow)
        if stream is None or stream.base is None or not segment.flags & Flag.SYN:
            return False
        return stream.base != (segment.sequence + 1) % _WRAP

    def end(self, flow: Flow) -> Iterator[tuple[Flow, Chunk]]:
        """What both directions of a connection that has ended held back, and the gaps before it."""
        for way in (flow, flow.reverse):
            if (stream := self._streams.get(way)) is not None:
                for chunk in stream.finish(self._last_ns):
                    yield way, chunk

    def forget(self, flow: Flow) -> None:
        """Drop both directions of a connection that has ended."""
        for way in (flow, flow.reverse):
            if (stream := self._streams.pop(way, None)) is not None:
                self._ended_missing += stream.missing

    def pass_time(self, time_ns: int) -> None:
        """A segment with that stamp was seen."""
        self._last_ns = max(self._last_ns, time_ns)

    def add(self, segment: Segment) -> Iterator[tuple[Flow, Chunk]]:
        """The chunks that ``segment`` completes, of either direction."""
        self.pass_time(segment.time_ns)
        if segment.flags & Flag.ACK:
            back = segment.flow.reverse
            for chunk in self.stream(back).acknowledge(segment.acknowledgment, segment.time_ns):
                yield back, chunk
        for chunk in self.stream(segment.flow).add(segment):
            yield segment.flow, chunk

    def finish(self) -> Iterator[tuple[Flow, Chunk]]:
        """The chunks that were held back when the capture ended, and the gaps before them."""
        for flow, stream in self._streams.items():
            for chunk in stream.finish(self._last_ns):
                yield flow, chunk


class Reassembler:
    """Decodes a capture as it comes, segment by segment."""

    def __init__(self, server_port: int | Ports) -> None:
        self._ports = Ports.of(server_port)
        self.streams = Streams()
        self._connections: dict[Flow, Decoder] = {}

    @property
    def missing(self) -> int:
        """How many bytes the capture is known to have missed."""
        return self.streams.missing

    def add(self, segment: Segment) -> list[Message]:
        """The messages that ``segment`` completes."""
        found: list[Message] = []
        if not self._ports.concern(segment.flow):
            return found
        if self.streams.begins_anew(segment):
            for flow, chunk in self.streams.end(segment.flow):
                found += self._decode(flow, chunk)
            found += self._end(self._ports.from_client(segment.flow))
            self.streams.forget(segment.flow)
        for flow, chunk in self.streams.add(segment):
            found += self._decode(flow, chunk)
        return found

    def connection(self, client: Flow) -> Connection | None:
        """The decoder of the connection of that client, if it is under way and may become a WebSocket."""
        found = self._connections.get(client)
        return found if isinstance(found, Connection) else None

    def finish(self) -> list[Message]:
        """What is left when the capture ends, complete or not."""
        found = [message for flow, chunk in self.streams.finish() for message in self._decode(flow, chunk)]
        for flow in list(self._connections):
            found += self._end(flow)
        return found

    def _decode(self, flow: Flow, chunk: Chunk) -> Iterator[Message]:
        client = self._ports.from_client(flow)
        connection = self._connections.get(client)
        if connection is None:
            connection = self._connections[client] = self._ports.decoder(client)
        side = Side.CLIENT if flow == client else Side.SERVER
        if chunk.data is None:
            units = connection.gap(side, chunk.length)
        else:
            units = connection.feed(side, chunk.data)
        yield from self._messages(client, units)

    def _end(self, client: Flow) -> Iterator[Message]:
        connection = self._connections.pop(client, None)
        if connection is not None:
            yield from self._messages(client, connection.finish())

    def _messages(self, client: Flow, units: Iterable[Unit]) -> Iterator[Message]:
        for unit in units:
            flow = client if unit.side is Side.CLIENT else client.reverse
            stream = self.streams.stream(flow)
            last = max(unit.start, unit.end - 1)
            yield Message(flow, unit, stream.time_of(unit.start), stream.time_of(last))
