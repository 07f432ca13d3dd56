"""The headers under a segment's payload: Ethernet, IPv4 or IPv6, and TCP, with their checksums.

The rule kept here: bytes equal to those that scapy builds, which a test holds;
made without it, because a scapy packet costs a hundred times as much, and
loading scapy more than all else.  (RFC 791, 3.1; RFC 8200, 3; RFC 9293, 3.1.)
"""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import ip_address

from utils.records import Flow, Segment

_TCP = 6
_IPV4 = struct.Struct("!BBHHHBBH")
_IPV6 = struct.Struct("!IHBB")
_TCP_HEAD = struct.Struct("!HHIIBBHHH")
_WINDOW = 8192

#: Destination and source (a loopback has no addresses), and the type of what follows.
_ETHERNET = {4: bytes(12) + b"\x08\x00", 6: bytes(12) + b"\x86\xdd"}

#: The version with a header of five words; the time to live.
_IPV4_WORDS, _TTL = 0x45, 64


def packet(segment: Segment) -> bytes:
    """``segment`` as an Ethernet frame.  Raises struct.error for a payload that no IP packet holds."""
    version, source, destination = _addresses(segment.flow)
    ports = segment.flow.source.port, segment.flow.destination.port
    numbers = segment.sequence, segment.acknowledgment, 5 << 4, segment.flags
    length = _TCP_HEAD.size + len(segment.payload)
    # What TCP's checksum covers besides: RFC 9293, section 3.1, and RFC 8200, section 8.1.
    covered = source + destination + struct.pack("!II", length, _TCP)
    bare = _TCP_HEAD.pack(*ports, *numbers, _WINDOW, 0, 0)
    checksum = _checksum(covered + bare + segment.payload)
    tcp = _TCP_HEAD.pack(*ports, *numbers, _WINDOW, checksum, 0)
    if version == 4:
        fields = _IPV4_WORDS, 0, _IPV4.size + 8 + length, 1, 0, _TTL, _TCP
        sum_ = _checksum(_IPV4.pack(*fields, 0) + source + destination)
        network = _IPV4.pack(*fields, sum_) + source + destination
    else:
        network = _IPV6.pack(6 << 28, length, _TCP, _TTL) + source + destination
    return _ETHERNET[version] + network + tcp + segment.payload


@lru_cache(maxsize=1 << 12)
def _addresses(flow: Flow) -> tuple[int, bytes, bytes]:
    source, destination = ip_address(flow.source.host), ip_address(flow.destination.host)
    return source.version, source.packed, destination.packed


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): the complement of the sum of all 16-bit words, carries added in."""
    # Such a sum is the rest of a division by 65535, of the whole as one number.
    number = int.from_bytes(data + b"\0" * (len(data) & 1), "big")
    return 0xFFFF - (number % 0xFFFF or (0xFFFF if number else 0))
