"""The sniffer: a process of its own that writes one port's packets into a file.

The rule kept here: bytes and stamps are taken first and dissected later, by
somebody else; and the process says that it is ready only when every packet
from now on will be in the file.  (A notebook's kernel that is busy would make
a sniffer in one of its threads lose most packets.)
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path
from typing import Any, Protocol

from utils.capture.afpacket import PacketSocket, Stamped, Statistics
from utils.capture.pcapng import ETHERNET, Writer
from utils.capture.ring import Ring
from utils.supervision import Control

#: How long to wait for packets before looking whether anybody asks, in seconds.
_TURN = 0.02

#: How long a flush may take, in seconds.
_PATIENCE = 20.0


class Source(Protocol):
    """Where packets come from."""

    def take(self, timeout: float) -> list[Stamped]:
        """The packets that are here; if there are none, wait for ``timeout`` seconds."""

    def statistics(self) -> Statistics | None:
        """Packets and drops since the last call; None where the system does not say."""

    def close(self) -> None: ...


class Sniffer:
    """Takes packets in one thread; the channel's thread asks it to flush and to stop."""

    def __init__(self, source: Source, out: Path, *, link_type: int = ETHERNET) -> None:
        self._source = source
        self._file = out.open("wb")
        self._writer = Writer(self._file, link_type=link_type, comment="captured live on the loopback")
        self._taken = 0
        self._passed = 0  # by the kernel's count
        self._dropped: int | None = 0
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._flushed = threading.Event()

    def run(self) -> None:
        """Take packets until told to stop."""
        try:
            while not self._stop.is_set():
                self._take()
                if self._asked.is_set():
                    self._asked.clear()
                    self._settle()
                    self._flushed.set()
        finally:
            self._file.close()
            self._source.close()

    def _take(self) -> bool:
        """Write what is here; False if that was nothing."""
        packets = self._source.take(_TURN)
        self._writer.write_all(packets)
        self._taken += len(packets)
        return bool(packets)

    def _settle(self) -> None:
        """Take all that had arrived when this was called, however much more comes."""
        counts = self._source.statistics()
        if counts is None:  # no count to wait for: until a turn brings nothing
            self._dropped = None
            while self._take() and not self._stop.is_set():
                pass
        else:
            assert self._dropped is not None
            self._passed += counts.packets
            self._dropped += counts.dropped
            while self._taken < self._passed - self._dropped and not self._stop.is_set():
                self._take()
        self._writer.flush()

    def flush(self, words: dict[str, Any]) -> dict[str, Any]:
        """Bring everything that has arrived into the file, and count."""
        self._flushed.clear()
        self._asked.set()
        if not self._flushed.wait(_PATIENCE):
            raise TimeoutError(f"the packets were not written within {_PATIENCE:g} seconds")
        return {"packets": self._taken, "dropped": self._dropped}

    def stop(self) -> None:
        self._stop.set()


def main(arguments: list[str]) -> int:
    """Capture until the parent is gone; the exit status is 0 if all went well."""
    parser = argparse.ArgumentParser(prog="sniffer")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    control = Control.take_over()
    try:
        sniffer = _sniffer(options.port, options.out)
    except Exception as error:  # whatever the platform's socket says is the parent's answer
        control.failed(f"{type(error).__name__}: {error}")
        return 1
    control.serve({"flush": sniffer.flush}, on_parent_gone=sniffer.stop)
    control.ready(port=options.port)
    sniffer.run()
    return 0


def _sniffer(port: int, out: Path) -> Sniffer:
    if sys.platform != "linux":
        # Scapy takes most of a second to load: only where it is needed.
        from utils.capture.portable import PortableSocket

        portable = PortableSocket(port)
        return Sniffer(portable, out, link_type=portable.link_type)
    try:
        return Sniffer(Ring(port), out)
    except PermissionError:
        raise
    except OSError as error:
        print(f"no ring on this system ({error}): packets are taken one by one", file=sys.stderr)
        return Sniffer(PacketSocket(port), out)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
