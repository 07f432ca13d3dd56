"""pcap and pcapng, in every form that their drafts describe; and where a damaged file stops making sense, and why."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.capture import containers, packing
from utils.capture.containers import EndsEarly, Record
from utils.errors import CaptureFileError

orders = pytest.mark.parametrize("order", ["<", ">"])


def pcap(
    *packets: bytes, order: str = "<", nano: bool = False, link_type: int = 1, longest: int = 1 << 18
) -> bytes:
    head = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, longest, link_type)
    records = (struct.pack(order + "IIII", 7, 5, len(packet), len(packet)) + packet for packet in packets)
    return head + b"".join(records)


class Pcapng:
    """Blocks of one section, made by hand from the draft's figures."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(self.order + "I", len(body) + 12)
        return struct.pack(self.order + "I", kind) + size + body + size

    def option(self, code: int, value: bytes) -> bytes:
        return struct.pack(self.order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self) -> bytes:
        return self.block(0x0A0D0D0A, struct.pack(self.order + "IHHq", 0x1A2B3C4D, 1, 0, -1))

    def interface(self, link_type: int = 1, longest: int = 0, options: bytes = b"") -> bytes:
        return self.block(1, struct.pack(self.order + "HHI", link_type, 0, longest) + options)

    def enhanced(self, packet: bytes, stamp: int = 0, interface: int = 0, length: int | None = None) -> bytes:
        whole = len(packet) if length is None else length
        head = struct.pack(
            self.order + "IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), whole
        )
        return self.block(6, head + packet)

    def simple(self, packet: bytes, length: int | None = None) -> bytes:
        return self.block(
            3, struct.pack(self.order + "I", len(packet) if length is None else length) + packet
        )

    def obsolete(self, packet: bytes, stamp: int = 0, interface: int = 0) -> bytes:
        numbers = (interface, 0xFFFF, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), len(packet))
        return self.block(2, struct.pack(self.order + "HHIIII", *numbers) + packet)


def read(data: bytes) -> list[Record]:
    return list(containers.records(packing.unpack(data)))


def told(data: bytes) -> tuple[list[bytes], int | None, str]:
    """The packets, and where and why the file ends early, if it does."""
    found = packing.unpack(data)
    packets = []
    try:
        for _, _, start, end, _ in containers.records(found):
            packets.append(found.data[start:end])
    except EndsEarly as early:
        return packets, early.offset, early.why
    return packets, None, ""


def one(data: bytes) -> tuple[int, int, bytes, int]:
    ((time_ns, link_type, start, end, length),) = read(data)
    return time_ns, link_type, data[start:end], length


class TestPcap:
    @orders
    @pytest.mark.parametrize(("nano", "time_ns"), [(False, 7_000_005_000), (True, 7_000_000_005)])
    def test_both_byte_orders_and_both_resolutions(self, order, nano, time_ns):
        data = pcap(b"abc", order=order, nano=nano, link_type=113)
        assert one(data) == (time_ns, 113, b"abc", 3)

    def test_the_length_of_a_frames_checksum_is_no_part_of_the_link_type(self):
        assert one(pcap(b"abc", link_type=0x24000001))[1] == 1

    def test_a_packet_longer_than_usual_is_believed_if_the_file_allows_it(self):
        large = bytes(containers.LONGEST + 1)
        assert one(pcap(large, longest=len(large)))[2] == large
        assert told(pcap(large)) == ([], 24, f"a packet of {len(large)} bytes is none")

    @given(st.integers(4, 24 + 3 * 19 - 1))
    def test_cut_off_anywhere_it_says_where_the_last_packet_would_begin(self, size):
        packets, at, why = told(pcap(b"abc", b"def", b"ghi")[:size])
        assert packets == [b"abc", b"def", b"ghi"][: max(0, size - 24) // 19]
        if size < 24:
            assert at == size
        elif (size - 24) % 19:
            assert at == 24 + 19 * len(packets)
        assert (at is None) == (size >= 24 and (size - 24) % 19 == 0) and (why == "it is cut off there") == (
            at is not None
        )


class TestPcapng:
    @orders
    def test_all_blocks_that_hold_packets(self, order):
        made = Pcapng(order)
        data = (
            made.section()
            + made.interface()
            + made.interface(link_type=113)
            + made.enhanced(b"enhanced", 1_000_001, 1)
            + made.obsolete(b"obsolete", 2_000_002)
            + made.simple(b"simple")
        )
        told = [(time_ns, link, data[start:end]) for time_ns, link, start, end, _ in read(data)]
        assert told == [
            (1_000_001_000, 113, b"enhanced"),
            (2_000_002_000, 1, b"obsolete"),
            (0, 1, b"simple"),
        ]

    def test_blocks_that_hold_none_are_passed_over(self):
        made = Pcapng()
        others = [made.block(kind, b"whatever") for kind in (4, 5, 10, 0x0BAD, 0x80000001)]
        data = made.section() + others[0] + made.interface() + b"".join(others) + made.enhanced(b"abc")
        assert one(data)[2] == b"abc"

    def test_a_section_counts_its_interfaces_anew_in_its_own_byte_order(self):
        little, big = Pcapng("<"), Pcapng(">")
        data = little.section() + little.interface(1) + little.enhanced(b"abc")
        data += big.section() + big.interface(101) + big.enhanced(b"def")
        assert [link for _, link, *_ in read(data)] == [1, 101]

    @pytest.mark.parametrize(
        ("resolution", "stamp", "time_ns"),
        [
            (0, 3, 3_000_000_000),
            (3, 1234, 1_234_000_000),
            (6, 1_234_567, 1_234_567_000),
            (9, 123_456_789_012, 123_456_789_012),
            (12, 1_999, 1),
            (18, 5_000_000_000, 5),
            (127, 5, 0),
            (0x80 | 0, 3, 3_000_000_000),
            (0x80 | 10, 1536, 1_500_000_000),
            (0x80 | 32, 1 << 31, 500_000_000),
            (0x80 | 127, 5, 0),
        ],
    )
    def test_the_stamps_resolution(self, resolution, stamp, time_ns):
        made = Pcapng()
        options = made.option(2, b"eth0") + made.option(9, bytes([resolution])) + made.option(0, b"")
        data = made.section() + made.interface(options=options) + made.enhanced(b"abc", stamp)
        assert one(data)[0] == time_ns

    @pytest.mark.parametrize("offset", [1_700_000_000, -3600])
    @orders
    def test_seconds_to_be_added(self, order, offset):
        made = Pcapng(order)
        options = made.option(14, struct.pack(order + "q", offset))
        data = made.section() + made.interface(options=options) + made.enhanced(b"abc", 5)
        assert one(data)[0] == offset * 10**9 + 5000

    def test_options_behind_their_end_or_of_another_length_do_not_count(self):
        made = Pcapng()
        resolution = made.option(9, b"\x03")
        for options in (
            made.option(0, b"") + resolution,
            made.option(9, b"\x03\x00"),
            struct.pack("<HHB", 9, 200, 3),
        ):
            data = made.section() + made.interface(options=options) + made.enhanced(b"abc", 5)
            assert one(data)[0] == 5000

    def test_a_simple_packet_is_as_long_as_the_interface_stores(self):
        made = Pcapng()
        data = made.section() + made.interface(longest=3) + made.simple(b"abc", length=1000)
        assert one(data)[2:] == (b"abc", 1000)

    def test_a_clipped_packet_says_how_long_it_was(self):
        made = Pcapng()
        assert one(made.section() + made.interface() + made.enhanced(b"abc", length=9))[2:] == (b"abc", 9)

    @given(st.data())
    def test_cut_off_anywhere_it_gives_what_is_whole_and_says_where_it_ends(self, data):
        made = Pcapng()
        pieces = [made.section(), made.interface(), *(made.enhanced(bytes([n]) * n) for n in range(5))]
        whole = b"".join(pieces)
        size = data.draw(st.integers(4, len(whole)))
        packets, at, why = told(whole[:size])
        edges = [sum(map(len, pieces[:n])) for n in range(len(pieces) + 1)]
        assert packets == [bytes([n]) * n for n in range(5) if edges[n + 3] <= size]
        if size in edges:
            assert at is None
        else:
            assert at == max(edge for edge in edges if edge <= size) and why == "it is cut off there"


GOOD = Pcapng().section() + Pcapng().interface() + Pcapng().enhanced(b"abc")


class TestDamage:
    @pytest.mark.parametrize(
        ("more", "why"),
        [
            (struct.pack("<II", 6, 8) + bytes(4), "a block of 8 bytes is none"),
            (struct.pack("<II", 6, 33) + bytes(30), "a block of 33 bytes is none"),
            (struct.pack("<II", 6, 1 << 31) + bytes(9), "it is cut off there"),
            (struct.pack("<III", 9, 12, 16), "a block's two sizes differ"),
            (Pcapng().block(6, bytes(16)), "a packet is longer than its block"),
            (Pcapng().block(6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"abcd"), "a packet is longer than its block"),
            (Pcapng().block(3, b""), "a packet is longer than its block"),
            (Pcapng().block(3, struct.pack("<I", 5) + b"abcd"), "a packet is longer than its block"),
            (Pcapng().block(1, bytes(4)), "an interface without a description"),
            (Pcapng().enhanced(b"x", interface=1), "a packet of an interface that was not described"),
            (Pcapng().section() + Pcapng().simple(b"x"), "a packet of an interface that was not described"),
            (Pcapng().block(0x0A0D0D0A, bytes(16)), "a section without its byte order"),
            (b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", "it is cut off there"),
        ],
    )  # fmt: skip
    def test_it_is_told_where_and_why(self, more, why):
        packets, at, reason = told(GOOD + more)
        assert packets == [b"abc"] and reason == why
        assert at is not None and at >= len(GOOD)

    @given(st.binary(min_size=1, max_size=8), st.integers(4, len(GOOD) * 3 - 8))
    def test_damage_anywhere_ends_early_or_not_and_raises_nothing_else(self, noise, at):
        damaged = bytearray(GOOD * 3)
        damaged[at : at + len(noise)] = noise
        told(bytes(damaged))

    @given(
        st.binary(max_size=300),
        st.sampled_from([b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"]),
    )
    def test_any_bytes_after_a_magic_number_are_survived(self, rest, magic):
        told(magic + rest)


class TestFiles:
    def write(self, folder: Path, data: bytes) -> Path:
        path = folder / "x"
        path.write_bytes(data)
        return path

    def test_a_packed_file(self, tmp_path):
        found = containers.content(self.write(tmp_path, gzip.compress(GOOD)))
        assert found == (GOOD, "gzip", "") and len(list(containers.records(found))) == 1

    @pytest.mark.parametrize("cut", [1, 9, 20])
    def test_a_packed_file_that_is_cut_off(self, tmp_path, cut):
        found = containers.content(self.write(tmp_path, gzip.compress(GOOD * 50)[:-cut]))
        with pytest.raises(EndsEarly) as early:
            list(containers.records(found))
        assert early.value.why == "what is packed is cut off" and early.value.offset <= len(GOOD * 50)

    def test_in_a_packed_file_the_captures_own_damage_is_told_as_its_own(self, tmp_path):
        damaged = gzip.compress(GOOD + struct.pack("<II", 6, 33) + bytes(99)) + b"rest"
        found = containers.content(self.write(tmp_path, damaged))
        with pytest.raises(EndsEarly) as early:
            list(containers.records(found))
        assert early.value.why == "a block of 33 bytes is none"

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"", "magic numbers"),
            (b"hello", "magic numbers"),
            (b"snoop\0\0\0" + bytes(20), "its format is snoop"),
            (b"\x34\xcd\xb2\xa1" + bytes(20), "Kuznetzov"),
            (b"\x1f\x8bnot really gzip", "damaged"),
            (gzip.compress(b"not a capture", mtime=0), "magic numbers"),
        ],
    )
    def test_what_is_no_capture_is_refused(self, tmp_path, data, why):
        with pytest.raises(CaptureFileError, match=why):
            containers.content(self.write(tmp_path, data))

    def test_what_cannot_be_unpacked_here_is_refused_with_the_program_that_can(self, tmp_path):
        with pytest.raises(CaptureFileError, match=r"Zstandard \(zstd -d\).*unpack it first"):
            containers.content(self.write(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(20)))

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(CaptureFileError, match="there is no file"):
            containers.content(tmp_path / "nothing.pcap")

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(CaptureFileError, match="cannot be read"):
            containers.content(tmp_path)
