"""Where the packets of a capture file stand, as columns: a row of numbers for each.

The rule kept here: a file in which nothing is unusual is indexed by columns,
many packets at once; any other packet by packet, as
:func:`utils.capture.containers.records` reads it.  Both ways give the same.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from utils.capture import containers
from utils.capture.containers import EndsEarly
from utils.capture.packing import Unpacked
from utils.streams.segments import LATEST
from utils.streams.windows import Integers, Window

_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6

#: What a plain file does not hold (a further section, older packets).  Between its packets may stand
#: names, statistics, secrets, and what anybody adds.
_UNUSUAL = frozenset({_SECTION, _PACKET, _SIMPLE})

#: Bytes of an enhanced packet's block before the packet, and around it.
_BEFORE, _AROUND = 28, 32

_SECOND = 10**9


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The packets of a file, in its order, over its bytes ``data``."""

    data: bytes
    time_ns: Integers  # no later than LATEST
    link_type: Integers
    start: Integers
    end: Integers
    length: Integers  # on the wire: more than is there, of a packet that was clipped
    stop: EndsEarly | None  # where and why the file ends early, if it does

    def __len__(self) -> int:
        return len(self.start)


def index(found: Unpacked) -> Index:
    """The places of the packets in what :func:`utils.capture.containers.content` gave."""
    data = found.data
    columns = _plain_pcapng(data) if data[:4] == struct.pack("<I", _SECTION) else _plain_pcap(data)
    if columns is not None:
        stop = EndsEarly(len(data), found.trouble) if found.trouble else None
        time_ns, link_type, start, end, length = columns
        return Index(data, time_ns, link_type, start, end, length, stop)
    rows = array("q")
    stop = None
    try:
        for stamp, *places in containers.records(found):
            rows.append(min(max(stamp, 0), LATEST))
            rows.extend(places)
    except EndsEarly as early:
        stop = early
    time_ns, link_type, start, end, length = np.array(rows, np.int64).reshape(-1, 5).T.copy()
    return Index(data, time_ns, link_type, start, end, length, stop)


def _plain_pcap(data: bytes) -> tuple[Integers, ...] | None:
    order, unit = containers.PCAP[data[:4]]
    if len(data) < 24:
        return None
    longest, link_type = struct.unpack_from(order + "II", data, 16)
    longest = max(longest, containers.LONGEST)
    head = struct.Struct(order + "I").unpack_from
    places = array("q")
    at, size = 24, len(data)
    while at + 16 <= size:
        (captured,) = head(data, at + 8)
        places.append(at)
        at += 16 + captured
        if captured > longest:
            return None
    if at != size:
        return None
    records = np.array(places, np.int64)
    seconds, fraction, captured, length = _words(data, order, records, 4)
    start = records + 16
    link_types = np.full(len(start), link_type & 0xFFFF)
    return seconds * _SECOND + fraction * unit, link_types, start, start + captured, length


def _plain_pcapng(data: bytes) -> tuple[Integers, ...] | None:
    """Of one section, whose packets all stand in enhanced blocks."""
    order = containers.ORDERS.get(data[8:12])
    if order is None:
        return None
    head = struct.Struct(order + "II").unpack_from
    chains = _Chains(data, order)
    interfaces: list[containers.Interface] = []
    places: list[Integers] = []
    known: list[int] = []  # of each array of places, the interfaces that stand before it
    at, whole = 0, len(data)
    while at + 12 <= whole:
        kind, size = head(data, at)
        if size < 12 or size & 3 or at + size > whole or (kind in _UNUSUAL and at):
            return None
        if data[at + 4 : at + 8] != data[at + size - 4 : at + size]:  # a block's size stands at both ends
            return None
        if kind == _ENHANCED:
            blocks, size = chains.at(at, size)
            places.append(blocks)
            known.append(len(interfaces))
        elif kind == _INTERFACE and size >= 20:
            interfaces.append(containers.Interface(data, at + 8, at + size - 4, order))
        at += size
    if at != whole:
        return None
    blocks = np.concatenate([np.zeros(0, np.int64), *places])
    described = np.repeat(np.array(known, np.int64), [len(some) for some in places])
    _, size, number, high, low, captured, length = _words(data, order, blocks, 7)
    (again,) = _words(data, order, blocks + size - 4, 1)
    odd = (again != size) | (number >= described) | (captured > size - _AROUND) | (high >> 31 != 0)
    if odd.any():
        return None
    stamps = high << 32 | low
    for place, interface in enumerate(interfaces):
        if interface.unit_ns == 1 and not interface.offset_ns:
            continue
        own = number == place
        if not interface.unit_ns or interface.offset_ns or (stamps[own] > LATEST // interface.unit_ns).any():
            return None
        stamps[own] *= interface.unit_ns
    link_types = np.array([interface.link_type for interface in interfaces] or [0])
    start = blocks + _BEFORE
    return stamps, link_types[number], start, start + captured, length


class _Chains:
    """Enhanced blocks that stand one behind the other, found all at once.

    Every word of the file that is such a block's type is taken for one; where
    each ends exactly at the next, and the first of them is one, all of them are.
    """

    def __init__(self, data: bytes, order: str) -> None:
        words = np.frombuffer(data, order + "u4", len(data) // 4)
        self._blocks = np.flatnonzero(words[:-1] == _ENHANCED) * 4
        sizes = words[self._blocks // 4 + 1].astype(np.int64)
        self._ends = self._blocks + sizes
        sound = (sizes >= _AROUND) & (sizes & 3 == 0) & (self._ends <= len(data))
        following = np.append(self._blocks[1:], -1)
        #: Where a chain ends: the next of these, counted from any of its blocks.
        self._last = np.flatnonzero(~sound | (self._ends != following))
        self._sound = sound

    def at(self, place: int, size: int) -> tuple[Integers, int]:
        """The blocks of the chain from that of ``size`` bytes at ``place`` on; and the bytes of all."""
        first = int(np.searchsorted(self._blocks, place))
        last = int(self._last[np.searchsorted(self._last, first)])
        if last == first or not self._sound[last]:
            return np.array([place]), size
        return self._blocks[first : last + 1], int(self._ends[last]) - place


def _words(data: bytes, order: str, places: Integers, count: int) -> Iterator[Integers]:
    """``count`` columns of the 32-bit numbers that stand at ``places``, one behind the other."""
    records = Window(data, np.dtype((order + "u4", count)))(places).reshape(-1, count)
    return (column.astype(np.int64) for column in records.T)
