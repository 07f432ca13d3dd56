"""The clock: it closes lots when their time has come, and counts the last seconds.

Closing is decided by the database, so of several processes one announces it.
The countdown is only a courtesy, and each process gives it to its own clients.
"""

from __future__ import annotations

import logging

from flask_socketio import SocketIO

from lab_server.herald import room_of
from lab_server.house import House

log = logging.getLogger(__name__)

#: From how many seconds before the closing time on the seconds are counted aloud.
COUNTDOWN = 10

#: How long the clock sleeps at most, in seconds: another process may have changed a lot.
NAP = 2.0


class Clock:
    """Watches the lots' closing times, in a background task of its own."""

    def __init__(self, socketio: SocketIO, house: House) -> None:
        self._socketio = socketio
        self._house = house
        self._woken = socketio.server.eio.create_event()
        self._stopped = False
        self._told: dict[int, int] = {}  # lot → the last number of seconds that was counted

    def start(self) -> None:
        """Start to watch; call it once."""
        self._socketio.start_background_task(self._run)

    def stop(self) -> None:
        """Let the task end; it does so at once, but is not waited for."""
        self._stopped = True
        self._woken.set()

    def wake(self) -> None:
        """Look at the lots now: one of them may have changed."""
        self._woken.set()

    def tick(self) -> float:
        """Close and count what is due; return the seconds until there may be something to do."""
        house = self._house
        for lot in house.close_due():
            self._told.pop(lot.id, None)
            self._socketio.emit("lot closed", {"lot": lot.as_json()}, to=room_of(lot.id))
        pause = NAP
        now = house.now()
        for lot in house.lots():
            left = lot.closes_at - now
            if lot.closed or left <= 0:
                continue
            seconds = -(-left // 1000)
            if seconds <= COUNTDOWN and self._told.get(lot.id) != seconds:
                self._told[lot.id] = seconds
                # Not through the message queue: the other processes count for themselves.
                self._socketio.emit(
                    "countdown", {"lot": lot.id, "seconds": seconds}, to=room_of(lot.id), ignore_queue=True
                )
            whole = (left - 1) % 1000 + 1 if seconds <= COUNTDOWN else left - 1000 * COUNTDOWN
            pause = min(pause, whole / 1000)
        return pause

    def _run(self) -> None:
        while not self._stopped:
            try:
                pause = self.tick()
            except Exception:
                # Whatever it was, most likely the database: lots must close all the same.
                log.exception("the clock stumbled")
                pause = NAP
            self._woken.wait(timeout=pause)
            self._woken.clear()
