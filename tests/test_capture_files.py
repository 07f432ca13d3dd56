"""What is written is read again to the nanosecond; what is damaged gives what it holds and says where it ends."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import links
from utils.capture import files
from utils.capture.pcapng import Writer
from utils.errors import CaptureFileError
from utils.records import Endpoint, Flow, Segment

hosts = st.sampled_from([("127.0.0.1", "127.0.0.2"), ("::1", "::2")])
segments = st.builds(
    lambda time_ns, pair, ports, sequence, number, flags, payload: Segment(
        time_ns,
        Flow(Endpoint(pair[0], ports[0]), Endpoint(pair[1], ports[1])),
        sequence,
        number,
        flags,
        payload,
    ),
    st.integers(0, 2**63 - 1),
    hosts,
    st.tuples(st.integers(1, 65535), st.integers(1, 65535)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.binary(max_size=200),
)


def a_capture(count: int = 20) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, comment="a test")
    for number in range(count):
        writer.write(1_700_000_000_123_456_789 + number, ethernet(b"payload %d" % number))
    return file.getvalue()


def ethernet(payload: bytes) -> bytes:
    return bytes(12) + b"\x08\x00" + datagram(payload)


def datagram(payload: bytes) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", 40000, 5000, 1, 2, 5 << 4, 0x18, 0, 0, 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + bytes([127, 0, 0, 1] * 2)
    return head + tcp


class TestRoundTrip:
    @given(st.lists(segments, max_size=5))
    def test_what_is_written_is_what_is_read(self, made):
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.pcapng"
            files.write_segments(path, made)
            assert files.read(path).segments == made

    def test_a_frame_as_large_as_the_loopback_allows_is_not_clipped(self, tmp_path):
        flow = Flow(Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
        whole = Segment(1, flow, 0, 0, 0, bytes(65_483))
        files.write_segments(tmp_path / "x.pcapng", [whole])
        read = files.read(tmp_path / "x.pcapng")
        assert read.segments == [whole] and read.clipped == 0

    def test_other_tools_read_what_is_written(self, tmp_path):
        tcpdump = shutil.which("tcpdump")
        if tcpdump is None:
            pytest.skip("tcpdump is missing")
        path = tmp_path / "x.pcapng"
        path.write_bytes(a_capture(3))
        told = subprocess.run(
            [tcpdump, "-nn", "-tt", "--nano", "-r", str(path)], capture_output=True, text=True, timeout=30
        )
        lines = told.stdout.splitlines()
        assert len(lines) == 3 and lines[0].startswith("1700000000.123456789 ")

    def test_scapy_reads_what_is_written(self, tmp_path):
        from scapy.layers.inet import TCP
        from scapy.layers.l2 import Ether  # noqa: F401  # scapy knows the link types of what is loaded
        from scapy.utils import rdpcap

        path = tmp_path / "x.pcapng"
        path.write_bytes(a_capture(3))
        assert [bytes(packet[TCP].payload) for packet in rdpcap(str(path))] == [
            b"payload 0",
            b"payload 1",
            b"payload 2",
        ]


def classic(order: str, magic: int, fraction: int, link_type: int, packet: bytes) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 1 << 18, link_type)
    return head + struct.pack(order + "IIII", 7, fraction, len(packet), len(packet)) + packet


class TestForms:
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize(("magic", "fraction"), [(0xA1B2C3D4, 123_456), (0xA1B23C4D, 123_456_000)])
    def test_pcap_in_both_byte_orders_and_both_resolutions(self, tmp_path, order, magic, fraction):
        path = tmp_path / "x.pcap"
        path.write_bytes(classic(order, magic, fraction, 1, ethernet(b"hello")))
        (segment,) = files.read(path).segments
        assert (segment.time_ns, segment.payload) == (7_123_456_000, b"hello")

    @pytest.mark.parametrize(
        ("link_type", "head"),
        [
            (0, struct.pack("<I", 2)),
            (1, bytes(12) + b"\x08\x00"),
            (12, b""),
            (101, b""),
            (108, struct.pack(">I", 2)),
            (113, bytes(14) + b"\x08\x00"),
            (228, b""),
            (276, b"\x08\x00" + bytes(18)),
        ],
    )
    def test_every_link_type_that_a_loopback_has(self, tmp_path, link_type, head):
        path = tmp_path / "x.pcap"
        path.write_bytes(classic("<", 0xA1B2C3D4, 0, link_type, head + datagram(b"hello")))
        assert [segment.payload for segment in files.read(path).segments] == [b"hello"]

    def test_a_gzipped_file(self, tmp_path):
        path = tmp_path / "x.pcapng.gz"
        path.write_bytes(gzip.compress(a_capture()))
        assert len(files.read(path).segments) == 20

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8bnot really gzip", bytes(100)])
    def test_what_is_no_capture_is_refused(self, tmp_path, content):
        path = tmp_path / "x"
        path.write_bytes(content)
        with pytest.raises(CaptureFileError):
            files.read(path)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(CaptureFileError, match="there is no file"):
            files.read(tmp_path / "nothing.pcap")


def test_a_file_of_what_the_tap_saw_says_so(tmp_path):
    flow = Flow(Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
    files.write_segments(tmp_path / "x.pcapng", [Segment(1, flow, 0, 0, 0, b"abc", synthetic=True)])
    assert b"headers made up" in (tmp_path / "x.pcapng").read_bytes()
    (segment,) = files.read(tmp_path / "x.pcapng", synthetic=True).segments
    assert segment.synthetic


def test_a_file_is_whole_after_each_flush(tmp_path):
    with (tmp_path / "x.pcapng").open("wb") as file:
        writer = Writer(file)
        writer.write(1, ethernet(b"abc"))
        writer.flush()
        assert len(files.read(tmp_path / "x.pcapng").segments) == 1


@pytest.mark.parametrize("size", [4, 23])
def test_a_pcap_file_that_ends_in_its_header_says_so(tmp_path, size):
    (tmp_path / "x.pcap").write_bytes(classic("<", 0xA1B2C3D4, 0, 1, ethernet(b"abc"))[:size])
    contents = files.read(tmp_path / "x.pcap")
    assert (contents.ends_early, contents.why) == (size, "it is cut off there")


def test_what_holds_no_segment_is_counted_by_its_name(tmp_path):
    path = tmp_path / "x.pcapng"
    file = io.BytesIO()
    writer = Writer(file)
    arp, udp = bytes(12) + b"\x08\x06" + bytes(28), bytearray(ethernet(b"abc"))
    udp[14 + 9] = 17
    for packet in (arp, bytes(udp), bytes(udp), ethernet(b"abc")):
        writer.write(1, packet)
    path.write_bytes(file.getvalue())
    contents = files.read(path)
    assert contents.refused == {"ARP": 1, "UDP": 2} and contents.packets == 4 and len(contents.segments) == 1


@pytest.mark.parametrize("version", [4, 6])
def test_a_segment_is_read_out_of_every_kind_of_packet(tmp_path, version):
    """Twenty link types, both versions of IP; each in a file of its own, as anybody may hand in."""
    for number, form in enumerate(links.FORMS):
        path = tmp_path / f"{number}.pcap"
        path.write_bytes(links.pcap(form.link_type, form.packet(version, links.tcp(b"hello"))))
        contents = files.read(path)
        assert [segment.payload for segment in contents.segments] == [b"hello"], form.name
        (segment,) = contents.segments
        assert (segment.flow.source.port, segment.flow.destination.port) == links.PORTS
        assert (":" in segment.flow.source.host) == (version == 6)
        assert not contents.refused and contents.ends_early is None
