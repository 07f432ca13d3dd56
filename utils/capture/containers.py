"""Packets out of pcap and pcapng files, whole and with nanoseconds.

The rule kept here: a file gives what it holds up to the first byte that makes
no sense, and that byte's offset is told.  (Scapy's readers clip a loopback's
largest frames, and end at a truncation in silence.)  The formats are those of
draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from utils.errors import CaptureFileError

#: Magic number → (byte order, units in a second) of a pcap file.
_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_SECTION_BYTES = struct.pack(">I", _SECTION)
_RESOLUTION = 9

#: A gzipped file may grow to this many bytes, no further: it may be a bomb.
LARGEST = 1 << 31


class Packet(NamedTuple):
    """One captured packet."""

    time_ns: int
    link_type: int
    data: bytes
    length: int  # on the wire; more than len(data) if it was clipped


class EndsEarly(Exception):
    """The file stops making sense at byte ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def packets(path: Path) -> Iterator[Packet]:
    """The packets of a pcap or pcapng file, plain or gzipped.

    Raises CaptureFileError before the first packet if it is no capture file,
    and EndsEarly after the last whole one if it is truncated or damaged.
    """
    data = _content(path)
    if data[:4] in _PCAP:
        return _pcap(data)
    if data[:4] == _SECTION_BYTES:
        return _pcapng(data)
    raise CaptureFileError(
        f"{path} is no capture file",
        why="it begins with none of the formats' magic numbers",
        next_step="give a pcap or pcapng file, plain or gzipped",
    )


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                data = file.read(LARGEST)
    except FileNotFoundError:
        raise CaptureFileError(f"there is no file {path}", next_step="check its name") from None
    except (OSError, EOFError, zlib.error) as error:
        raise CaptureFileError(
            f"{path} cannot be read", why=str(error), next_step="check the file, or unpack it first"
        ) from error
    return data


def _pcap(data: bytes) -> Iterator[Packet]:
    order, units = _PCAP[data[:4]]
    record = struct.Struct(order + "IIII")
    if len(data) < 24:
        raise EndsEarly(len(data))
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            raise EndsEarly(at)
        seconds, fraction, captured, length = record.unpack_from(data, at)
        body = data[at + 16 : at + 16 + captured]
        if len(body) < captured:
            raise EndsEarly(at)
        yield Packet(seconds * 10**9 + fraction * (10**9 // units), link_type, body, length)
        at += 16 + captured


def _pcapng(data: bytes) -> Iterator[Packet]:
    order = "<"
    interfaces: list[tuple[int, int]] = []  # link type, units in a second
    at = 0
    while at < len(data):
        if data[at : at + 4] == _SECTION_BYTES:
            # A section may be of the other byte order, and counts its interfaces anew.
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        try:
            kind, size = struct.unpack_from(order + "II", data, at)
            body = data[at + 8 : at + size - 4]
            if size < 12 or size % 4 or at + size > len(data):
                raise EndsEarly(at)
            if kind == _INTERFACE:
                interfaces.append((struct.unpack_from(order + "H", body)[0], _units(order, body[8:])))
            elif kind == _ENHANCED:
                number, high, low, captured, length = struct.unpack_from(order + "IIIII", body)
                link_type, units = interfaces[number]
                if captured > len(body) - 20:
                    raise EndsEarly(at)
                stamp = ((high << 32) | low) * 10**9 // units
                yield Packet(stamp, link_type, body[20 : 20 + captured], length)
            elif kind == _SIMPLE:
                (length,) = struct.unpack_from(order + "I", body)
                yield Packet(0, interfaces[0][0], body[4 : 4 + length], length)
        except (struct.error, IndexError):
            raise EndsEarly(at) from None
        at += size


def _units(order: str, options: bytes) -> int:
    """Units in a second, from an interface's options; microseconds if they do not say."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, at)
        if code == _RESOLUTION and length:
            value = options[at + 4]
            return 1 << (value & 0x7F) if value & 0x80 else 10 ** min(value, 18)
        if code == 0:
            break
        at += 4 + length + -length % 4
    return 10**6
