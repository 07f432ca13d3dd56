"""Long runs of segments decoded together: a row of numbers for each message.

The rule kept here: the messages are those that :mod:`utils.streams.reassembly` gives,
segment by segment.  A run of segments in order, each of them whole WebSocket
frames, is passed over by columns, and the state that it leaves behind is
noted; everything else goes the ordinary way.  Within a run, a segment that is
one frame that tells all by itself costs next to nothing; one that is more is
decoded as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils.records import Flag, Flow, Message
from utils.streams.payloads import payloads
from utils.streams.ports import Ports
from utils.streams.reassembly import Reassembler, Stream
from utils.streams.segments import Segments
from utils.streams.windows import Integers, Window
from utils.wire import frames, websocket
from utils.wire.connection import Connection
from utils.wire.frames import Cut

#: One message: its flow, its place in that flow's stream, and the place of its bytes in the
#: segments' buffer.  ``kept`` counts what was kept of it; a plain frame needs nothing kept.
ROW = np.dtype(
    [
        ("time_ns", np.int64),  # of its last byte
        ("start", np.int64),
        ("at", np.int64),
        ("size", np.int32),
        ("flow", np.int32),
        ("kept", np.int32),
    ],
    align=True,
)
NOTHING = -1

#: What was kept of a message: itself, its frame, or what a compressed one was inflated to, if it could be.
Kept = Message | Cut | bytes | None

#: Shorter runs are not worth the columns; within longer ones, sequence numbers might come round.
_LEAST, _MOST = 24, 1 << 13

#: So many payloads are taken at once.
_STRIDE = 1024

#: The first byte of a compressed message in one frame: FIN, RSV1, and text or binary.
_COMPRESSED = (0xC1, 0xC2)

#: By the first byte: whether such a frame may stand by itself.
_SINGLE = np.isin(np.arange(256), (*frames.PLAIN, *_COMPRESSED))

_OPENS_OR_ENDS = Flag.SYN | Flag.FIN | Flag.RST


class Single(NamedTuple):
    """A message that was decoded by itself; ``order`` is the number of the segment that completed it."""

    order: int
    time_ns: int
    flow: Flow
    start: int
    size: int
    kept: Message | Cut


def _single(order: int, message: Message) -> Single:
    size = len(message.unit.raw)
    return Single(order, message.last_ns, message.flow, message.start, size, message)


class Dissector:
    """Goes through the connections of a capture, one after the other."""

    def __init__(self, segments: Segments, ports: Ports) -> None:
        self._segments = segments
        self._ports = ports
        self._reassembler = Reassembler(ports)
        self._facts = _Facts(segments)
        self._rows: list[NDArray[Any]] = []
        self._orders: list[Integers] = []  # for each message, the segment that completed it
        self._single: list[Single] = []
        self.kept: list[Kept] = []

    def run(self) -> NDArray[Any]:
        """The messages, by the time of their last byte."""
        for places in self._segments.connections(self._ports):
            if len(places) < _LEAST:
                self._one_by_one(places)
            else:
                self._connection(places)
        after = len(self._segments)
        self._single += [_single(after, message) for message in self._reassembler.finish()]
        self._gather()
        rows, orders = np.concatenate(self._rows), np.concatenate(self._orders)
        # Messages that are complete at one time stand in the order of their segments.
        rows = rows[np.argsort(orders, kind="stable")]
        times = rows["time_ns"]
        in_order = (times[1:] >= times[:-1]).all()
        return rows if in_order else rows[np.argsort(times, kind="stable")]

    def _connection(self, places: Integers) -> None:
        bad = [*np.flatnonzero(~self._facts.good[places]).tolist(), len(places)]
        ways = [
            _Way(self._segments, self._facts, places, number, self._ports)
            for number in np.unique(self._segments.rows["flow"][places]).tolist()
        ]
        at = upcoming = 0
        while at < len(places):
            while bad[upcoming] < at:
                upcoming += 1
            until = min(bad[upcoming], at + _MOST)
            taken = self._take(ways, at, until) if until - at >= _LEAST else 0
            if taken:
                times = self._segments.rows["time_ns"][places[at : at + taken]]
                self._reassembler.streams.pass_time(int(times.max()))
            else:
                self._one_by_one(places[at : at + 1])
            at += taken or 1
        for way in ways:
            found, where = way.messages()
            self._rows.append(found)
            self._orders.append(places[where])
            self._single += [one._replace(order=int(places[one.order])) for one in way.single]

    def _one_by_one(self, places: Integers) -> None:
        """These segments go the ordinary way."""
        for place in places.tolist():
            found = self._reassembler.add(self._segments[place])
            self._single += [_single(place, message) for message in found]

    def _take(self, ways: Sequence[_Way], at: int, until: int) -> int:
        """Pass over the good segments from ``at`` to ``until``, if the state allows it; how many it were."""
        connection = self._reassembler.connection(ways[0].client)
        if connection is None or not connection.framing or len({way.side for way in ways}) != len(ways):
            return 0
        streams = [self._reassembler.streams.stream(way.flow) for way in ways]
        for way, stream in zip(ways, streams, strict=True):
            if stream.waits or not way.continues(stream, at, until):
                return 0
            if connection.inflater(way.side) is None:  # the ordinary way says what is wrong with it
                until = min(until, way.first_packed(at, until))
        if until - at < _LEAST:
            return 0
        for way, stream in zip(ways, streams, strict=True):
            way.take(stream, connection, at, until, self.kept)
        for way in ways:
            self._reassembler.streams.stream(way.flow.reverse).note(way.acknowledgments(at, until))
        return until - at

    def _gather(self) -> None:
        """The messages that went the ordinary way become rows, too."""
        numbers = {flow: number for number, flow in enumerate(self._segments.flows)}
        rows = [
            (one.time_ns, one.start, 0, one.size, numbers[one.flow], len(self.kept) + place)
            for place, one in enumerate(self._single)
        ]
        self.kept += [one.kept for one in self._single]
        self._rows.append(np.array(rows, ROW))
        self._orders.append(np.array([one.order for one in self._single], np.int64))


class _Way:
    """One direction of a connection.  Positions count the segments of both directions, from its first."""

    def __init__(
        self, segments: Segments, facts: _Facts, places: Integers, number: int, ports: Ports
    ) -> None:
        self.flow = segments.flows[number]
        self.side, self.client = ports.side(self.flow), ports.from_client(self.flow)
        #: Messages that took more than a row, with the positions of the segments that brought them.
        self.single: list[Single] = []
        own = segments.rows["flow"][places] == number
        full = own & (segments.rows["size"][places] > 0)
        acknowledging = own & (segments.rows["flags"][places] & Flag.ACK != 0)
        self._data = segments.data
        self._number = number
        self._positions = np.flatnonzero(full)
        self._rows = segments.rows[places[full]]
        #: How many of them stand before each position.
        self._before, self._acknowledged = _counts(full), _counts(acknowledging)
        self._acknowledgments = segments.rows["acknowledgment"][places[acknowledging]]
        self._ends = np.cumsum(self._rows["size"], dtype=np.int64)
        self._packed = facts.packed[places[full]]
        #: Those that take more than a row.
        self._special = np.flatnonzero(~facts.single[places[full]] | self._packed)
        self._taken: list[tuple[int, int, int]] = []  # first, last, and what to add to their ends
        self._inflated: dict[int, int] = {}  # which → the number of what was kept
        self._plain = np.ones(len(self._rows), bool)  # which were not decoded as ever

    def continues(self, stream: Stream, at: int, until: int) -> bool:
        """Whether the data from position ``at`` on, if there is any, is the next of the stream."""
        first, last = self._between(at, until)
        return first == last or stream.expects(int(self._rows["sequence"][first]))

    def first_packed(self, at: int, until: int) -> int:
        """The position of the first compressed message that is one frame; ``until`` if there is none."""
        first, last = self._between(at, until)
        packed = np.flatnonzero(self._packed[first:last])
        return int(self._positions[first + packed[0]]) if len(packed) else until

    def acknowledgments(self, at: int, until: int) -> Integers:
        """What its sender had from the other side, by the numbers in the segments."""
        noted: Integers = self._acknowledgments[self._acknowledged[at] : self._acknowledged[until]]
        return noted

    def take(self, stream: Stream, connection: Connection, at: int, until: int, kept: list[Kept]) -> None:
        """The data from ``at`` to ``until`` has been delivered, and is decoded."""
        first, last = self._between(at, until)
        if first == last:
            return
        shift = stream.next - (int(self._ends[first - 1]) if first else 0)
        self._taken.append((first, last, shift))
        begin, end = np.searchsorted(self._special, (first, last))
        special = self._special[begin:end]
        inflater, payload = connection.inflater(self.side), self._payloads(special[self._packed[special]])
        done = at = first  # decoded, and looked at
        for which, packed in zip(special.tolist(), self._packed[special].tolist(), strict=True):
            hidden = next(payload) if packed else b""
            if which < at:
                continue
            if packed and inflater is not None:
                self._inflated[which] = len(kept)
                kept.append(inflater.inflate(hidden))
                continue
            connection.skip(self.side, self._length(done, which))
            at = which
            while at < last and (at == which or not connection.framing):  # a message of several segments
                self._decode(at, connection)
                at += 1
            done = at
        connection.skip(self.side, self._length(done, last))
        stream.extend(self._ends[first:last] + shift, self._rows["time_ns"][first:last])

    def _decode(self, which: int, connection: Connection) -> None:
        """A segment's frames are decoded as ever."""
        self._plain[which] = False
        time_ns, at, size = (int(self._rows[name][which]) for name in ("time_ns", "at", "size"))
        position = int(self._positions[which])
        for cut in connection.cut(self.side, self._data[at : at + size]):
            self.single.append(Single(position, time_ns, self.flow, cut.start, len(cut.raw), cut))

    def messages(self) -> tuple[NDArray[Any], Integers]:
        """A row for each segment that was taken and not decoded; and the positions of these segments."""
        nothing = np.zeros(0, np.int64)
        which = np.concatenate([nothing, *(np.arange(first, last) for first, last, _ in self._taken)])
        shifts = np.concatenate([nothing, *(np.full(last - first, by) for first, last, by in self._taken)])
        plain = self._plain[which]
        which, shifts = which[plain], shifts[plain]
        found = np.empty(len(which), ROW)
        for name in ("time_ns", "at", "size"):
            found[name] = self._rows[name][which]
        found["start"] = self._ends[which] - found["size"] + shifts
        found["flow"], found["kept"] = self._number, NOTHING
        if self._inflated:
            found["kept"][np.searchsorted(which, list(self._inflated))] = list(self._inflated.values())
        return found, self._positions[which]

    def _between(self, at: int, until: int) -> tuple[int, int]:
        return int(self._before[at]), int(self._before[until])

    def _length(self, first: int, last: int) -> int:
        """How many bytes the data from ``first`` to before ``last`` has."""
        ends = self._ends
        return int(ends[last - 1] - (ends[first - 1] if first else 0)) if last > first else 0

    def _payloads(self, which: Integers) -> Iterator[bytes]:
        """The payloads of those, in order; not all of them at once."""
        for begin in range(0, len(which), _STRIDE):
            rows = self._rows[which[begin : begin + _STRIDE]]
            yield from payloads(self._data, rows["at"], rows["size"])


# ── what can be said of all segments at once ─────────────────────────────────


def _counts(chosen: NDArray[Any]) -> Integers:
    """How many are chosen before each position, and in all."""
    return np.concatenate([[0], np.cumsum(chosen)])


class _Facts:
    """What can be said of each segment by itself, and of those that follow each other in a stream."""

    def __init__(self, segments: Segments) -> None:
        rows = segments.rows
        full = np.flatnonzero(rows["size"] > 0)
        #: It is one whole frame, plain or compressed; and whether it is compressed.
        self.single, self.packed = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        first, single = _one_frame(segments.data, rows["at"][full], rows["size"][full])
        self.single[full], self.packed[full] = single, single & np.isin(first, _COMPRESSED)
        #: It holds nothing, or the next bytes of its stream, and those are whole frames.  Whether the
        #: stream has come so far, and the connection to frames, is asked of their state.
        self.good = rows["flags"] & _OPENS_OR_ENDS == 0
        self.good[full] &= self._follows(rows[full])
        for place in full[self.good[full] & ~single].tolist():
            at, size = int(rows["at"][place]), int(rows["size"][place])
            self.good[place] = _whole_frames(segments.data, at, at + size)

    def _follows(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Whether the data is the next after that of the segment before it in its flow."""
        order = np.argsort(
            rows["flow"].astype(np.uint16 if rows["flow"].max(initial=0) < 1 << 16 else np.int32),
            kind="stable",
        )
        flows, sequences = rows["flow"][order], rows["sequence"][order]
        ends = sequences + rows["size"][order].astype(np.uint32)
        follows = np.ones(len(rows), bool)
        follows[order[1:]] = (sequences[1:] == ends[:-1]) | (flows[1:] != flows[:-1])
        return follows


def _whole_frames(data: bytes, at: int, end: int) -> bool:
    """Whether ``data[at:end]`` is frames to its end, of lengths that are waited for."""
    while at < end:
        frame = websocket.parse(data, at)
        if not isinstance(frame, websocket.Frame) or frame.length > websocket.LONGEST:
            return False
        at += frame.end
    return at == end


def _one_frame(data: bytes, at: Integers, size: Integers) -> tuple[Integers, NDArray[Any]]:
    """The first of the bytes at these places; and whether they are one whole frame, plain or compressed."""
    whole = size >= 2
    # Where there is no second byte, any will do: it is no frame.
    heads = Window(data, np.dtype([("first", "u1"), ("second", "u1")]))(np.minimum(at, max(0, len(data) - 2)))
    first, short = heads["first"], (heads["second"] & 0x7F).astype(np.int64)
    control = first >= 0x88
    sizes = 2 + short + (heads["second"] >> 7) * np.int64(4)
    for mark, extended, kind in ((126, 2, ">u2"), (127, 8, ">i8")):
        own = np.flatnonzero((short == mark) & (size >= 2 + extended))
        sizes[own] += Window(data, kind)(at[own] + 2).astype(np.int64) + (extended - mark)
    return first, whole & _SINGLE[first] & ~(control & (short > 125)) & (sizes == size)
