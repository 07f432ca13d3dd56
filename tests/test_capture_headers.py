"""The headers that we make are those that scapy makes, bit by bit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from utils.capture.headers import packet
from utils.records import Endpoint, Flow, Segment

ports = st.integers(0, 65535)
words = st.integers(0, 2**32 - 1)
pairs = st.one_of(
    st.tuples(*[st.ip_addresses(v=4).map(str)] * 2), st.tuples(*[st.ip_addresses(v=6).map(str)] * 2)
)


@given(pairs, ports, ports, words, words, st.integers(0, 255), st.binary(max_size=100))
def test_a_packet_is_the_one_that_scapy_builds(hosts, sport, dport, sequence, number, flags, payload):
    flow = Flow(Endpoint(hosts[0], sport), Endpoint(hosts[1], dport))
    network = IPv6 if ":" in hosts[0] else IP
    built = (
        Ether(src="00:00:00:00:00:00", dst="00:00:00:00:00:00")
        / network(src=hosts[0], dst=hosts[1])
        / TCP(sport=sport, dport=dport, seq=sequence, ack=number, flags=flags)
        / payload
    )
    assert packet(Segment(0, flow, sequence, number, flags, payload)) == bytes(built)


def test_the_largest_segment_of_a_loopback_fits():
    flow = Flow(Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
    assert IP(packet(Segment(0, flow, 0, 0, 0, bytes(65_483)))[14:]).len == 65_523
