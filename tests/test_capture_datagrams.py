"""The TCP header is found behind options, extension headers and in first fragments; else it is said why not."""

from __future__ import annotations

import pytest

from tests import links as made
from utils.capture import datagrams

SEGMENT = made.tcp(b"hello")


def found(packet: bytes) -> int | str:
    return datagrams.segment(packet, 0, len(packet), packet[0] >> 4)


def extended(*headers: tuple[int, bytes], then: int = 6, rest: bytes = SEGMENT) -> bytes:
    """An IPv6 datagram with extension headers: (number, all of it but its first byte)."""
    following = [number for number, _ in headers[1:]] + [then]
    body = b"".join(bytes([n]) + data for (_, data), n in zip(headers, following, strict=True))
    return made.ipv6(body + rest, following=headers[0][0])


OPTIONS = b"\x00\x01\x04" + bytes(4)
LONGER = b"\x01\x01\x0c" + bytes(12)
AUTHENTICATION = b"\x04" + bytes(22)
ATOMIC = b"\x00\x00\x00" + bytes(4)


class TestFound:
    def test_behind_a_plain_header(self):
        assert found(made.ipv4(SEGMENT)) == 20 and found(made.ipv6(SEGMENT)) == 40

    def test_behind_options(self):
        assert found(made.ipv4(SEGMENT, options=bytes(12))) == 32

    @pytest.mark.parametrize(
        ("headers", "at"),
        [
            ([(0, OPTIONS)], 48),
            ([(60, LONGER)], 56),
            ([(0, OPTIONS), (43, LONGER), (60, OPTIONS)], 72),
            ([(51, AUTHENTICATION)], 64),
            ([(44, ATOMIC)], 48),
        ],
    )
    def test_behind_extension_headers(self, headers, at):
        assert found(extended(*headers)) == at

    def test_in_the_first_fragment(self):
        assert found(made.ipv4(SEGMENT, fragment=0x2000)) == 20
        assert found(extended((44, b"\x00\x00\x01" + bytes(4)))) == 48

    def test_of_what_may_not_be_divided(self):
        assert found(made.ipv4(SEGMENT, fragment=0x4000)) == 20


class TestRefused:
    @pytest.mark.parametrize("fragment", [0x2001, 0x1000, 0x00FF])
    def test_later_fragments(self, fragment):
        assert found(made.ipv4(SEGMENT, fragment=fragment)) == datagrams.FRAGMENT
        assert found(extended((44, b"\x00" + fragment.to_bytes(2) + bytes(4)))) == datagrams.FRAGMENT

    @pytest.mark.parametrize(
        ("number", "name"), [(17, "UDP"), (1, "ICMP"), (58, "ICMPv6"), (253, "IP protocol 253")]
    )
    def test_other_protocols(self, number, name):
        assert found(made.ipv4(SEGMENT, protocol=number)) == name
        assert found(made.ipv6(SEGMENT, following=number)) == name
        assert found(extended((0, OPTIONS), then=number)) == name

    def test_headers_that_are_cut_off(self):
        whole = extended((0, OPTIONS))
        assert datagrams.segment(whole, 0, 46, 6) == datagrams.CUT
        for packet in (whole, made.ipv4(SEGMENT), made.ipv6(SEGMENT)):
            assert found(packet[: -len(b"hello") - 1]) == datagrams.CUT_SEGMENT

    def test_headers_that_are_too_short(self):
        assert found(b"\x44" + made.ipv4(SEGMENT)[1:]) == "IPv4 header of less than 20 bytes"
        short = SEGMENT[:12] + b"\x40" + SEGMENT[13:]
        assert found(made.ipv4(short)) == "TCP header of less than 20 bytes"
