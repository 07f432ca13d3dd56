"""The sniffer: a process of its own that takes the packets of chosen ports, and keeps them.

The rule kept here: bytes and stamps are taken first and looked at later.  What
the kernel hands over is spooled as it is; a capture file is made of it when
somebody asks, in another thread.  (A notebook's kernel that is busy would make
a sniffer in one of its threads lose most packets.)

It stands by until it is told to ``capture`` some ``ports``; from then on each
``collect`` brings what has arrived since the last one into a capture file of
its own, ``out``; after ``end`` it stands by again.
"""

from __future__ import annotations

import mmap
import queue
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol

from utils.capture.afpacket import PacketSocket, Statistics
from utils.capture.pcapng import Writer
from utils.capture.ring import Ring
from utils.capture.stamped import Stamped
from utils.processes.control import Control

#: How long to wait for packets before looking whether anybody asks, in seconds.
_TURN = 0.02

#: How long it may take until all that had arrived is in the spool, in seconds.
_PATIENCE = 20.0

#: Packets that are written at once.
_BATCH = 4096


class Source(Protocol):
    """Where packets come from."""

    link_type: int

    def begin(self, ports: Collection[int]) -> None:
        """Receive the TCP segments to and from ``ports`` from here on."""

    def take(self, timeout: float) -> tuple[int, bytes]:
        """How many packets are here, and they themselves; if none are, wait for ``timeout`` seconds."""

    def packets(self, taken: memoryview) -> Iterator[Stamped]:
        """The packets of any number of takes, one after another."""

    def statistics(self) -> Statistics | None:
        """Packets and drops since the last call; None where the system does not say."""

    def close(self) -> None: ...


class Capture:
    """Takes packets in one thread, while another one asks for them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._spool = _spool()
        self._handed: tuple[IO[bytes], int | None] | None = None
        self._taken = 0
        self._passed = 0  # by the kernel's count
        self._dropped = 0
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._settled = threading.Event()

    def run(self) -> None:
        """Take packets until told to stop."""
        try:
            while not self._stop.is_set():
                self._take()
                if self._asked.is_set():
                    self._asked.clear()
                    dropped = self._settle()
                    self._handed, self._spool = (self._spool, dropped), _spool()
                    self._settled.set()
        finally:
            self._source.close()
            self._spool.close()

    def stop(self) -> None:
        """Take no more; whoever runs this returns."""
        self._stop.set()

    def _take(self) -> bool:
        """Keep what is here; False if that was nothing."""
        count, taken = self._source.take(_TURN)
        if count:
            self._spool.write(taken)
            self._taken += count
        return bool(count)

    def _settle(self) -> int | None:
        """Take all that had arrived when this was called, however much more comes; how many were dropped."""
        counts = self._source.statistics()
        if counts is None:  # no count to wait for: until a turn brings nothing
            while self._take() and not self._stop.is_set():
                pass
            return None
        self._passed += counts.packets
        self._dropped += counts.dropped
        while self._taken < self._passed - self._dropped and not self._stop.is_set():
            self._take()
        return counts.dropped

    def collect(self, out: Path) -> dict[str, Any]:
        """What has arrived since the last time, as a capture file; how much, and what was dropped."""
        self._settled.clear()
        self._asked.set()
        if not self._settled.wait(_PATIENCE):
            raise TimeoutError(f"the packets were not taken within {_PATIENCE:g} seconds")
        assert self._handed is not None
        (spool, dropped), self._handed = self._handed, None
        with spool, out.open("wb") as file:
            count = self._write(spool, file)
        return {"packets": count, "dropped": dropped}

    def _write(self, spool: IO[bytes], file: IO[bytes]) -> int:
        writer = Writer(file, link_type=self._source.link_type, comment="captured live on the loopback")
        size = spool.seek(0, 2)
        if not size:
            return 0
        count = 0
        packets = self._source.packets(memoryview(mmap.mmap(spool.fileno(), size, access=mmap.ACCESS_READ)))
        while batch := list(islice(packets, _BATCH)):
            writer.write_all(batch)
            count += len(batch)
        return count


def _spool() -> IO[bytes]:
    # It has no name: whatever ends this process, nothing is left of it.
    return tempfile.TemporaryFile(buffering=0)


class Sniffer:
    """One capture after another, each in the main thread; the channel's thread gives the orders."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[Capture | None] = queue.SimpleQueue()
        self._current: Capture | None = None
        self._spare: Source | None = None

    def stand_by(self) -> None:
        """Make the room for the first capture before it is asked for; that it cannot be made is said then."""
        with suppress(Exception):
            self._spare = _source()

    def run(self) -> None:
        """Until the parent is gone."""
        while (capture := self._orders.get()) is not None:
            capture.run()

    def capture(self, words: dict[str, Any]) -> dict[str, Any]:
        """When this returns, no packet is missed any more."""
        self.end({})
        source, self._spare = self._spare or _source(), None
        try:
            source.begin([int(port) for port in words["ports"]])
        except BaseException:
            source.close()
            raise
        self._current = Capture(source)
        self._orders.put(self._current)
        return {}

    def collect(self, words: dict[str, Any]) -> dict[str, Any]:
        """See :meth:`Capture.collect`."""
        if self._current is None:
            raise RuntimeError("nothing is being captured")
        return self._current.collect(Path(words["out"]))

    def end(self, words: dict[str, Any]) -> dict[str, Any]:
        """Stand by again; what was not collected is gone."""
        if self._current is not None:
            self._current.stop()
            self._current = None
        return {}

    def leave(self) -> None:
        """End :meth:`run`."""
        if (capture := self._current) is not None:
            capture.stop()
        self._orders.put(None)


def main() -> None:
    """Serve the parent until it is gone."""
    control = Control.take_over()
    sniffer = Sniffer()
    sniffer.stand_by()
    handlers = {"capture": sniffer.capture, "collect": sniffer.collect, "end": sniffer.end}
    control.serve(handlers, on_parent_gone=sniffer.leave)
    control.ready()
    sniffer.run()


def _source() -> Source:
    if sys.platform != "linux":
        # Scapy takes most of a second to load: only where it is needed.
        from utils.capture.portable import PortableSocket

        return PortableSocket()
    try:
        return Ring()
    except PermissionError:
        raise
    except OSError as error:
        print(f"no ring on this system ({error}): packets are taken one by one", file=sys.stderr)
        return PacketSocket()


if __name__ == "__main__":
    main()
