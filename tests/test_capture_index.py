"""The packets of a file by columns are those that are read one by one."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.capture import containers
from utils.capture import index as indexing
from utils.capture.index import index
from utils.capture.packing import Unpacked
from utils.capture.pcapng import Writer
from utils.streams.segments import LATEST

packets = st.lists(st.tuples(st.integers(0, 2**63 - 1), st.binary(max_size=40)), max_size=12)


def pcapng(made, *, between: bytes = b"") -> bytes:
    file = io.BytesIO()
    writer = Writer(file, comment="a test")
    for time_ns, packet in made:
        writer.write(time_ns, packet)
        file.write(between)
    return file.getvalue()


def pcap(made, order: str, magic: int) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 1 << 18, 1)
    records = [
        struct.pack(order + "IIII", time_ns >> 32, time_ns & 0xFFFF, len(packet), len(packet) + 3) + packet
        for time_ns, packet in made
    ]
    return head + b"".join(records)


def both_ways(data: bytes) -> bool:
    """They give the same; whether the file was indexed by columns."""
    found = Unpacked(data)
    one_by_one, stop = [], None
    try:
        for record in containers.records(found):
            one_by_one.append(record)
    except containers.EndsEarly as early:
        stop = (early.offset, early.why)
    columns = index(found)
    rows = zip(
        columns.time_ns.tolist(),
        columns.link_type.tolist(),
        columns.start.tolist(),
        columns.end.tolist(),
        columns.length.tolist(),
        strict=True,
    )
    assert list(rows) == [(min(max(time_ns, 0), LATEST), *rest) for time_ns, *rest in one_by_one]
    assert (columns.stop and (columns.stop.offset, columns.stop.why)) == stop
    plain = indexing._plain_pcapng if data[:4] == b"\n\r\r\n" else indexing._plain_pcap
    return plain(data) is not None


class TestBothWays:
    @given(packets, st.sampled_from([b"", struct.pack("<IIII", 0xBAD, 16, 7, 16)]))
    def test_pcapng(self, made, between):
        assert both_ways(pcapng(made, between=between))

    @given(packets, st.sampled_from("<>"), st.sampled_from([0xA1B2C3D4, 0xA1B23C4D]))
    def test_pcap(self, made, order, magic):
        assert both_ways(pcap(made, order, magic))

    @given(packets, st.data())
    def test_a_file_that_is_cut_off_or_damaged(self, made, chosen):
        for whole in (pcapng(made), pcap(made, "<", 0xA1B23C4D)):
            both_ways(whole[: chosen.draw(st.integers(24, len(whole)))])
            at = chosen.draw(st.integers(4, len(whole) - 1))
            both_ways(whole[:at] + chosen.draw(st.binary(min_size=1, max_size=8)) + whole[at + 1 :])

    @given(packets)
    def test_a_packet_that_looks_like_blocks(self, made):
        inside = pcapng([(1, b"abc")])
        assert both_ways(pcapng([*made, (5, inside + bytes(-len(inside) % 4)), *made]))

    @given(st.integers(0, 255), packets)
    def test_every_resolution_of_stamps(self, resolution, made):
        whole = pcapng(made)
        at = whole.index(struct.pack("<HHB", 9, 1, 9))
        both_ways(whole[: at + 4] + bytes([resolution]) + whole[at + 5 :])

    @pytest.mark.parametrize(("at", "value"), [(8, 7), (12, 1 << 31), (20, 1000)])
    def test_a_packet_of_no_interface_of_no_time_or_of_no_end(self, at, value):
        whole = bytearray(pcapng([(1, b"abcd"), (2, b"efgh")]))
        block = len(whole) - 36 + at  # in the last packet's block
        whole[block : block + 4] = struct.pack("<I", value)
        assert not both_ways(bytes(whole))

    def test_two_sections_of_different_byte_orders(self):
        assert not both_ways(pcapng([(1, b"abc")]) * 2)

    @pytest.mark.parametrize("trouble", ["what is packed is cut off"])
    def test_what_was_packed_and_is_not_whole_says_so(self, trouble):
        found = index(Unpacked(pcapng([(1, b"abc")]), "gzip", trouble))
        assert len(found) == 1 and found.stop is not None and found.stop.why == trouble
