"""What can be said of a whole capture before anything is decoded: the server's port, and what is missing.

The rule kept here: a connection in which nothing is unusual is judged by its
columns; of any other, its segments are put together as ever
(:mod:`utils.streams.reassembly`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from utils.records import Flag, Segment
from utils.streams.reassembly import Streams
from utils.streams.segments import Segments
from utils.streams.windows import Window

#: How a request begins: only a client says so.
_METHODS = (b"GET ", b"POST ", b"OPTIONS ", b"HEAD ")

_WRAP, _HALF = 1 << 32, 1 << 31


def server_port(segments: Iterable[Segment]) -> int | None:
    """The port that most connections were opened to; None if there is no segment.

    A capture that begins later tells by the requests in it, or else by the
    port that most segments have in common.
    """
    columns = Segments.of(segments)
    rows = columns.rows
    opened = rows["flags"] & (Flag.SYN | Flag.ACK) == Flag.SYN
    if opened.any():
        return _most_common(columns, rows["flow"][opened], both=False)
    requests = _requests(columns)
    return _most_common(columns, rows["flow"][requests or slice(None)], both=not requests)


def bytes_missing(segments: Iterable[Segment]) -> int:
    """How many bytes the capture missed, as the sequence numbers tell."""
    columns = Segments.of(segments)
    return sum(
        _missing(columns[place] for place in places.tolist())
        for places in columns.connections()
        if not _whole(columns, places)
    )


def _most_common(columns: Segments, flows: NDArray[np.int32], *, both: bool) -> int | None:
    """The port that most of those segments go to, or, with ``both``, go to or come from."""
    ports: Counter[int] = Counter()
    for flow, count in zip(columns.flows, np.bincount(flows, minlength=len(columns.flows)), strict=True):
        for end in flow if both else flow[1:]:
            ports[end.port] += int(count)
    return ports.most_common(1)[0][0] if ports else None


def _requests(columns: Segments) -> list[int]:
    """The places of the segments that begin with a request."""
    sizes, at = columns.rows["size"], columns.rows["at"]
    words = [int.from_bytes(method[:4], "big") for method in _METHODS]
    full = np.flatnonzero(sizes >= 8)
    likely = full[np.isin(Window(columns.data, ">u4")(at[full]), words)]
    return [place for place in likely.tolist() if columns[place].payload.startswith(_METHODS)]


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
