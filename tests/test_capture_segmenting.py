"""A packet taken apart with many others gives what it gives by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.capture import datagrams, links, segmenting
from utils.capture.headers import packet
from utils.capture.index import Index
from utils.capture.segmenting import segments
from utils.records import Endpoint, Flow, Segment

HEADS = {1: 14, 113: 16, 276: 20, 101: 0, 0: 4}

made = st.builds(
    lambda hosts, ports, numbers, payload: Segment(
        0, Flow(Endpoint(hosts[0], ports[0]), Endpoint(hosts[1], ports[1])), *numbers, payload
    ),
    st.sampled_from([("127.0.0.1", "127.0.0.1"), ("10.0.0.1", "10.0.0.2"), ("::1", "fe80::1")]),
    st.tuples(st.integers(0, 65535), st.sampled_from([80, 5000, 65535])),
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 255)),
    st.binary(max_size=30),
)


def on_link(one: Segment, link_type: int) -> bytes:
    whole = packet(one)
    ethertype = whole[12:14]
    head = {
        1: whole[:14],
        113: bytes(14) + ethertype,
        276: ethertype + bytes(18),
        101: b"",
        0: (2 if ethertype == b"\x08\x00" else 30).to_bytes(4, "little"),
    }[link_type]
    return head + whole[14:]


def indexed(packets: list[tuple[int, bytes]]) -> Index:
    data = b"?".join(content for _, content in packets)
    lengths = np.array([len(content) for _, content in packets], np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    kinds = np.array([link_type for link_type, _ in packets], np.int64)
    return Index(data, np.arange(len(packets)), kinds, starts, starts + lengths, lengths, None)


def one_by_one(index: Index):
    """As :mod:`utils.capture.links` and :mod:`utils.capture.datagrams` have it."""
    for place in range(len(index)):
        start, end = int(index.start[place]), int(index.end[place])
        found = links.datagram(int(index.link_type[place]), index.data, start, end)
        tcp = found if isinstance(found, str) else datagrams.segment(index.data, *found)
        if isinstance(tcp, str):
            yield tcp
        else:
            yield index.data[min(tcp + 4 * (index.data[tcp + 12] >> 4), found[1]) : found[1]]


@given(st.lists(st.tuples(made, st.sampled_from(list(HEADS))), max_size=10))
def test_what_was_packed_is_taken_out(chosen):
    cut = segments(indexed([(link_type, on_link(one, link_type)) for one, link_type in chosen]))
    assert [(s.flow, s.sequence, s.acknowledgment, s.flags, s.payload) for s in cut.segments] == [
        (s.flow, s.sequence, s.acknowledgment, s.flags, s.payload) for s, _ in chosen
    ]
    assert not cut.refused


@given(st.lists(st.tuples(made, st.sampled_from(list(HEADS))), min_size=1, max_size=5), st.data())
def test_what_is_damaged_is_taken_or_refused_as_by_itself(chosen, data):
    packets = []
    for one, link_type in chosen:
        whole = bytearray(on_link(one, link_type))
        for _ in range(data.draw(st.integers(0, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        packets.append((link_type, bytes(whole[: data.draw(st.integers(0, len(whole)))])))
    index = indexed(packets)
    cut = segments(index)
    told = list(one_by_one(index))
    assert [one.payload for one in cut.segments] == [one for one in told if isinstance(one, bytes)]
    assert sorted(cut.refused.elements()) == sorted(one for one in told if isinstance(one, str))


def test_the_usual_ones_are_taken_together(monkeypatch):
    monkeypatch.setattr(segmenting.links, "datagram", lambda *_: pytest.fail("one by one"))
    flow = Flow(Endpoint("::1", 1), Endpoint("::1", 2))
    packets = [(1, packet(Segment(0, flow, n, 0, 16, b"x" * n))) for n in range(100)]
    assert len(segments(indexed(packets)).segments) == 100


def test_many_flows_are_told_apart():
    ends = [Endpoint(f"10.0.{n % 7}.1", 1000 + n) for n in range(300)]
    made = [Segment(0, Flow(end, Endpoint("10.1.0.1", 80)), 1, 2, 16, b"") for end in ends * 2]
    cut = segments(indexed([(1, packet(one)) for one in made]))
    assert [one.flow for one in cut.segments] == [one.flow for one in made]
    assert len(cut.segments.flows) == 300
