"""Packets out of pcap and pcapng files, whole and with nanoseconds.

The rule kept here: a file gives what it holds up to the first byte that makes
no sense, and that byte's offset is told.  (Scapy's readers clip a loopback's
largest frames, and end at a truncation in silence.)  The formats are those of
draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.

A packet is told by its place in the file's bytes: nothing is copied until
somebody wants it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from utils.capture import packing
from utils.errors import CaptureFileError

#: One captured packet: its stamp in nanoseconds, its link type, where its bytes start and
#: end in the file's, and how long it was on the wire (longer than that if it was clipped).
Record = tuple[int, int, int, int, int]

#: Magic number → (byte order, nanoseconds in a unit of the stamps) of a pcap file.
PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_PACKETS = frozenset({_PACKET, _ENHANCED})
_SECTION_BYTES = struct.pack(">I", _SECTION)
ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_END, _RESOLUTION, _OFFSET = 0, 9, 14
_SECOND = 10**9

#: The longest packet that is believed, in bytes: Wireshark's limit, unless the file's own is larger.
LONGEST = 1 << 18

_CUT = "it is cut off there"
_OVERFULL = "a packet is longer than its block"

#: Capture formats that are recognised and not read, by their first bytes.
_FOREIGN = {
    b"\x34\xcd\xb2\xa1": "pcap with Kuznetzov's changes",
    b"snoop\0\0\0": "snoop",
    b"GMBU": "Microsoft Network Monitor",
    b"RTSS": "Microsoft Network Monitor 1",
    b"TRSNIFF data": "Sniffer",
    b"iptrace": "iptrace",
}


class EndsEarly(Exception):
    """The file stops making sense at byte ``offset`` (of what is packed in it, if it is packed); and why."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(offset, why)
        self.offset = offset
        self.why = why


def content(path: Path) -> packing.Unpacked:
    """The bytes of the capture file at ``path``, unpacked if they are packed.

    Raises CaptureFileError if it is no pcap and no pcapng file, or cannot be
    read; of a file that can be read in part, ``trouble`` says why.
    """
    path = Path(path)
    try:
        found = packing.unpack(path.read_bytes())
    except FileNotFoundError:
        raise CaptureFileError(f"there is no file {path}", next_step="check its name") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise CaptureFileError(f"{path} cannot be read", why=why, next_step="check the file") from error
    except packing.Unknown as unknown:
        raise CaptureFileError(
            f"{path} cannot be unpacked", why=f"it is packed as {unknown}", next_step="unpack it first"
        ) from None
    if found.data[:4] in PCAP or found.data[:4] == _SECTION_BYTES:
        return found
    raise CaptureFileError(
        f"{path} is no capture file that can be read",
        why=found.trouble or _other(found.data),
        next_step="give a pcap or pcapng file, plain or packed by gzip, bzip2 or xz; "
        "Wireshark's editcap makes one of most formats",
    )


def _other(data: bytes) -> str:
    for magic, name in _FOREIGN.items():
        if data.startswith(magic):
            return f"its format is {name}"
    return "it begins with none of the formats' magic numbers"


def records(found: packing.Unpacked) -> Iterator[Record]:
    """The packets of what :func:`content` gave, in the file's order.

    Raises EndsEarly after the last whole one, if this is not all.
    """
    data = found.data
    try:
        yield from _pcap(data) if data[:4] in PCAP else _pcapng(data)
    except EndsEarly as end:
        if found.trouble and end.why == _CUT:  # the packing's fault, not the capture's
            raise EndsEarly(end.offset, found.trouble) from None
        raise
    if found.trouble:
        raise EndsEarly(len(data), found.trouble)


def _pcap(data: bytes) -> Iterator[Record]:
    order, unit = PCAP[data[:4]]
    if len(data) < 24:
        raise EndsEarly(len(data), _CUT)
    longest, link_type = struct.unpack_from(order + "II", data, 16)
    longest = max(longest, LONGEST)
    link_type &= 0xFFFF  # above stands whether, and how long, a checksum follows each frame
    head = struct.Struct(order + "IIII").unpack_from
    at, size = 24, len(data)
    while at < size:
        start = at + 16
        if start > size:
            raise EndsEarly(at, _CUT)
        seconds, fraction, captured, length = head(data, at)
        end = start + captured
        if captured > longest:
            raise EndsEarly(at, f"a packet of {captured} bytes is none")
        if end > size:
            raise EndsEarly(at, _CUT)
        yield seconds * _SECOND + fraction * unit, link_type, start, end, length
        at = end


class Interface:
    """What an interface's description says that its packets need."""

    __slots__ = ("clipped", "link_type", "offset_ns", "unit_ns", "units")

    def __init__(self, data: bytes, at: int, end: int, order: str) -> None:
        self.link_type, _, clipped = struct.unpack_from(order + "HHI", data, at)
        self.clipped = clipped or LONGEST  # 0: no limit
        self.units = 10**6  # in a second
        self.offset_ns = 0
        at += 8
        while at + 4 <= end:
            code, length = struct.unpack_from(order + "HH", data, at)
            at += 4
            if code == _END or at + length > end:
                break
            if code == _RESOLUTION and length == 1:
                power = data[at] & 0x7F
                self.units = 1 << power if data[at] & 0x80 else 10**power
            elif code == _OFFSET and length == 8:
                self.offset_ns = struct.unpack_from(order + "q", data, at)[0] * _SECOND
            at += length + 3 & ~3
        #: Nanoseconds in a unit, where that is a whole number of them; else 0.
        self.unit_ns = 0 if _SECOND % self.units else _SECOND // self.units


def _pcapng(data: bytes) -> Iterator[Record]:
    """Block by block; those that hold no packet (names, statistics, secrets, comments) are passed over."""
    order = "<"
    interfaces: list[Interface] = []
    at, whole = 0, len(data)
    while at < whole:
        if data[at : at + 4] == _SECTION_BYTES:
            # A section may be of the other byte order, and counts its interfaces anew.
            order = ORDERS.get(data[at + 8 : at + 12], "")
            interfaces = []
            if not order:
                raise EndsEarly(at, _CUT if at + 12 > whole else "a section without its byte order")
            head = struct.Struct(order + "II").unpack_from
            tail = struct.Struct(order + "I").unpack_from
            enhanced = struct.Struct(order + "IIIII").unpack_from
            packet = struct.Struct(order + "HHIIII").unpack_from
        if at + 12 > whole:
            raise EndsEarly(at, _CUT)
        kind, size = head(data, at)
        end = at + size - 4  # of the block's body; then comes its size again
        if size < 12 or size % 4:
            raise EndsEarly(at, f"a block of {size} bytes is none")
        if end + 4 > whole:
            raise EndsEarly(at, _CUT)
        if tail(data, end) != (size,):
            raise EndsEarly(at, "a block's two sizes differ")
        try:
            if kind in _PACKETS:
                if size < 32:
                    raise EndsEarly(at, _OVERFULL)
                if kind == _ENHANCED:
                    number, high, low, captured, length = enhanced(data, at + 8)
                else:
                    number, _, high, low, captured, length = packet(data, at + 8)
                start = at + 28
                if start + captured > end:
                    raise EndsEarly(at, _OVERFULL)
                interface = interfaces[number]
                stamp = high << 32 | low
                stamp = stamp * interface.unit_ns or stamp * _SECOND // interface.units
                yield stamp + interface.offset_ns, interface.link_type, start, start + captured, length
            elif kind == _INTERFACE:
                if size < 20:
                    raise EndsEarly(at, "an interface without a description")
                interfaces.append(Interface(data, at + 8, end, order))
            elif kind == _SIMPLE:
                if size < 16:
                    raise EndsEarly(at, _OVERFULL)
                # It has no stamp, and is of the first interface.
                (length,) = tail(data, at + 8)
                start, captured = at + 12, min(length, interfaces[0].clipped)
                if start + captured > end:
                    raise EndsEarly(at, _OVERFULL)
                yield 0, interfaces[0].link_type, start, start + captured, length
        except IndexError:
            raise EndsEarly(at, "a packet of an interface that was not described") from None
        at = end + 4
