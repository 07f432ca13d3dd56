"""Packets decoded as they come, while the server runs.

The rule kept here: it watches beside whatever else goes on, by a sniffer of its
own, and leaves nothing behind when it is stopped.  It takes at most half of the
time of one thread: under a flood the rows come later, and none is lost.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from utils.capture import files
from utils.capture.live import LiveCapture
from utils.errors import LabError
from utils.reassembly import Reassembler
from utils.records import Message

#: How long it waits between two looks, in seconds: what a person takes for "at once".
PERIOD = 0.1


class Screen(Protocol):
    """Where the messages are shown."""

    def show(self, messages: Sequence[Message], dropped: int, missing: int) -> None:
        """These came; so many packets were dropped and so many bytes are missing, in all."""

    def end(self, why: str) -> None:
        """No more will come."""


class Watch:
    """Shows the messages of one port on ``screen`` until :meth:`stop`, or until ``goes_on`` says no."""

    def __init__(self, port: int, screen: Screen, goes_on: Callable[[], bool] = lambda: True) -> None:
        self._port = port
        self._screen = screen
        self._goes_on = goes_on
        self._capture = LiveCapture()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live view", daemon=True)

    def start(self) -> None:
        """When this returns, no packet is missed any more.

        Raises CaptureRightsError if packets may not be read.
        """
        self._capture.start(self._port)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it watches."""
        return self._thread.is_alive() and not self._stop.is_set()

    @property
    def sniffer(self) -> int | None:
        """The process that takes the packets, while there is one."""
        return self._capture.pid

    def stop(self) -> None:
        """Show what has come, and watch no longer; a second time, nothing happens."""
        self._stop.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        why = "stopped"
        try:
            with tempfile.TemporaryDirectory(prefix="socketio-lab-") as folder:
                self._watch(Path(folder) / "packets.pcapng")
            if not self._stop.is_set():
                why = "the server has ended"
        except (LabError, OSError) as error:
            why = f"it could not go on: {error}"
        finally:
            self._capture.close()
            self._screen.end(why)

    def _watch(self, path: Path) -> None:
        reassembler = Reassembler(self._port)
        dropped, pause, last = 0, PERIOD, False
        while not last:
            last = self._stop.wait(pause) or not self._goes_on()
            began = time.monotonic()
            counts = self._capture.collect(path)
            dropped += counts.dropped
            found = [message for one in files.read(path).segments for message in reassembler.add(one)]
            if last:
                found += reassembler.finish()
            if found or counts.dropped:
                self._screen.show(found, dropped, reassembler.missing)
            pause = max(PERIOD, time.monotonic() - began)
