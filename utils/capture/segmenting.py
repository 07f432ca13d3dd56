"""From captured packets to TCP segments, by columns.

The rule kept here: the usual packet, of a usual link type and without IP
options or extension headers, is taken apart together with all others of its
kind; any other one by itself, by :mod:`utils.capture.links` and
:mod:`utils.capture.datagrams`, which name what they refuse.  Both ways give
the same.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils.capture import datagrams, links
from utils.capture.index import Index
from utils.records import Endpoint, Flow
from utils.streams.segments import ROW, Segments
from utils.streams.windows import Integers, Window, layout

#: A plain IP header with the TCP header behind it (RFC 791, 3.1; RFC 8200, 3; RFC 9293, 3.1).
_HEADERS = {
    4: layout(
        40,
        first=("u1", 0),
        total=(">u2", 2),
        fragment=(">u2", 6),
        protocol=("u1", 9),
        addresses=((">u8", 1), 12),
        ports=(">u4", 20),
        sequence=(">u4", 24),
        acknowledgment=(">u4", 28),
        offset=("u1", 32),
        flags=("u1", 33),
    ),
    6: layout(
        60,
        first=("u1", 0),
        total=(">u2", 4),
        protocol=("u1", 6),
        addresses=((">u8", 4), 8),
        ports=(">u4", 40),
        sequence=(">u4", 44),
        acknowledgment=(">u4", 48),
        offset=("u1", 52),
        flags=("u1", 53),
    ),
}
_TCP, _TCP_HEADER = 6, 20

#: So many packets are taken apart at once: what that takes stays small, and near.
_STRIDE = 1 << 14

#: So few different values are looked for one by one; more of them are sorted.
_FEW = 8


class Cut(NamedTuple):
    """The segments of a capture, and how many packets held none, by what they are."""

    segments: Segments
    refused: Counter[str]


def segments(index: Index, *, synthetic: bool = False) -> Cut:
    """The TCP segments in the packets of ``index``."""
    if len(index):
        return _Cutter(index).cut(synthetic)
    return Cut(Segments(index.data, (), np.zeros(0, ROW), synthetic=synthetic), Counter())


class _Cutter:
    """Fills one row for each packet, and leaves out those that hold no segment."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._rows: NDArray[Any] = np.zeros(len(index), ROW)
        self._rows["time_ns"] = index.time_ns
        self._held = np.zeros(len(index), bool)  # a segment was found in it
        self._flows: dict[Flow, int] = {}
        self._refused: Counter[str] = Counter()

    def cut(self, synthetic: bool) -> Cut:
        for begin in range(0, len(self._index), _STRIDE):
            places, starts = self._datagrams(begin, begin + _STRIDE)
            for version in _HEADERS:
                taken = self._usual(places, starts, version)
                places, starts = places[~taken], starts[~taken]
        for place in np.flatnonzero(~self._held).tolist():
            self._take(place)
        rows = self._rows if self._held.all() else self._rows[self._held]
        found = Segments(self._index.data, tuple(self._flows), rows, synthetic=synthetic)
        return Cut(found, self._refused)

    # ── many at once ─────────────────────────────────────────────────────────

    def _datagrams(self, begin: int, end: int) -> tuple[Integers, Integers]:
        """Which of those packets hold a datagram right behind a plain header of the link; and where."""
        index = self._index
        link_types, packets, ends = (
            column[begin:end] for column in (index.link_type, index.start, index.end)
        )
        starts = np.full(len(packets), -1, np.int64)
        alike = (link_types == link_types[:1]).all()  # as almost always
        for link_type in (link_types[:1] if alike else np.unique(link_types)).tolist():
            size, type_at = links.plain_header(link_type)
            if size is None:
                continue
            own = np.flatnonzero((link_types == link_type) & (ends - packets > size))
            if type_at is not None:
                types = Window(index.data, ">u2")(packets[own] + type_at)
                own = own[np.isin(types, links.IP)]
            starts[own] = packets[own] + size
        places = np.flatnonzero(starts >= 0)
        return places + begin, starts[places]

    def _usual(self, places: Integers, starts: Integers, version: int) -> NDArray[Any]:
        """Take the segments of those datagrams that are plain ones of this version; which they were."""
        layout = _HEADERS[version]
        captured = self._index.end[places]
        taken = starts + layout.itemsize <= captured
        heads = Window(self._index.data, layout)(starts[taken])
        # A length of 0 is filled in by the sending card: the packet tells it.
        total = heads["total"].astype(np.int64)
        if version == 6:
            total += np.where(total, 40, 0)
        ends = np.minimum(captured[taken], starts[taken] + np.where(total, total, 1 << 17))
        plain = (heads["protocol"] == _TCP) & (heads["offset"] >= 0x50)
        plain &= starts[taken] + layout.itemsize <= ends
        if version == 4:
            plain &= (heads["first"] == 0x45) & (heads["fragment"] & 0x1FFF == 0)
        else:
            plain &= heads["first"] >> 4 == 6
        taken[taken] = plain
        if not plain.all():
            heads, ends = heads[plain], ends[plain]
        if len(heads):
            self._fill(places[taken], starts[taken] + layout.itemsize - _TCP_HEADER, ends, heads)
        return taken

    def _fill(self, places: Integers, tcp: Integers, ends: Integers, heads: NDArray[Any]) -> None:
        """The rows of the packets at ``places``, whose TCP headers begin at ``tcp``."""
        at = np.minimum(tcp + (heads["offset"] >> 4).astype(np.int64) * 4, ends)
        rows = self._rows[places]
        rows["at"], rows["size"] = at, ends - at
        for name in ("sequence", "acknowledgment", "flags"):
            rows[name] = heads[name]
        kinds, first = _kinds(heads["ports"], *heads["addresses"].T)
        numbers = [
            self._number(head["addresses"].tobytes(), int(head["ports"]).to_bytes(4)) for head in heads[first]
        ]
        rows["flow"] = np.array(numbers)[kinds]
        self._rows[places] = rows
        self._held[places] = True

    # ── one by one ───────────────────────────────────────────────────────────

    def _take(self, place: int) -> None:
        index, data = self._index, self._index.data
        found = links.datagram(
            int(index.link_type[place]), data, int(index.start[place]), int(index.end[place])
        )
        tcp = found if isinstance(found, str) else datagrams.segment(data, *found)
        if isinstance(tcp, str) or isinstance(found, str):
            self._refused[str(tcp)] += 1
            return
        start, end, version = found
        at = min(tcp + 4 * (data[tcp + 12] >> 4), end)
        addresses = slice(start + 12, start + 20) if version == 4 else slice(start + 8, start + 40)
        flow = self._number(data[addresses], data[tcp : tcp + 4])
        sequence, acknowledgment = (int.from_bytes(data[tcp + n : tcp + n + 4]) for n in (4, 8))
        time_ns = int(index.time_ns[place])
        self._rows[place] = (time_ns, at, end - at, flow, sequence, acknowledgment, data[tcp + 13])
        self._held[place] = True

    def _number(self, addresses: bytes, ports: bytes) -> int:
        return self._flows.setdefault(_flow(addresses, ports), len(self._flows))


@lru_cache(maxsize=1 << 12)
def _flow(addresses: bytes, ports: bytes) -> Flow:
    half = len(addresses) // 2
    source, destination = (str(ip_address(address)) for address in (addresses[:half], addresses[half:]))
    return Flow(Endpoint(source, int.from_bytes(ports[:2])), Endpoint(destination, int.from_bytes(ports[2:])))


def _kinds(*columns: Integers) -> tuple[Integers, Integers]:
    """Which rows are equal in all columns: the number of each row's kind, and the first row of each."""
    kinds: Integers | None = None
    for column in map(np.ascontiguousarray, columns):
        values = _values(column)
        if values is not None:
            kinds = values if kinds is None else _values(kinds * (int(values.max()) + 1) + values)
    if kinds is None:
        return np.zeros(len(columns[0]), np.int64), np.zeros(1, np.int64)
    first = np.empty(int(kinds.max()) + 1, np.int64)
    first[kinds[::-1]] = np.arange(len(kinds))[::-1]  # of several, the last that is written stays
    return kinds, first


def _values(column: Integers) -> Integers | None:
    """The number of each row's value; None if there is but one, as of a loopback's addresses."""
    numbers = np.zeros(len(column), np.int64)
    others = column != column[0]
    for number in range(1, _FEW):
        if not others.any():
            return None if number == 1 else numbers
        value = column[np.argmax(others)]
        own = column == value
        numbers[own] = number
        others &= ~own
    return np.unique(column, return_inverse=True)[1]
