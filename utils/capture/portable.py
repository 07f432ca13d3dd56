"""Scapy's own listening sockets, for systems without Linux's packet sockets.

The rule kept here: the kernel filters here too (BPF on macOS and the BSDs,
Npcap on Windows), and stamps are as fine as the system gives them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

from scapy.config import conf

from utils.capture import stamped
from utils.capture.stamped import Stamped


class PortableSocket:
    """The TCP segments to and from chosen ports on the loopback."""

    link_type: int
    _socket: Any = None

    def begin(self, ports: Collection[int]) -> None:
        """Receive them from here on.

        Raises what the platform's socket raises where packets may not be read.
        """
        chosen = " or ".join(f"port {port}" for port in ports)
        self._socket = conf.L2listen(iface=conf.loopback_name, filter=f"tcp and ({chosen})")
        self.link_type = _link_type(self._socket)

    def take(self, timeout: float) -> tuple[int, bytes]:
        """One packet, if there is one; else wait for ``timeout`` seconds."""
        # Each kind of socket knows whether it still holds packets that it read ahead.
        if not self._socket.select([self._socket], timeout):
            return 0, b""
        _, packet, seconds = self._socket.recv_raw()
        if packet is None:
            return 0, b""
        time_ns = time.time_ns() if seconds is None else round(seconds * 1_000_000_000)
        return 1, stamped.pack([(time_ns, packet, len(packet))])

    def packets(self, taken: memoryview) -> Iterator[Stamped]:
        """The packets of any number of takes."""
        return stamped.unpack(taken)

    def statistics(self) -> None:
        """These sockets do not all count what they drop."""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


def _link_type(listening: Any) -> int:
    """What the packets begin with (https://www.tcpdump.org/linktypes.html)."""
    if hasattr(listening, "pcap_fd"):
        return int(listening.pcap_fd.datalink())
    return int(conf.l2types.layer2num[listening.guessed_cls])
