"""A packet with the kernel's stamp, and many of them as one run of bytes.

The rule kept here: what was taken is kept as it came, and nothing is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

#: One packet: the kernel's stamp in nanoseconds since 1970, its bytes, and its length on the wire.
Stamped = tuple[int, bytes | memoryview, int]

#: Stamp, bytes that are there, length on the wire.
_HEAD = struct.Struct("=QII")


def pack(packets: Iterable[Stamped]) -> bytes:
    """The packets one after another; :func:`unpack` gives them back."""
    parts: list[bytes | memoryview] = []
    for time_ns, packet, length in packets:
        parts += (_HEAD.pack(time_ns, len(packet), length), packet)
    return b"".join(parts)


def unpack(packed: memoryview) -> Iterator[Stamped]:
    """The packets of any number of packed runs."""
    at = 0
    while at < len(packed):
        time_ns, captured, length = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        yield time_ns, packed[at : at + captured], length
        at += captured
