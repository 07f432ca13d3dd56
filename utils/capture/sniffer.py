"""The sniffer: a process of its own that writes one port's packets into a file.

The rule kept here: bytes and stamps are taken first and dissected later, by
somebody else; and the process says that it is ready only when every packet
from now on will be in the file.  (A notebook's kernel that is busy would make
a sniffer in one of its threads lose most packets.)
"""

from __future__ import annotations

import argparse
import selectors
import sys
import threading
import time
from pathlib import Path
from typing import Any

from utils.capture.pcapng import Writer
from utils.supervision import Control


class Sniffer:
    """Takes packets in one thread; the channel's thread asks it to flush and to stop."""

    def __init__(self, source: Any, out: Path) -> None:
        self._source = source
        self._file = out.open("wb")
        self._writer = Writer(self._file, comment="captured live on the loopback")
        self._packets = 0
        self._dropped = 0
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._flushed = threading.Event()

    def run(self) -> None:
        """Take packets until told to stop."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._source, selectors.EVENT_READ)
            while not self._stop.is_set():
                if selector.select(0.02):
                    self._take()
                elif self._asked.is_set():
                    # Nothing is waiting: all that came before the question is written.
                    self._asked.clear()
                    self._writer.flush()
                    self._flushed.set()
        self._file.close()
        self._source.close()

    def _take(self) -> None:
        self._writer.write(*self._source.recv_stamped())
        self._packets += 1

    def flush(self, words: dict[str, Any]) -> dict[str, Any]:
        """Bring everything that has arrived into the file, and count."""
        self._flushed.clear()
        self._asked.set()
        if not self._flushed.wait(10):
            raise TimeoutError("packets come in faster than they can be written")
        self._dropped += self._source.statistics().dropped
        return {"packets": self._packets, "dropped": self._dropped}

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
        source = _open(options.port)
    except Exception as error:  # whatever the platform's socket says is the parent's answer
        control.failed(f"{type(error).__name__}: {error}")
        return 1
    sniffer = Sniffer(source, options.out)
    control.serve({"flush": sniffer.flush}, on_parent_gone=sniffer.stop)
    control.ready(port=options.port)
    sniffer.run()
    return 0


def _open(port: int) -> Any:
    if sys.platform == "linux":
        from utils.capture.loopback import LoopbackSocket

        return LoopbackSocket(port)
    return _PortableSource(port)


class _PortableSource:
    """Scapy's own listening socket, for platforms without AF_PACKET."""

    def __init__(self, port: int) -> None:
        from scapy.config import conf

        self._socket = conf.L2listen(iface=conf.loopback_name, filter=f"tcp port {port}")

    def fileno(self) -> int:
        return int(self._socket.fileno())

    def recv_stamped(self) -> tuple[int, bytes]:
        _, packet, stamp = self._socket.recv_raw()
        return int((stamp or time.time()) * 1_000_000_000), packet or b""

    def statistics(self) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        self._socket.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
