"""Packets in one run of bytes come out as they went in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from utils.capture import stamped

packets = st.lists(st.tuples(st.integers(0, 2**63), st.binary(max_size=50), st.integers(0, 2**20)))


@given(packets, packets)
def test_runs_one_after_another_hold_all_their_packets(first, second):
    packed = stamped.pack(first) + stamped.pack(second)
    found = [
        (time_ns, bytes(packet), length) for time_ns, packet, length in stamped.unpack(memoryview(packed))
    ]
    assert found == first + second
