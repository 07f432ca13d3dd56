"""Many TCP segments, as columns over one buffer.

The rule kept here: a segment costs forty bytes beside its payload, which stays
where it was read; a :class:`~utils.records.Segment` is made when somebody
looks at it.  A million of them are sorted, cut and searched by columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from utils.records import Flow, Segment

#: One segment: ``at`` and ``size`` are its payload's place in the buffer, ``flow`` counts the flows.
ROW = np.dtype(
    [
        ("time_ns", np.int64),
        ("at", np.int64),
        ("size", np.int32),
        ("flow", np.int32),
        ("sequence", np.uint32),
        ("acknowledgment", np.uint32),
        ("flags", np.uint8),
    ],
    align=True,
)

#: Stamps beyond this, in the year 2262, are told as this one.
LATEST = (1 << 63) - 1

#: So many segments are made at once while somebody looks at all of them.
_STRIDE = 4096


class Segments(Sequence[Segment]):
    """The segments of a capture, by the order in which they were captured."""

    def __init__(
        self, data: bytes, flows: tuple[Flow, ...], rows: NDArray[Any], *, synthetic: bool = False
    ) -> None:
        self.data = data
        self.flows = flows
        self.rows = rows
        self.synthetic = synthetic

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> Segments:
        """The same segments as columns; they are all synthetic, or none of them."""
        if isinstance(segments, Segments):
            return segments
        segments = list(segments)
        flows: dict[Flow, int] = {}
        at = 0
        facts = []
        for one in segments:
            flow, size = flows.setdefault(one.flow, len(flows)), len(one.payload)
            facts.append((one.time_ns, at, size, flow, one.sequence, one.acknowledgment, one.flags))
            at += size
        return cls(
            b"".join([one.payload for one in segments]),
            tuple(flows),
            np.array(facts, ROW),
            synthetic=any(one.synthetic for one in segments),
        )

    def by_time(self) -> Segments:
        """The same segments in the order of their stamps; those of one stamp as they were captured."""
        times = self.rows["time_ns"]
        if (times[1:] >= times[:-1]).all():
            return self
        return self._of(self.rows[np.argsort(times, kind="stable")])

    def connections(self, ports: Container[int] | None = None) -> Iterator[NDArray[np.int64]]:
        """The places of the segments of each connection (to one of ``ports``, if given), in order."""
        numbers: dict[Flow, int] = {}
        of_flow = np.full(len(self.flows), -1, np.int64)
        for place, flow in enumerate(self.flows):
            if ports is None or flow.source.port in ports or flow.destination.port in ports:
                of_flow[place] = numbers.setdefault(min(flow, flow.reverse), len(numbers))
        connections = of_flow[self.rows["flow"]]
        order = np.argsort(connections, kind="stable")
        edges = np.searchsorted(connections[order], np.arange(len(numbers) + 1))
        for begin, end in itertools.pairwise(edges.tolist()):
            yield order[begin:end]

    def _of(self, rows: NDArray[Any]) -> Segments:
        return Segments(self.data, self.flows, rows, synthetic=self.synthetic)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Segment: ...
    @overload
    def __getitem__(self, place: slice) -> Segments: ...

    def __getitem__(self, place: int | slice) -> Segment | Segments:
        if isinstance(place, slice):
            return self._of(self.rows[place])
        return self._segment(*self.rows[place].item())

    def __iter__(self) -> Iterator[Segment]:
        for begin in range(0, len(self.rows), _STRIDE):
            for row in self.rows[begin : begin + _STRIDE].tolist():
                yield self._segment(*row)

    def _segment(
        self, time_ns: int, at: int, size: int, flow: int, sequence: int, acknowledgment: int, flags: int
    ) -> Segment:
        payload = self.data[at : at + size]
        return Segment(time_ns, self.flows[flow], sequence, acknowledgment, flags, payload, self.synthetic)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __repr__(self) -> str:
        return f"<{len(self)} segments of {len(self.flows)} flows>"
