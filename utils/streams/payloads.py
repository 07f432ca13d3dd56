"""The payloads of many WebSocket frames at once, unmasked in one buffer.

The rule kept here: what :func:`utils.wire.websocket.unmask` does to a frame is
done to all of them together; the frames are whole, and stand where they were
captured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from utils.streams.windows import Integers, Window

_HEAD = np.dtype([("first", "u1"), ("second", "u1")])
_NOTHING: Mapping[int, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Payloads:
    """Where in ``buffer`` each frame's payload begins and ends."""

    buffer: bytes
    begins: Integers
    ends: Integers

    def __iter__(self) -> Iterator[bytes]:
        for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True):
            yield self.buffer[begin:end]


def payloads(data: bytes, at: Integers, size: Integers, instead: Mapping[int, bytes] = _NOTHING) -> Payloads:
    """What the frames carry that stand in ``data`` from ``at`` on; nothing for a ``size`` of 0.

    ``instead`` has texts that stand in the place of some of these.
    """
    wanted = size > 0
    second = Window(data, _HEAD)(np.where(wanted, at, 0))["second"]
    short, masked = second & 0x7F, wanted & (second >= 0x80)
    begins = at + 2 + (short == 126) * 2 + (short == 127) * 8 + masked * 4
    lengths = np.where(wanted, at + size - begins, 0)
    if instead:
        lengths[list(instead)] = [len(text) for text in instead.values()]
    # Each from a whole word on, so that its key, a word, falls on it again and again.
    words = lengths + 3 >> 2
    pieces = [
        data[begin:end] for begin, end in zip(begins.tolist(), (begins + words * 4).tolist(), strict=True)
    ]
    for place, text in instead.items():
        pieces[place] = text + bytes(-len(text) % 4)
    hidden = b"".join(pieces)
    if len(hidden) % 4:  # the last frame of a file may lack the bytes behind it
        hidden = b"".join([piece + bytes(-len(piece) % 4) for piece in pieces])
    keys = np.zeros(len(words), "u4")
    keys[masked] = Window(data, "u4")(begins[masked] - 4)
    buffer = (np.frombuffer(hidden, "u4") ^ np.repeat(keys, words)).tobytes()
    starts = 4 * (np.cumsum(words) - words)
    return Payloads(buffer, starts, starts + lengths)
