"""Where the IP datagram stands in a captured packet, by the packet's link type.

The rule kept here: a packet whose datagram is not found is refused by a name
that can be counted ("ARP", "link type 105 (IEEE 802.11)"), never dropped in
silence.  Pure arithmetic on the packet's bytes: nothing is copied.

Numbers: https://www.tcpdump.org/linktypes.html; EtherTypes and PPP protocols
as IANA registers them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Buffer = bytes | bytearray | memoryview

#: Start, end and version of an IP datagram in its buffer; or why there is none.
Place = tuple[int, int, int]

#: What is told of a packet that ends before its IP header does.
CUT = "cut off before the end of its IP header"

_IPV4, _IPV6 = 0x0800, 0x86DD

#: The EtherTypes of IP.
IP = (_IPV4, _IPV6)

#: Link type → (length of its header, where the EtherType stands in it), for headers of one length.
_ETHER: dict[int, tuple[int, int]] = {
    1: (14, 12),  # Ethernet
    104: (4, 2),  # Cisco HDLC
    113: (16, 14),  # Linux cooked
    276: (20, 0),  # Linux cooked, version 2
}

#: Those whose packet is the datagram itself; its first four bits tell the version.
_RAW = frozenset({12, 14, 101, 228, 229})

#: Where an address family stands first, in the byte order of the capturing machine: the header's length.
_FAMILIES = {
    0: 4,  # BSD loopback
    108: 4,  # OpenBSD loopback, in network byte order
    109: 12,  # OpenBSD IPsec
}
_INET = 2
_INET6 = frozenset({10, 23, 24, 28, 30})  # Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS

_TAGS = frozenset({0x8100, 0x88A8, 0x9100})  # IEEE 802.1Q and 802.1ad
_MPLS = frozenset({0x8847, 0x8848})
_PPPOE = 0x8864
_PPP_IP = frozenset({0x0021, 0x0057})
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"  # LLC, and the SNAP header for EtherTypes (RFC 1042)
_CISCO = b"\x0f\x8f"  # unicast, broadcast
_NFLOG_PAYLOAD = 9

_ETHERTYPES = {
    0x0806: "ARP",
    0x8863: "PPPoE discovery",
    0x888E: "802.1X",
    0x88CC: "LLDP",
    0x88E5: "MACsec",
    0x88F7: "PTP",
}

#: Link types that carry no readable IP, or carry it in a way that is not read here.
_NAMES = {
    105: "IEEE 802.11",
    119: "IEEE 802.11, Prism",
    127: "IEEE 802.11, radiotap",
    147: "private",
    163: "IEEE 802.11, AVS",
    187: "Bluetooth HCI",
    189: "USB, Linux",
    195: "IEEE 802.15.4",
    201: "Bluetooth HCI with direction",
    220: "USB, Linux, with padding",
    227: "CAN, Linux",
    249: "USBPcap",
    251: "Bluetooth Low Energy",
    252: "Wireshark's exported data units",
    253: "netlink",
    265: "USB, macOS",
}


def plain_header(link_type: int) -> tuple[int | None, int | None]:
    """The length of a link type's header, and where the EtherType stands in it.

    None for a header that takes more to read; an EtherType's place of None
    says that the datagram tells its version itself.
    """
    return (0, None) if link_type in _RAW else _ETHER.get(link_type, (None, None))


def datagram(link_type: int, data: Buffer, at: int = 0, end: int | None = None) -> Place | str:
    """The IP datagram of the packet ``data[at:end]``: its start, its end, 4 or 6; or a refusal's name.

    The end is the datagram's own, without the padding or the checksum that
    some links add; of a packet that was stored in part, it is the packet's.
    """
    if end is None:
        end = len(data)
    header = _ETHER.get(link_type)
    if header is not None:
        size, type_at = header
        type_at += at
        start = at + size
        if start >= end:
            return CUT
        ethertype = data[type_at] << 8 | data[type_at + 1]
        if ethertype != _IPV4 and ethertype != _IPV6:
            return _by_ethertype(ethertype, data, start, end)
    elif link_type in _RAW:
        start = at
    else:
        return _OTHERS.get(link_type, _unknown)(link_type, data, at, end)
    return _datagram(data, start, end)


def _datagram(data: Buffer, start: int, end: int) -> Place | str:
    """The datagram that begins at ``start``, with the end that it tells itself."""
    if start >= end:
        return CUT
    version = data[start] >> 4
    if version == 4:
        if end - start < 20:
            return CUT
        # 0: the sending card divided it later, and filled the length in then.
        total = data[start + 2] << 8 | data[start + 3]
    elif version == 6:
        if end - start < 40:
            return CUT
        total = data[start + 4] << 8 | data[start + 5]
        if total:  # 0: a jumbogram (RFC 2675), or likewise
            total += 40
    else:
        return f"IP version {version}"
    if total and start + total < end:
        end = start + total
    return start, end, version


def _by_ethertype(ethertype: int, data: Buffer, at: int, end: int) -> Place | str:
    """What follows an EtherType that is not IP's: tags and tunnels are gone through."""
    while ethertype in _TAGS:
        if at + 4 > end:
            return CUT
        ethertype = data[at + 2] << 8 | data[at + 3]
        at += 4
    if ethertype in (_IPV4, _IPV6):
        return _datagram(data, at, end)
    if ethertype in _MPLS:
        return _mpls(data, at, end)
    if ethertype == _PPPOE:
        return _pppoe(51, data, at, end)
    if ethertype <= 1500:  # a length: IEEE 802.3, whose payload begins with an LLC header
        return _snap(11, data, at, end)
    return _ETHERTYPES.get(ethertype, f"EtherType {ethertype:#06x}")


def _mpls(data: Buffer, at: int, end: int) -> Place | str:
    """Behind a stack of labels (RFC 3032): the last one is marked, the version tells the rest."""
    while at + 4 <= end:
        at += 4
        if data[at - 2] & 1:
            return _datagram(data, at, end)
    return CUT


def _snap(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    """Behind an LLC and a SNAP header: 802.3, ATM (RFC 2684)."""
    if at + 8 > end:
        return CUT
    if data[at : at + 6] != _SNAP:
        return f"LLC, service {data[at]:#04x}"
    ethertype = data[at + 6] << 8 | data[at + 7]
    if ethertype <= 1500:
        return f"EtherType {ethertype:#06x}"
    return _by_ethertype(ethertype, data, at + 8, end)


def _fddi(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    return _snap(link_type, data, at + 13, end)


def _family(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    start = at + _FAMILIES[link_type]
    if start >= end:
        return CUT
    family = int.from_bytes(data[at : at + 4], "little")
    if family >= 1 << 16:
        family = int.from_bytes(data[at : at + 4], "big")
    return _of_family(family, data, start, end)


def _of_family(family: int, data: Buffer, start: int, end: int) -> Place | str:
    if family == _INET or family in _INET6:
        return _datagram(data, start, end)
    return f"address family {family}"


def _pflog(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    """The packet filter's log: the header's length, then the address family."""
    if at + 2 > end:
        return CUT
    return _of_family(data[at + 1], data, at + (data[at] + 3 & ~3), end)


def _nflog(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    """Linux's netfilter log: the family, then attributes, one of which is the packet."""
    family, at = (data[at] if at < end else 0), at + 4
    while at + 4 <= end:
        # In the byte order of the capturing machine, which the small numbers of the kinds tell.
        order: Literal["little", "big"] = "little" if data[at + 3] == 0 else "big"
        length, kind = (int.from_bytes(data[at + n : at + n + 2], order) for n in (0, 2))
        if length < 4:
            break
        if kind == _NFLOG_PAYLOAD:
            return _of_family(family, data, at + 4, min(end, at + length))
        at += length + 3 & ~3
    return CUT


def _ppp(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    """PPP (RFC 1661, RFC 1662): address and control may be left out, and so may a protocol's zero byte."""
    if data[at : at + 2] == b"\xff\x03":
        at += 2
    if at + 2 > end:
        return CUT
    protocol, size = (data[at], 1) if data[at] & 1 else (data[at] << 8 | data[at + 1], 2)
    if protocol not in _PPP_IP:
        return f"PPP protocol {protocol:#06x}"
    return _datagram(data, at + size, end)


def _pppoe(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    """A PPPoE session's header (RFC 2516) of six bytes, then PPP."""
    return _ppp(link_type, data, at + 6, end)


def _serial(link_type: int, data: Buffer, at: int, end: int) -> Place | str:
    """PPP in HDLC's framing, or Cisco's HDLC, which its addresses tell."""
    if at < end and data[at] in _CISCO:
        return datagram(104, data, at, end)
    return _ppp(link_type, data, at, end)


def _unknown(link_type: int, data: Buffer, at: int, end: int) -> str:
    name = _NAMES.get(link_type)
    return f"link type {link_type} ({name})" if name else f"link type {link_type}"


_OTHERS: dict[int, Callable[[int, Buffer, int, int], Place | str]] = {
    **dict.fromkeys(_FAMILIES, _family),
    9: _ppp,
    10: _fddi,
    11: _snap,
    50: _serial,
    51: _pppoe,
    117: _pflog,
    239: _nflog,
}

#: The link types whose datagrams are found.
KNOWN = frozenset({*_ETHER, *_RAW, *_OTHERS})
