"""What can be said of a whole capture before anything is decoded: the servers' ports, and what is missing.

The rule kept here: a connection in which nothing is unusual is judged by its
columns; of any other, its segments are put together as ever
(:mod:`utils.streams.reassembly`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils.records import Flag, Segment
from utils.streams.reassembly import Streams
from utils.streams.segments import Segments
from utils.streams.windows import Window

#: How a request begins: only a client says so.  The capture may have kept no more of it.
_REQUEST = re.compile(rb"(?:GET|POST|OPTIONS|HEAD) /\S*(?: |$)")
_METHODS = (b"GET ", b"POST", b"OPTI", b"HEAD")

_WRAP, _HALF = 1 << 32, 1 << 31


class Servers(NamedTuple):
    """Who listens in a capture."""

    ports: tuple[int, ...]  # of those that are read; the one that is spoken to most comes first
    others: tuple[int, ...] = ()  # to which connections were opened, too


def servers(segments: Iterable[Segment]) -> Servers:
    """The servers of HTTP in a capture, as far as it shows; none if there is no segment.

    They are the ports to which requests were sent.  In a capture without any,
    it is the port that most connections were opened to, or else the one that
    most segments have in common.
    """
    columns = Segments.of(segments)
    rows = columns.rows
    opened = _ports(columns, rows["flow"][rows["flags"] & (Flag.SYN | Flag.ACK) == Flag.SYN])
    asked = Counter(columns.flows[flow].destination.port for flow in _asking(columns))
    if asked:
        ports = tuple(sorted(asked, key=lambda port: (-opened[port], -asked[port], port)))
    else:
        ports = tuple(port for port, _ in (opened or _ports(columns, rows["flow"], both=True)).most_common(1))
    return Servers(ports, tuple(sorted(opened.keys() - set(ports))))


def bytes_missing(segments: Iterable[Segment]) -> int:
    """How many bytes the capture missed, as the sequence numbers tell."""
    columns = Segments.of(segments)
    return sum(
        _missing(columns[place] for place in places.tolist())
        for places in columns.connections()
        if not _whole(columns, places)
    )


def _ports(columns: Segments, flows: NDArray[np.int32], *, both: bool = False) -> Counter[int]:
    """The ports that segments of those flows go to, or, with ``both``, go to or come from: how often."""
    ports: Counter[int] = Counter()
    for flow, count in zip(columns.flows, np.bincount(flows, minlength=len(columns.flows)), strict=True):
        if count:
            ports.update({end.port: int(count) for end in (flow if both else flow[1:])})
    return ports


def _asking(columns: Segments) -> list[int]:
    """The numbers of the flows in which a segment begins with a request."""
    rows = columns.rows
    words = [int.from_bytes(method, "big") for method in _METHODS]
    full = np.flatnonzero(rows["size"] >= 8)
    likely = full[np.isin(Window(columns.data, ">u4")(rows["at"][full]), words)]
    asking: list[int] = []
    for number in np.unique(rows["flow"][likely]).tolist():
        own = likely[rows["flow"][likely] == number].tolist()
        if any(_REQUEST.match(columns[place].payload) for place in own):
            asking.append(number)
    return asking


def _whole(columns: Segments, places: NDArray[np.int64]) -> bool:
    """Whether, beyond doubt, nothing of a connection is missing."""
    rows = columns.rows[places]
    numbers = np.unique(rows["flow"]).tolist()
    for number in numbers:
        own = rows["flow"] == number
        opening, ending = own & (rows["flags"] & Flag.SYN != 0), own & (rows["flags"] & Flag.FIN != 0)
        data = rows[own & (rows["size"] > 0)]
        if np.count_nonzero(opening) > 1 or np.count_nonzero(ending) > 1:
            return False
        if opening.any():
            base = int(rows["sequence"][opening][0]) + 1
        elif len(data):
            base = int(data["sequence"][0])
        else:
            continue
        ends = np.cumsum(data["size"], dtype=np.int64)
        if ((data["sequence"].astype(np.int64) - base - (ends - data["size"])) % _WRAP).any():
            return False
        end, fin = int(ends[-1]) if len(ends) else 0, int(ending.any())
        if fin and (int(rows["sequence"][ending][0]) + int(rows["size"][ending][0]) - base - end) % _WRAP:
            return False
        back = rows["acknowledgment"][~own & (rows["flags"] & Flag.ACK != 0)].astype(np.int64)
        if end >= _HALF or ((back - base + _HALF) % _WRAP - _HALF > end + fin).any():
            return False
    return True


def _missing(segments: Iterable[Segment]) -> int:
    streams = Streams()
    for segment in segments:
        if streams.begins_anew(segment):
            for _ in streams.end(segment.flow):
                pass
            streams.forget(segment.flow)
        for _ in streams.add(segment):
            pass
    for _ in streams.finish():
        pass
    return streams.missing
