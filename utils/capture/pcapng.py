"""Packets into a pcapng file, with nanoseconds.

The rule kept here: the file is whole after each flush, and holds each stamp as
the kernel gave it.  (Scapy's own writer rounds stamps to microseconds.)  The
blocks are those of the PCAP Next Generation draft, sections 4.1 to 4.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import IO

from utils.capture.stamped import Stamped

#: Link types (https://www.tcpdump.org/linktypes.html).
ETHERNET = 1

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _END, _RESOLUTION = 1, 0, 9
_NANOSECONDS = 9  # stamps count units of 10**-9 s

_PACKET_HEAD = struct.Struct("<IIIIIII")
_PACKET_FRAME = _PACKET_HEAD.size + 4  # of a packet's block, all but the padded packet

#: By the bytes of padding: what closes a block, the padding and the block's size once more.
_ENDS = tuple(struct.Struct(f"<{padding}xI").pack for padding in range(4))


class Writer:
    """Writes packets of one interface into ``file``."""

    def __init__(self, file: IO[bytes], *, link_type: int = ETHERNET, comment: str = "") -> None:
        self._file = file
        section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        self._block(_SECTION, section + _options([(_COMMENT, comment.encode())] if comment else []))
        interface = struct.pack("<HHI", link_type, 0, 0)  # no limit on a packet's length
        self._block(_INTERFACE, interface + _options([(_RESOLUTION, bytes([_NANOSECONDS]))]))

    def write(self, time_ns: int, packet: bytes) -> None:
        """Add one packet, stamped in nanoseconds since 1970."""
        self.write_all([(time_ns, packet, len(packet))])

    def write_all(self, packets: Iterable[Stamped]) -> None:
        """Add packets: stamp, the bytes that are there, and how many there were on the wire."""
        blocks: list[bytes | memoryview] = []
        for time_ns, packet, length in packets:
            captured = len(packet)
            padding = -captured & 3
            size = captured + padding + _PACKET_FRAME
            # Interface 0; the stamp's high and low half.
            high, low = time_ns >> 32, time_ns & 0xFFFFFFFF
            blocks += (
                _PACKET_HEAD.pack(_PACKET, size, 0, high, low, captured, length),
                packet,
                _ENDS[padding](size),
            )
        self._file.write(b"".join(blocks))

    def flush(self) -> None:
        self._file.flush()

    def _block(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._file.write(struct.pack("<I", kind) + length + body + length)


def _options(options: list[tuple[int, bytes]]) -> bytes:
    packed = b"".join(
        struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4) for code, value in options
    )
    return packed + struct.pack("<HH", _END, 0) if options else b""
