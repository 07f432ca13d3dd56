"""The kernel's filter for "tcp and (port N or port M ...)", without libpcap.

The rule kept here: what is not the servers' own never enters the process.  The
program is classic BPF (McCanne and Jacobson, 1993; linux/filter.h), written
with labels and put together here, because scapy compiles filters by libpcap
and a plain installation has none.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

# Instruction codes of linux/bpf_common.h, spelled out.
_LOAD_HALF = 0x28  # A = 16 bits at k
_LOAD_BYTE = 0x30  # A = 8 bits at k
_LOAD_HALF_AT_X = 0x48  # A = 16 bits at X + k
_X_IS_IP_HEADER = 0xB1  # X = 4 * (byte at k & 0xf)
_EQUAL = 0x15  # A == k ?
_ANY_BIT = 0x45  # A & k ?
_RETURN = 0x06

#: Bytes of one instruction, a struct sock_filter.
INSTRUCTION = 8

_IPV4, _IPV6 = 0x0800, 0x86DD
_WHOLE = 0xFFFFFFFF


class _Line(NamedTuple):
    code: int
    operand: int
    yes: str = ""  # a label; "" goes on with the next line
    no: str = ""
    label: str = ""


#: More ports make jumps longer than an instruction can tell (eight bits).
MOST_PORTS = 48


def tcp_ports(ports: Collection[int]) -> bytes:
    """The instructions, as an array of struct sock_filter, for Ethernet frames to or from any of ``ports``.

    Later fragments of an IPv4 packet carry no ports and are refused.  IPv6 is
    taken without extension headers, as the loopback sends it.  Raises
    ValueError for no port, or more than MOST_PORTS.
    """
    if not 0 < len(ports) <= MOST_PORTS:
        raise ValueError(f"a filter takes 1 to {MOST_PORTS} ports, not {len(ports)}")
    return _assemble(
        [
            _Line(_LOAD_HALF, 12),
            _Line(_EQUAL, _IPV4, no="not IPv4"),
            _Line(_LOAD_BYTE, 23),
            _Line(_EQUAL, socket.IPPROTO_TCP, no="refuse"),
            _Line(_LOAD_HALF, 20),
            _Line(_ANY_BIT, 0x1FFF, yes="refuse"),
            _Line(_X_IS_IP_HEADER, 14),
            _Line(_LOAD_HALF_AT_X, 14),
            *_any_of(ports),
            _Line(_LOAD_HALF_AT_X, 16),
            *_any_of(ports, no="refuse"),
            _Line(_EQUAL, _IPV6, no="refuse", label="not IPv4"),
            _Line(_LOAD_BYTE, 20),
            _Line(_EQUAL, socket.IPPROTO_TCP, no="refuse"),
            _Line(_LOAD_HALF, 54),
            *_any_of(ports),
            _Line(_LOAD_HALF, 56),
            *_any_of(ports, no="refuse"),
            _Line(_RETURN, _WHOLE, label="take"),
            _Line(_RETURN, 0, label="refuse"),
        ]
    )


def _any_of(ports: Collection[int], no: str = "") -> Iterator[_Line]:
    """Take the packet if A is one of ``ports``; else go to ``no``, or on."""
    for left, port in zip(range(len(ports), 0, -1), ports, strict=True):
        yield _Line(_EQUAL, port, yes="take", no=no if left == 1 else "")


def _assemble(lines: list[_Line]) -> bytes:
    places = {line.label: number for number, line in enumerate(lines) if line.label}

    def jump(here: int, label: str) -> int:
        return places[label] - here - 1 if label else 0

    return b"".join(
        struct.pack("=HBBI", line.code, jump(number, line.yes), jump(number, line.no), line.operand)
        for number, line in enumerate(lines)
    )
