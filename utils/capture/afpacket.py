"""Linux's packet sockets: chosen TCP ports of the loopback, each packet once, nanosecond stamps.

The rule kept here: a socket receives nothing until its filter and its room are
in place, so no foreign packet enters and none of the first ones is lost; and
the kernel's own counts say what was lost later.  (packet(7), linux/if_packet.h.)
"""

from __future__ import annotations

import ctypes
import select
import socket
import struct
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from utils.capture import bpf, stamped
from utils.capture.pcapng import ETHERNET
from utils.capture.stamped import Stamped

SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_ETH_P_ALL = 3

#: The loopback's name in every network namespace of Linux.
LOOPBACK = "lo"

#: Room in the kernel, in bytes, for packets not yet read: seconds of a full load.
ROOM = 1 << 26

#: More than a loopback frame ever has (an MTU of 65,536 and its header): none is clipped.
FRAME = 1 << 17

#: The most packets taken at once: between two of these turns, others may speak.
_TURN = 512

_TIMESPEC = struct.Struct("@ll")
_STATISTICS = struct.Struct("@II")


class Statistics(NamedTuple):
    """What the kernel says of a packet socket, since it was last asked."""

    packets: int  # that passed the filter, the dropped ones included
    dropped: int  # for want of room


def prepare(make_room: Callable[[socket.socket], None]) -> socket.socket:
    """A packet socket with its room, that receives nothing yet; :func:`begin` lets it.

    To make room takes the kernel a while: it can be done before anybody knows
    what is to be captured.  Raises PermissionError where packets may not be read.
    """
    prepared = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # protocol 0: none
    try:
        # Stamps are made as packets arrive, not as they are copied.
        prepared.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        # A loopback packet passes twice, going out and coming in; once is enough.
        prepared.setsockopt(SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        make_room(prepared)
    except BaseException:
        prepared.close()
        raise
    return prepared


def begin(prepared: socket.socket, ports: Collection[int], iface: str) -> None:
    """Receive the TCP segments to and from ``ports`` from here on."""
    program = bpf.tcp_ports(ports)
    instructions = ctypes.create_string_buffer(program)  # the kernel copies them from here
    attach = struct.pack("@HP", len(program) // bpf.INSTRUCTION, ctypes.addressof(instructions))
    prepared.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attach)
    prepared.bind((iface, _ETH_P_ALL))


def statistics(opened: socket.socket) -> Statistics:
    """Packets and drops since the last call.

    A packet is counted before it can be read: so whoever has read as many as
    were counted and not dropped has read all that had arrived.
    """
    counts = opened.getsockopt(SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
    return Statistics(*_STATISTICS.unpack(counts))


class PacketSocket:
    """Packets one by one, by system calls: for systems that grant no ring, and for scapy."""

    link_type = ETHERNET

    def __init__(self) -> None:
        self.socket = prepare(_make_room)
        self._poll = select.poll()
        self._poll.register(self.socket, select.POLLIN)

    def begin(self, ports: Collection[int], iface: str = LOOPBACK) -> None:
        """Receive the TCP segments to and from ``ports`` from here on."""
        begin(self.socket, ports, iface)

    def take(self, timeout: float) -> tuple[int, bytes]:
        """How many packets are here, and they themselves; if none are, wait for ``timeout`` seconds."""
        found: list[Stamped] = []
        if self._poll.poll(timeout * 1000):
            while len(found) < _TURN:
                try:
                    found.append(self.receive(socket.MSG_DONTWAIT))
                except BlockingIOError:
                    break
        return len(found), stamped.pack(found)

    def packets(self, taken: memoryview) -> Iterator[Stamped]:
        """The packets of any number of takes."""
        return stamped.unpack(taken)

    def receive(self, flags: int = 0) -> tuple[int, bytes, int]:
        """The next packet."""
        packet, ancillary, _, _ = self.socket.recvmsg(FRAME, 64, flags)
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
                return seconds * 1_000_000_000 + nanoseconds, packet, len(packet)
        raise OSError("the kernel gave a packet without a stamp")

    def statistics(self) -> Statistics:
        """Packets and drops since the last call."""
        return statistics(self.socket)

    def close(self) -> None:
        self.socket.close()


def _make_room(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, ROOM)
    except PermissionError:  # without CAP_NET_ADMIN, as much as the system's limit gives
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
