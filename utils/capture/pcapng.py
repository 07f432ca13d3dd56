"""Packets into a pcapng file, with nanoseconds.

The rule kept here: the file is whole after each flush, and holds each stamp as
the kernel gave it.  (Scapy's own writer rounds stamps to microseconds.)  The
blocks are those of the PCAP Next Generation draft, sections 4.1 to 4.3.
"""

from __future__ import annotations

import struct
from typing import IO

#: Link types (https://www.tcpdump.org/linktypes.html).
ETHERNET = 1

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _END, _RESOLUTION = 1, 0, 9
_NANOSECONDS = 9  # stamps count units of 10**-9 s


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
        high, low = divmod(time_ns, 1 << 32)
        head = struct.pack("<IIIII", 0, high, low, len(packet), len(packet))
        self._block(_PACKET, head + packet + b"\0" * (-len(packet) % 4))

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
