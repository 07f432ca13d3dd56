"""Where the TCP segment stands in an IP datagram.

The rule kept here: as in :mod:`utils.capture.links`, what holds no readable
TCP header is refused by a name that can be counted.  IPv4 is RFC 791, IPv6 and
its extension headers RFC 8200.
"""

from __future__ import annotations

from utils.capture.links import CUT, Buffer

#: What is told of the later parts of a divided datagram; the first one has the TCP header.
FRAGMENT = "IP fragment"

#: What is told of a segment that ends before its header does.
CUT_SEGMENT = "cut off before the end of its TCP header"

_TCP = 6
_LEAST = 20  # bytes of a TCP header

_PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    4: "IPv4 in IP",
    17: "UDP",
    33: "DCCP",
    41: "IPv6 in IP",
    47: "GRE",
    50: "ESP",
    58: "ICMPv6",
    59: "IPv6 without content",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
}

_FRAGMENT, _AUTHENTICATION = 44, 51

#: IPv6 extension headers: options, routing, mobility, HIP, Shim6 besides.
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140, _FRAGMENT, _AUTHENTICATION})


def segment(data: Buffer, start: int, end: int, version: int) -> int | str:
    """Where the TCP header of the datagram ``data[start:end]`` begins, or a refusal's name.

    At least twenty bytes of it are there, and it says that it has no fewer.
    """
    if version == 4:
        protocol = data[start + 9]
        at = start + 4 * (data[start] & 0x0F)
        if at < start + 20:
            return "IPv4 header of less than 20 bytes"
        if data[start + 6] & 0x1F or data[start + 7]:
            return FRAGMENT
    else:
        protocol, at = data[start + 6], start + 40
        if protocol in _EXTENSIONS:
            return _extended(protocol, data, at, end)
    return _tcp(protocol, data, at, end)


def _extended(protocol: int, data: Buffer, at: int, end: int) -> int | str:
    """Behind the extension headers of IPv6."""
    while protocol in _EXTENSIONS:
        if at + 8 > end:
            return CUT
        size = 8
        if protocol == _FRAGMENT:
            if data[at + 2] or data[at + 3] & 0xF8:
                return FRAGMENT
        elif protocol == _AUTHENTICATION:
            size = 4 * (data[at + 1] + 2)  # RFC 4302 §2.2
        else:
            size = 8 * (data[at + 1] + 1)  # the first eight bytes are not counted
        protocol, at = data[at], at + size
    return _tcp(protocol, data, at, end)


def _tcp(protocol: int, data: Buffer, at: int, end: int) -> int | str:
    if protocol != _TCP:
        return _PROTOCOLS.get(protocol) or f"IP protocol {protocol}"
    if at + _LEAST > end:
        return CUT_SEGMENT
    return at if data[at + 12] >= 0x50 else "TCP header of less than 20 bytes"
