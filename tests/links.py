"""A TCP segment in every kind of packet that a capture file may hold, made by hand from the formats' own pages."""

from __future__ import annotations

import struct
from typing import NamedTuple

PORTS = (40000, 5000)


def tcp(payload: bytes, sequence: int = 1) -> bytes:
    return struct.pack("!HHIIBBHHH", *PORTS, sequence, 2, 5 << 4, 0x18, 64, 0, 0) + payload


def ipv4(
    payload: bytes, *, protocol: int = 6, fragment: int = 0, options: bytes = b"", total: int | None = None
) -> bytes:
    size = 20 + len(options)
    whole = size + len(payload) if total is None else total
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, whole, 7, fragment, 64, protocol, 0)
    return head + bytes([127, 0, 0, 1] * 2) + options + payload


def ipv6(payload: bytes, *, following: int = 6, total: int | None = None) -> bytes:
    whole = len(payload) if total is None else total
    return struct.pack("!IHBB", 6 << 28, whole, following, 64) + (bytes(15) + b"\1") * 2 + payload


def ip(version: int, payload: bytes) -> bytes:
    return ipv4(payload) if version == 4 else ipv6(payload)


class Form(NamedTuple):
    """A link type, and what stands before the datagram of either version."""

    name: str
    link_type: int
    before4: bytes
    before6: bytes

    def packet(self, version: int, payload: bytes) -> bytes:
        return (self.before4 if version == 4 else self.before6) + ip(version, payload)


def _ethertyped(name: str, link_type: int, before: bytes, after: bytes = b"") -> Form:
    return Form(name, link_type, before + b"\x08\x00" + after, before + b"\x86\xdd" + after)


def _family(name: str, link_type: int, order: str, inet6: int, after: bytes = b"") -> Form:
    return Form(name, link_type, *(struct.pack(f"{order}I", family) + after for family in (2, inet6)))


def _nflog(order: str) -> Form:
    # An attribute to pass over (a prefix of one byte), then the packet's.
    attributes = struct.pack(f"{order}HH", 5, 10) + b"\0" + bytes(3)

    def before(family: int, size: int) -> bytes:
        return bytes([family, 0, 0, 0]) + attributes + struct.pack(f"{order}HH", 4 + size, 9)

    size = len(tcp(b"hello"))
    return Form(f"NFLOG {order}", 239, before(2, 20 + size), before(10, 40 + size))


def _pppoe(name: str, link_type: int, before: bytes) -> Form:
    size = len(tcp(b"hello"))
    session = [b"\x11\x00\x00\x01" + (2 + head + size).to_bytes(2) for head in (20, 40)]
    return Form(name, link_type, before + session[0] + b"\x00\x21", before + session[1] + b"\x00\x57")


MACS = bytes(range(12))

_SNAP = b"\xaa\xaa\x03\x00\x00\x00"

FORMS = [
    _ethertyped("Ethernet", 1, MACS),
    _ethertyped("VLAN", 1, MACS + b"\x81\x00\x00\x05"),
    _ethertyped("two VLANs", 1, MACS + b"\x88\xa8\x00\x05\x81\x00\x20\x06"),
    _pppoe("PPPoE", 1, MACS + b"\x88\x64"),
    Form("MPLS", 1, *[MACS + b"\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40"] * 2),
    _ethertyped("802.3 with SNAP", 1, MACS + b"\x00\x50" + _SNAP),
    Form("PPP", 9, b"\x00\x21", b"\x00\x57"),
    Form("PPP with its address", 9, b"\xff\x03\x00\x21", b"\xff\x03\x00\x57"),
    Form("PPP, protocol in one byte", 9, b"\x21", b"\x57"),
    _ethertyped("FDDI", 10, b"\x50" + MACS + _SNAP),
    _ethertyped("ATM", 11, _SNAP),
    Form("raw", 12, b"", b""),
    Form("raw, OpenBSD's number", 14, b"", b""),
    Form("PPP in HDLC", 50, b"\xff\x03\x00\x21", b"\xff\x03\x00\x57"),
    _ethertyped("Cisco HDLC as PPP", 50, b"\x0f\x00"),
    _pppoe("PPPoE alone", 51, b""),
    Form("raw IP", 101, b"", b""),
    _ethertyped("Cisco HDLC", 104, b"\x8f\x00"),
    *(_family(f"BSD loopback, {order} {inet6}", 0, order, inet6) for order in "<>" for inet6 in (10, 23, 24, 28, 30)),
    *(_family(f"OpenBSD loopback {inet6}", 108, ">", inet6) for inet6 in (24, 28, 30)),
    _family("OpenBSD IPsec", 109, "<", 24, bytes(8)),
    _ethertyped("Linux cooked", 113, bytes(14)),
    _ethertyped("Linux cooked with VLAN", 113, bytes(14) + b"\x81\x00\x00\x05"),
    Form("packet filter's log", 117, b"\x3d\x02" + bytes(62), b"\x3d\x18" + bytes(62)),
    Form("raw IP of one version", 228, b"", b""),
    Form("raw IP of the other", 229, b"", b""),
    _nflog("<"),
    _nflog(">"),
    Form("Linux cooked, version 2", 276, b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
]  # fmt: skip


def pcap(link_type: int, *packets: bytes) -> bytes:
    """A file of such packets, a second apart."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link_type)
    records = (
        struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet
        for second, packet in enumerate(packets)
    )
    return head + b"".join(records)
