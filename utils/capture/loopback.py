"""A scapy socket for Linux's loopback: ``sniff(opened_socket=LoopbackSocket(port))``.

The rule kept here: it is scapy's own kind of socket, and it gives what
:mod:`utils.capture.afpacket` gives: one port, each packet once, none clipped.
"""

from __future__ import annotations

from typing import Any

from scapy.layers.l2 import Ether
from scapy.supersocket import SuperSocket

from utils.capture.afpacket import FRAME, LOOPBACK, PacketSocket, Statistics


class LoopbackSocket(SuperSocket):
    """Receives the TCP segments to and from ``port`` on ``iface`` (the loopback).

    Raises PermissionError where packets may not be read.
    """

    desc = "read the packets of one TCP port from the loopback"

    def __init__(self, port: int, iface: str | None = None, **_: Any) -> None:
        self.iface = iface or LOOPBACK
        self._packets = PacketSocket()
        self._packets.begin([port], self.iface)
        self.ins = self._packets.socket
        self.outs = None

    def recv_raw(self, x: int = FRAME) -> tuple[Any, bytes, float]:
        """As scapy asks: the layer to dissect with, the packet, and the stamp in seconds."""
        time_ns, packet, _ = self._packets.receive()
        return Ether, packet, time_ns / 1e9

    def statistics(self) -> Statistics:
        """Packets and drops since the last call."""
        return self._packets.statistics()
