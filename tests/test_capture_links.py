"""The datagram is found in every kind of packet, for IPv4 and IPv6; or it is said by name why there is none."""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import links as made
from utils.capture import datagrams, links

versions = pytest.mark.parametrize("version", [4, 6])
forms = pytest.mark.parametrize("form", made.FORMS, ids=lambda form: form.name)

SEGMENT = made.tcp(b"hello")


@versions
@forms
class TestForms:
    def test_the_datagram_is_found(self, form, version):
        packet = form.packet(version, SEGMENT)
        start, end, told = links.datagram(form.link_type, packet)
        assert packet[start:end] == made.ip(version, SEGMENT) and told == version

    def test_what_pads_a_packet_is_no_part_of_it(self, form, version):
        packet = form.packet(version, SEGMENT) + b"padding"
        start, end, _ = links.datagram(form.link_type, packet)
        assert packet[start:end] == made.ip(version, SEGMENT)

    def test_a_packet_may_stand_anywhere_in_a_buffer(self, form, version):
        packet = form.packet(version, SEGMENT)
        start, end, told = links.datagram(form.link_type, packet)
        inside = memoryview(b"before" + packet + made.ip(version, SEGMENT))
        expected = (start + 6, end + 6, told)
        assert links.datagram(form.link_type, inside, 6, 6 + len(packet)) == expected

    def test_a_packet_cut_off_anywhere_is_found_or_refused(self, form, version):
        packet = form.packet(version, SEGMENT)
        start, _, _ = links.datagram(form.link_type, packet)
        for size in range(len(packet)):
            found = links.datagram(form.link_type, packet[:size])
            header = start + (20 if version == 4 else 40)
            if size >= header:
                assert found == (start, size, version)
            else:
                assert isinstance(found, str) and found
        assert links.datagram(form.link_type, b"") == links.CUT


def test_thirteen_link_types_and_more():
    assert {form.link_type for form in made.FORMS} == links.KNOWN and len(links.KNOWN) >= 13


def test_wireshark_finds_the_same(tmp_path):
    """One file with an interface for each form: Wireshark's own dissectors are asked for the payloads."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is missing")
    # Left out is what Wireshark 4.0 does not know: Linux's and Windows's numbers for IPv6, 10 and 23, and
    # a netfilter log of the other byte order than the file's.
    asked = [
        (form, version, form.packet(version, made.tcp(b"%02d %02d" % (number, version), 100 * number)))
        for number, form in enumerate(made.FORMS)
        for version in (4, 6)
        if form.link_type not in (228, 229) or version == {228: 4, 229: 6}[form.link_type]
        if not (version == 6 and form.name.endswith((" 10", " 23"))) and form.name != "NFLOG >"
    ]
    blocks = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    blocks += [block(1, struct.pack("<HHI", form.link_type, 0, 0)) for form, _, _ in asked]
    for number, (_, _, packet) in enumerate(asked):
        head = struct.pack("<IIIII", number, 0, number, len(packet), len(packet))
        blocks.append(block(6, head + packet + bytes(-len(packet) % 4)))
    path = tmp_path / "all.pcapng"
    path.write_bytes(b"".join(blocks))
    told = subprocess.run(
        [tshark, "-n", "-r", str(path), "-T", "fields", "-e", "tcp.payload"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    theirs = [bytes.fromhex(line) for line in told.stdout.splitlines()]
    ours = []
    for form, _, packet in asked:
        start, end, version = links.datagram(form.link_type, packet)
        at = datagrams.segment(packet, start, end, version)
        ours.append(packet[at + 20 : end])
    differing = [
        (form.name, version, mine, other)
        for (form, version, _), mine, other in zip(asked, ours, theirs, strict=True)
        if mine != other
    ]
    assert differing == []


def block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


class TestRefusals:
    @pytest.mark.parametrize(
        ("link_type", "packet", "told"),
        [
            (1, made.MACS + b"\x08\x06" + bytes(28), "ARP"),
            (1, made.MACS + b"\x12\x34" + bytes(28), "EtherType 0x1234"),
            (1, made.MACS + b"\x81\x00\x00\x05\x88\xcc" + bytes(9), "LLDP"),
            (1, made.MACS + b"\x81\x00\x00", links.CUT),
            (1, made.MACS + b"\x88\x47\x00\x01\x00\x40" + bytes(3), links.CUT),
            (1, made.MACS + b"\x00\x26\x42\x42\x03" + bytes(35), "LLC, service 0x42"),
            (1, made.MACS + b"\x00\x26\xaa\xaa\x03\x00\x00\x00\x00\x10" + bytes(30), "EtherType 0x0010"),
            (1, made.MACS + b"\x08\x00\x55" + bytes(30), "IP version 5"),
            (0, struct.pack("<I", 16) + bytes(30), "address family 16"),
            (9, b"\xc0\x21" + bytes(30), "PPP protocol 0xc021"),
            (239, b"\x07\x00\x00\x00" + struct.pack("<HH", 24, 9) + bytes(20), "address family 7"),
            (239, b"\x02\x00\x00\x00" + struct.pack("<HH", 0, 9) + bytes(20), links.CUT),
            (105, bytes(40), "link type 105 (IEEE 802.11)"),
            (999, bytes(40), "link type 999"),
        ],
    )
    def test_they_are_told_by_name(self, link_type, packet, told):
        assert links.datagram(link_type, packet) == told

    @given(st.sampled_from(sorted(links.KNOWN)), st.binary(max_size=80))
    def test_any_bytes_are_placed_inside_the_packet_or_refused(self, link_type, packet):
        found = links.datagram(link_type, packet)
        if isinstance(found, str):
            assert found.isprintable()
        else:
            start, end, version = found
            assert 0 <= start < end <= len(packet) and version == packet[start] >> 4
            at = datagrams.segment(packet, start, end, version)
            assert isinstance(at, str) or start + 20 <= at <= end - 20


class TestLengthsThatAreNotFilledIn:
    """Of a packet that the sending card divides, the length is 0: it goes to the packet's end."""

    @versions
    def test_it_goes_to_the_packets_end(self, version):
        packet = made.ipv4(SEGMENT, total=0) if version == 4 else made.ipv6(SEGMENT, total=0)
        assert links.datagram(101, packet) == (0, len(packet), version)

    @versions
    def test_a_length_beyond_the_packet_ends_with_it(self, version):
        packet = made.ipv4(SEGMENT, total=9000) if version == 4 else made.ipv6(SEGMENT, total=9000)
        assert links.datagram(101, packet) == (0, len(packet), version)
