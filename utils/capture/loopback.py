"""A scapy socket for Linux's loopback: one port, each packet once, nanosecond stamps.

The rule kept here: the socket receives nothing until its filter and its buffer
are in place, so no foreign packet enters and none of the first ones is lost.
It is scapy's own kind of socket: ``sniff(opened_socket=...)`` takes it.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Any, NamedTuple

from scapy.config import conf
from scapy.layers.l2 import Ether
from scapy.supersocket import SuperSocket

from utils.capture import bpf

# From linux/socket.h and linux/if_packet.h; Python's socket module lacks them.
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3

#: Room in the kernel, in bytes, for packets not yet read: seconds of a full load.
BUFFER = 1 << 26

#: More than a loopback frame ever has (an MTU of 65,536 and its header): none is clipped.
FRAME = 1 << 17

_TIMESPEC = struct.Struct("@ll")
_STATISTICS = struct.Struct("@II")


class Statistics(NamedTuple):
    """What the kernel says of a packet socket, since it was last asked."""

    packets: int  # that passed the filter, the dropped ones included
    dropped: int  # for want of room


class LoopbackSocket(SuperSocket):
    """Receives the TCP segments to and from ``port`` on ``iface`` (the loopback).

    Raises PermissionError where packets may not be read.
    """

    desc = "read the packets of one TCP port from the loopback"

    def __init__(self, port: int, iface: str | None = None, **_: Any) -> None:
        # Protocol 0 receives nothing yet; bind() below opens the tap.
        self.ins = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.outs = None
        self.iface = iface or conf.loopback_name
        program = bpf.tcp_port(port)
        self._program = ctypes.create_string_buffer(program)  # the kernel copies it from here
        attach = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(self._program))
        self.ins.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attach)
        try:
            self.ins.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER)
        except PermissionError:  # without CAP_NET_ADMIN, as much as the system's limit gives
            self.ins.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.ins.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        # A loopback packet passes twice, going out and coming in; once is enough.
        self.ins.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        self.ins.bind((self.iface, _ETH_P_ALL))

    def recv_stamped(self) -> tuple[int, bytes]:
        """The next packet and the kernel's stamp, in nanoseconds since 1970."""
        packet, ancillary, _, _ = self.ins.recvmsg(FRAME, 64)
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
                return seconds * 1_000_000_000 + nanoseconds, packet
        raise OSError("the kernel gave a packet without a stamp")

    def recv_raw(self, x: int = FRAME) -> tuple[Any, bytes, float]:
        """As scapy asks: the layer to dissect with, the packet, and the stamp in seconds."""
        time_ns, packet = self.recv_stamped()
        return Ether, packet, time_ns / 1e9

    def statistics(self) -> Statistics:
        """Packets and drops since the last call."""
        return Statistics(
            *_STATISTICS.unpack(self.ins.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size))
        )
