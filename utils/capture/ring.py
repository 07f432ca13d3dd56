"""Packets from a ring that the kernel fills and we read: no system call for a packet.

The rule kept here: the reader may sleep for seconds and loses nothing.  The
kernel closes a block when it is full, or at a time-out if it holds anything,
however little: so the time that the ring bridges is blocks × time-out, and many
small blocks serve better than a few large ones.
(Documentation/networking/packet_mmap.rst, "AF_PACKET TPACKET_V3 example".)
"""

from __future__ import annotations

import mmap
import select
import socket
import struct
from collections.abc import Collection, Iterator

from utils.capture.afpacket import LOOPBACK, ROOM, SOL_PACKET, Statistics, begin, prepare, statistics
from utils.capture.pcapng import ETHERNET
from utils.capture.stamped import Stamped

_PACKET_RX_RING = 5
_PACKET_VERSION = 10
_TPACKET_V3 = 2

#: Bytes of a block: the largest loopback frame and its header fit in.
BLOCK = 1 << 17
BLOCKS = ROOM // BLOCK

#: After this many milliseconds a block that holds anything is handed over.
RETIRE_MS = 20

#: The ring's third version packs frames as they come; this only has to divide a block.
_NOMINAL_FRAME = 1 << 11

_BELONGS_TO_US = 1
_STATUS = 8  # where a block's status stands
#: Status, number of packets, offset of the first, length of all; from _STATUS on.
_BLOCK_HEAD = struct.Struct("@IIII")
_WORD = struct.Struct("@I")
_KERNELS = _WORD.pack(0)
#: Offset of the next, seconds, nanoseconds, captured, length, status, offset of the frame.
_FRAME_HEAD = struct.Struct("@IIIIIIH")


class Ring:
    """The TCP segments to and from chosen ports, block by block.

    A block is taken as the kernel filled it, whole: what it costs to take a
    packet is a share of one copy.  Raises PermissionError where packets may not
    be read, and another OSError where the system has no such ring, or no room
    for it.
    """

    link_type = ETHERNET

    def __init__(self) -> None:
        self._socket = prepare(_make_ring)
        try:
            self._memory = mmap.mmap(self._socket.fileno(), BLOCK * BLOCKS)
        except BaseException:
            self._socket.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._next = 0  # the block that is ours next

    def begin(self, ports: Collection[int], iface: str = LOOPBACK) -> None:
        """Receive the TCP segments to and from ``ports`` from here on."""
        begin(self._socket, ports, iface)

    def take(self, timeout: float) -> tuple[int, bytes]:
        """The next block and how many packets it holds; if none is ready, wait for ``timeout`` seconds."""
        # A system call is also the barrier that keeps reads of a block behind that of its status.
        self._poll.poll(timeout * 1000)
        memory, start = self._memory, self._next * BLOCK
        status, count, _, length = _BLOCK_HEAD.unpack_from(memory, start + _STATUS)
        if not status & _BELONGS_TO_US:
            return 0, b""
        block = memory[start : start + length]
        memory[start + _STATUS : start + _STATUS + _WORD.size] = _KERNELS
        self._next = (self._next + 1) % BLOCKS
        return count, block

    def packets(self, taken: memoryview) -> Iterator[Stamped]:
        """The packets of any number of blocks."""
        start = 0
        head = _FRAME_HEAD.unpack_from
        while start < len(taken):
            _, count, first, size = _BLOCK_HEAD.unpack_from(taken, start + _STATUS)
            at = start + first
            for _ in range(count):
                step, seconds, nanoseconds, captured, length, _, frame = head(taken, at)
                frame += at
                yield seconds * 1_000_000_000 + nanoseconds, taken[frame : frame + captured], length
                at += step
            start += size

    def statistics(self) -> Statistics:
        """Packets and drops since the last call."""
        return statistics(self._socket)

    def close(self) -> None:
        self._memory.close()
        self._socket.close()


def _make_ring(opened: socket.socket) -> None:
    opened.setsockopt(SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
    # struct tpacket_req3; the last two words (private room, features) stay 0.
    frames = BLOCKS * (BLOCK // _NOMINAL_FRAME)
    request = struct.pack("@7I", BLOCK, BLOCKS, _NOMINAL_FRAME, frames, RETIRE_MS, 0, 0)
    opened.setsockopt(SOL_PACKET, _PACKET_RX_RING, request)
