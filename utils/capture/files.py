"""Capture files: TCP segments in, TCP segments out.

The rule kept here: a file gives all that it holds.  What cannot be used is
counted, and never stops the rest from being read.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from utils.capture import containers, headers
from utils.capture.pcapng import Writer
from utils.records import Endpoint, Flow, Segment

_TCP = 6
_IP_TYPES = (b"\x08\x00", b"\x86\xdd")  # IPv4, IPv6

#: Link type (https://www.tcpdump.org/linktypes.html) → length of its header,
#: and where in it the type of what follows stands (None: told by the IP version).
_LINKS: dict[int, tuple[int, int | None]] = {
    0: (4, None),  # BSD loopback
    1: (14, 12),  # Ethernet
    12: (0, None),  # raw IP, as some systems number it
    101: (0, None),  # raw IP
    108: (4, None),  # OpenBSD loopback
    113: (16, 14),  # Linux cooked
    228: (0, None),  # raw IPv4
    229: (0, None),  # raw IPv6
    276: (20, 0),  # Linux cooked, version 2
}

_TCP_HEADER = struct.Struct("!HHIIBB")


@dataclass
class Contents:
    """What a capture file held."""

    segments: list[Segment] = field(default_factory=list)
    packets: int = 0  # of any kind
    clipped: int = 0  # packets that were longer than what was stored of them
    ends_early: int | None = None  # the offset from which on the file makes no sense


def read(path: Path, *, synthetic: bool = False) -> Contents:
    """The TCP segments of a pcap or pcapng file, plain or gzipped.

    ``synthetic`` says that the file was made from what the tap saw.  Raises
    CaptureFileError if it is no capture file.
    """
    contents = Contents()
    try:
        for packet in containers.packets(Path(path)):
            contents.packets += 1
            contents.clipped += packet.length > len(packet.data)
            segment = _segment(packet.time_ns, packet.link_type, packet.data, synthetic)
            if segment is not None:
                contents.segments.append(segment)
    except containers.EndsEarly as end:
        contents.ends_early = end.offset
    return contents


def _segment(time_ns: int, link_type: int, packet: bytes, synthetic: bool) -> Segment | None:
    """The TCP segment in a packet; None if it holds another thing, or too little."""
    if link_type not in _LINKS:
        return None
    length, at = _LINKS[link_type]
    if at is not None and packet[at : at + 2] not in _IP_TYPES:
        return None
    datagram = packet[length:]
    try:
        version = datagram[0] >> 4
        if version == 4:
            header = 4 * (datagram[0] & 0x0F)
            total = int.from_bytes(datagram[2:4]) or len(datagram)
            protocol, fragment = datagram[9], int.from_bytes(datagram[6:8]) & 0x1FFF
            addresses = datagram[12:16], datagram[16:20]
        elif version == 6:
            header, protocol, fragment = 40, datagram[6], 0
            total = 40 + int.from_bytes(datagram[4:6]) if datagram[4:6] != b"\0\0" else len(datagram)
            addresses = datagram[8:24], datagram[24:40]
        else:
            return None
        if protocol != _TCP or fragment:
            return None
        tcp = datagram[header:total]
        source, destination, sequence, acknowledgment, offset, flags = _TCP_HEADER.unpack_from(tcp)
        flow = _flow(*addresses, source, destination)
    except (IndexError, ValueError, struct.error):
        return None
    return Segment(time_ns, flow, sequence, acknowledgment, flags, tcp[4 * (offset >> 4) :], synthetic)


@lru_cache(maxsize=1 << 12)
def _flow(source: bytes, destination: bytes, port: int, peer: int) -> Flow:
    # One object for all segments of a direction: most of a capture's packets are of a few.
    hosts = [str(ipaddress.ip_address(address)) for address in (source, destination)]
    return Flow(Endpoint(hosts[0], port), Endpoint(hosts[1], peer))


def write_segments(path: Path, segments: Iterable[Segment]) -> None:
    """Write segments as a pcapng file that any tool opens; stamps keep their nanoseconds.

    Link and IP headers are made anew, and so are the checksums.  A file of
    synthetic segments says so in its comment.
    """
    segments = tuple(segments)
    comment = "link and IP headers made anew"
    if any(segment.synthetic for segment in segments):
        comment = "headers made up from what the sockets were handed; every payload byte is exact"
    with Path(path).open("wb") as file:
        writer = Writer(file, comment=comment)
        for segment in segments:
            writer.write(segment.time_ns, headers.packet(segment))
