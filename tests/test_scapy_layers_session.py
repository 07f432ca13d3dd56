"""``sniff(session=SocketIOSession)`` gives the messages of a capture, whatever the segments' order."""

from __future__ import annotations

import random

import pytest
from scapy.config import conf
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.sendrecv import sniff
from scapy.utils import PcapReader, rdpcap, wrpcap

from tests.wire_bytes import CONVERSATION, talk
from utils.capture.files import write_segments
from utils.records import Endpoint, Flag, Flow, Segment
from utils.scapy_layers import EngineIO, EngineIOPayload, SocketIO, WebSocket
from utils.scapy_layers.session import SocketIOSession
from utils.wire.units import Side

TIME = 1_760_000_000_000_000_000


def segments(hosts: tuple[str, str] = ("127.0.0.1", "127.0.0.1"), handshake: bool = True) -> list[Segment]:
    """The conversation, cut into segments of at most 40 bytes."""
    way = Flow(Endpoint(hosts[0], 40001), Endpoint(hosts[1], 5000))
    ways = {Side.CLIENT: way, Side.SERVER: way.reverse}
    at = {Side.CLIENT: 1, Side.SERVER: 1}
    found = []
    if handshake:
        found = [
            Segment(TIME, way, 0, 0, Flag.SYN, b""),
            Segment(TIME + 1000, way.reverse, 0, 1, Flag.SYN | Flag.ACK, b""),
        ]
    for side, data in CONVERSATION:
        other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
        for begin in range(0, len(data), 40):
            part = data[begin : begin + 40]
            time_ns = TIME + 1000 * len(found)
            flags = Flag.PSH | Flag.ACK
            found.append(Segment(time_ns, ways[side], at[side], at[other], flags, part))
            at[side] += len(part)
    return found


def comments(packets: list[Packet]) -> list[str]:
    return [packet.comments[0].decode() for packet in packets if packet.comments]


EXPECTED = [unit.summary for unit in talk(CONVERSATION)]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "auction.pcapng"
    write_segments(file, segments())
    return file


@pytest.mark.parametrize("session", [SocketIOSession, SocketIOSession(server_port=5000)])
def test_a_file_is_sniffed_message_by_message(path, session):
    found = sniff(offline=str(path), session=session)
    assert comments(found) == EXPECTED
    assert b"".join(bytes(packet[WebSocket]) for packet in found if WebSocket in packet) == b"".join(
        data for _, data in CONVERSATION[8:]
    )


def test_the_layers_are_there(path):
    found = [packet for packet in sniff(offline=str(path), session=SocketIOSession) if packet.comments]
    bid = next(
        packet for packet in found if SocketIO in packet and packet[SocketIO].event == "replace old value"
    )
    assert bid[SocketIO].json[1] == {"lot": 1, "cents": 12500}
    assert (bid[IP].src, bid[TCP].dport) == ("127.0.0.1", 5000) and bid[EngineIO].type == 4
    polled = [packet for packet in found if EngineIOPayload in packet]
    assert [len(packet[EngineIOPayload].parts) for packet in polled] == [1, 3]


def test_headers_are_made_anew_for_the_whole_message(path):
    for packet in sniff(offline=str(path), session=SocketIOSession):
        again = Ether(bytes(packet))
        assert again[IP].len == len(bytes(again[IP]))


def test_with_ipv6(tmp_path):
    file = tmp_path / "six.pcapng"
    write_segments(file, segments(("::1", "::1")))
    found = sniff(offline=str(file), session=SocketIOSession)
    assert comments(found) == EXPECTED and IPv6 in found[-1]


def test_without_a_handshake_the_lower_port_is_the_server(tmp_path):
    file = tmp_path / "middle.pcapng"
    write_segments(file, segments(handshake=False))
    assert comments(sniff(offline=str(file), session=SocketIOSession)) == EXPECTED


@pytest.mark.parametrize("seed", range(5))
def test_segments_out_of_order_and_twice(tmp_path, seed):
    chance = random.Random(seed)
    shuffled = segments()
    for at in range(2, len(shuffled) - 2):
        if shuffled[at].flow == shuffled[at + 1].flow and chance.random() < 0.5:
            shuffled[at], shuffled[at + 1] = shuffled[at + 1], shuffled[at]
    shuffled += chance.sample(shuffled[2:], 5)
    file = tmp_path / "disorder.pcapng"
    write_segments(file, shuffled)
    found = sniff(offline=str(file), session=SocketIOSession)
    assert sorted(comments(found)) == sorted(EXPECTED)


def test_what_rdpcap_read_can_be_followed(path):
    session = SocketIOSession(server_port=5000)
    found = [message for packet in rdpcap(str(path)) for message in session.packets(packet)]
    assert comments(found) == EXPECTED and list(session.finish()) == []


def test_what_is_left_at_the_end_is_given(tmp_path):
    file = tmp_path / "cut.pcapng"
    write_segments(file, segments()[:-1] + [segments()[-1].__class__(TIME, *_cut_last())])
    session = SocketIOSession()
    with PcapReader(str(file)) as reader:
        found = [message for packet in reader for message in session.packets(packet)]
    (left,) = session.finish()
    assert Raw in left and left.comments[0].startswith(b"? ") and len(comments(found)) == len(EXPECTED) - 1


def _cut_last() -> tuple:
    last = segments()[-1]
    return last.flow, last.sequence, last.acknowledgment, last.flags, last.payload[:3]


def test_what_is_no_tcp_passes(tmp_path):
    file = tmp_path / "other.pcap"
    wrpcap(str(file), [Ether() / IP() / Raw(b"x"), Ether() / Raw(b"y")])
    found = sniff(offline=str(file), session=SocketIOSession)
    assert len(found) == 2 and not conf.debug_dissector
