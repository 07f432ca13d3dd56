"""What tracing itself costs, measured here and now.

The rule kept here: it is measured on what is traced, the libraries' own calls,
and never taken from another machine or another day.  What counts is the
processor's time, not the clock on the wall: on a busy machine this process has
to wait, and that is no cost of tracing.
"""

from __future__ import annotations

import time

import engineio
import socketio

from utils.tracing.collector import Collector

#: How many packets a calibration makes, and how often; the best round counts: others tell of cold caches.
_PACKETS, _ROUNDS = 300, 7


def calibrate() -> float:
    """Measure, in this process and now, what tracing adds to one recorded call of the stack, in ns."""
    bare = min(_work() for _ in range(_ROUNDS))
    traced = []
    for _ in range(_ROUNDS):
        with Collector("calibration") as collector:
            needed = _work()
        traced.append((needed - bare) / max(1, len(collector.take().calls)))
    return max(0.0, min(traced))


def _work() -> int:
    """What of the processor the libraries take to encode and decode: calls such as they are on the way."""
    began = time.process_time_ns()
    for number in range(_PACKETS):
        encoded = socketio.packet.Packet(socketio.packet.EVENT, data=["echo", number], id=number).encode()
        engineio.packet.Packet(engineio.packet.MESSAGE, data=encoded).encode()
        socketio.packet.Packet(encoded_packet=encoded)
    return time.process_time_ns() - began
