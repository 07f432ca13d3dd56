"""The herald: tells a lot's room of its bids; the first at once, and what follows close behind it together.

A person sees no difference; a hundred people who watch a lot for which a
hundred bids come in a second are told ten or twenty times, not a hundred.
Bids have numbers without gaps: whoever hears of several at once has missed
none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from flask_socketio import SocketIO

from lab_server.house import BidView

#: How long a lot's room is left alone after it has been told, in seconds.
PAUSE = 0.05


def room_of(lot_id: int) -> str:
    """The name of the room of those who follow a lot."""
    return f"lot {lot_id}"


def news(lot_id: int, bids: Sequence[BidView]) -> dict[str, Any]:
    """What ``bids placed`` tells."""
    return {"lot": lot_id, "bids": [bid.as_json() for bid in bids]}


class Herald:
    """Knows whose room has just been told, and tells it later what came meanwhile.  For any thread."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio
        self._lock = threading.Lock()
        self._told: dict[int, float] = {}  # lot → when its room was told last
        self._waiting: dict[int, list[BidView]] = {}  # lot → what it will be told next

    def defers(self, lot_id: int, bid: BidView) -> bool:
        """Whether the lot's room will be told of ``bid`` a moment later; if not, the caller tells it now."""
        with self._lock:
            if lot_id in self._waiting:
                self._waiting[lot_id].append(bid)
                return True
            now = time.monotonic()
            wait = self._told.get(lot_id, now - PAUSE) + PAUSE - now
            if wait <= 0:
                self._told[lot_id] = now
                return False
            self._waiting[lot_id] = [bid]
        self._socketio.start_background_task(self._tell_later, lot_id, wait)
        return True

    def _tell_later(self, lot_id: int, wait: float) -> None:
        self._socketio.sleep(wait)
        with self._lock:
            bids = self._waiting.pop(lot_id)
            self._told[lot_id] = time.monotonic()
        in_order = sorted(bids, key=lambda bid: bid.number)
        self._socketio.emit("bids placed", news(lot_id, in_order), to=room_of(lot_id))
