"""Packets decoded as they come, while the server runs.

The rule kept here: it watches beside whatever else goes on, by a sniffer (or a
tap) of its own, and leaves nothing behind when it is stopped.  It takes at most half of the
time of one thread: under a flood the rows come later, and none is lost.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from utils.capture import files
from utils.capture.live import LiveCapture
from utils.capture.tap import Tap
from utils.errors import LabError
from utils.records import Message, Segment
from utils.streams.reassembly import Reassembler
from utils.subject.server import Server

#: How long it waits between two looks, in seconds: what a person takes for "at once".
PERIOD = 0.1


class Screen(Protocol):
    """Where the messages are shown."""

    def show(self, messages: Sequence[Message], dropped: int, missing: int) -> None:
        """These came; so many packets were dropped and so many bytes are missing, in all."""

    def end(self, why: str) -> None:
        """No more will come."""


class Feed(Protocol):
    """Where the packets come from."""

    def start(self) -> None:
        """No packet is missed from here on."""

    def collect(self, path: Path) -> tuple[Iterable[Segment], int]:
        """What came since the last time, by way of the file ``path``; how many packets were dropped."""

    def close(self) -> None: ...


class Captured:
    """What a sniffer of its own takes from the wire."""

    def __init__(self, server: Server) -> None:
        self._port = server.port
        self.capture = LiveCapture()

    def start(self) -> None:
        self.capture.start(self._port)

    def collect(self, path: Path) -> tuple[Iterable[Segment], int]:
        counts = self.capture.collect(path)
        return files.read(path).segments, counts.dropped

    def close(self) -> None:
        self.capture.close()


class Tapped:
    """What the server's own sockets move."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tap = Tap()

    def start(self) -> None:
        self._server.tap_listen()

    def collect(self, path: Path) -> tuple[Iterable[Segment], int]:
        heard, dropped = self._server.tap_heard(path)
        return self._tap.segments(heard.transfers), dropped

    def close(self) -> None:
        with suppress(LabError):  # it may have ended with its server
            self._server.tap_end()


class Watch:
    """Shows the messages of ``server`` on ``screen`` until :meth:`stop`, or until the server ends.

    In live mode they come from the wire, in tap mode from the server's sockets;
    in replay mode there are none.
    """

    def __init__(self, server: Server, screen: Screen) -> None:
        self._server = server
        self._screen = screen
        self.feed: Feed = Tapped(server) if server.mode.name == "tap" else Captured(server)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live view", daemon=True)

    def start(self) -> None:
        """When this returns, no packet is missed any more.

        Raises CaptureRightsError if packets may not be read.
        """
        self.feed.start()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it watches."""
        return self._thread.is_alive() and not self._stop.is_set()

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
        except (LabError, OSError) as error:
            why = f"it could not go on: {error}"
        finally:
            self.feed.close()
            self._screen.end(why if self._server.alive else "the server has ended")

    def _watch(self, path: Path) -> None:
        reassembler = Reassembler(self._server.port)
        dropped, pause, last = 0, PERIOD, False
        while not last:
            last = self._stop.wait(pause) or not self._server.alive
            began = time.monotonic()
            segments, more_dropped = self.feed.collect(path)
            dropped += more_dropped
            found = [message for segment in segments for message in reassembler.add(segment)]
            if last:
                found += reassembler.finish()
            if found or more_dropped:
                self._screen.show(found, dropped, reassembler.missing)
            pause = max(PERIOD, time.monotonic() - began)
