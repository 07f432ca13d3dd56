"""The payloads of many WebSocket frames at once.

The rule kept here: what :func:`utils.wire.websocket.unmask` does to a frame is
done to all of them together; the frames are whole, and stand where they were
captured.
"""

from __future__ import annotations

import numpy as np

from utils.windows import Integers, Window

_SECOND = np.dtype([("first", "u1"), ("second", "u1")])


def payloads(data: bytes, at: Integers, size: Integers) -> list[bytes]:
    """What the frames carry that stand in ``data`` from ``at`` on; empty for a ``size`` of 0."""
    wanted = size > 0
    second = Window(data, _SECOND)(np.where(wanted, at, 0))["second"]
    short, masked = second & 0x7F, wanted & (second >= 0x80)
    begins = np.where(wanted, at + 2 + (short == 126) * 2 + (short == 127) * 8 + masked * 4, 0)
    ends = np.where(wanted, at + size, 0)
    lengths = (ends - begins)[masked]
    # Each from a whole word on, so that its key, a word, falls on it again and again.
    words, places = lengths + 3 >> 2, begins[masked]
    pieces = [
        data[begin:end] for begin, end in zip(places.tolist(), (places + words * 4).tolist(), strict=True)
    ]
    hidden = b"".join(pieces)
    if len(hidden) % 4:  # the last frame of a file may lack the bytes behind it
        hidden = b"".join([piece + bytes(-len(piece) % 4) for piece in pieces])
    keys = Window(data, "u4")(places - 4)
    unmasked = (np.frombuffer(hidden, "u4") ^ np.repeat(keys, words)).tobytes()
    begins[masked] = 4 * (np.cumsum(words) - words)
    ends[masked] = begins[masked] + lengths
    found = zip(masked.tolist(), begins.tolist(), ends.tolist(), strict=True)
    return [unmasked[begin:end] if hid else data[begin:end] for hid, begin, end in found]
