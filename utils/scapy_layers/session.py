"""A scapy session that follows the streams of HTTP, WebSocket and Socket.IO.

The rule kept here: scapy gives and takes the packets; the streams are put
together by :mod:`utils.streams.reassembly` and decoded by :mod:`utils.wire`, so that
disorder, repetition and loss are told here as everywhere else.

    sniff(offline="auction.pcapng", session=SocketIOSession(server_port=5000))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scapy.layers.http import HTTP
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Padding, Raw
from scapy.sessions import DefaultSession

from utils.records import Endpoint, Flag, Flow, Message, Segment
from utils.scapy_layers.layers import EngineIOPayload, WebSocket
from utils.streams.reassembly import Reassembler
from utils.wire.units import Layer


class SocketIOSession(DefaultSession):
    """For ``sniff(session=...)``: a packet for each HTTP message and each WebSocket frame.

    Segments are put together by :mod:`utils.streams.reassembly`, whatever their order;
    a packet has the headers of the segment that completed it, its comment is
    the message in one line.  ``server_port`` None: it is told by the handshake,
    or else it is the lower port.  Segments without a message pass unchanged.
    """

    def __init__(self, server_port: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._port = server_port
        self._reassemblers: dict[int, Reassembler] = {}
        self._ports: dict[Flow, int] = {}
        self._last: dict[Flow, Packet] = {}

    def recv(self, sock: Any) -> Iterator[Packet]:
        packet = sock.recv()
        if packet is not None:
            yield from self.packets(packet)

    def packets(self, packet: Packet) -> Iterator[Packet]:
        """What ``packet`` completes; itself if it carries nothing of a stream."""
        segment = _segment(packet)
        if segment is None:
            yield packet
            return
        self._last[segment.flow] = packet
        port = self._server_port(segment)
        reassembler = self._reassemblers.setdefault(port, Reassembler(port))
        found = reassembler.add(segment)
        if not segment.payload and not found:
            yield packet
        for message in found:
            yield self._packet(message)

    def finish(self) -> Iterator[Packet]:
        """What was not complete when the packets ended."""
        for reassembler in self._reassemblers.values():
            for message in reassembler.finish():
                yield self._packet(message)

    def _server_port(self, segment: Segment) -> int:
        if self._port is not None:
            return self._port
        flow = segment.flow
        if flow not in self._ports or segment.flags & Flag.SYN:
            port = min(flow.source.port, flow.destination.port)
            if segment.flags & Flag.SYN:
                port = (flow.source if segment.flags & Flag.ACK else flow.destination).port
            self._ports[flow] = self._ports[flow.reverse] = port
        return self._ports[flow]

    def _packet(self, message: Message) -> Packet:
        unit = message.unit
        packet = self._last[message.flow].copy()
        transport = packet[TCP]
        transport.remove_payload()
        if unit.layer is Layer.WEBSOCKET:
            transport.add_payload(WebSocket(unit.raw))
        elif unit.layer is Layer.HTTP:
            transport.add_payload(_http(unit.raw, unit.payload if unit.packets else b""))
        else:
            transport.add_payload(Raw(unit.raw))
        # Lengths and checksums were those of a segment.
        for layer, names in ((IP, ("len", "chksum")), (IPv6, ("plen",)), (TCP, ("chksum",))):
            if layer in packet:
                for name in names:
                    packet[layer].delfieldval(name)
        packet.time = message.last_ns / 1e9
        packet.comments = [unit.summary.encode()]
        return packet


def _http(raw: bytes, payload: bytes) -> Packet:
    """An HTTP message; of a body that stands there as it is, the Engine.IO packets."""
    packet = HTTP(raw)
    if payload and Raw in packet and bytes(packet[Raw]) == payload:
        below = packet[Raw].underlayer
        below.remove_payload()
        below.add_payload(EngineIOPayload(payload))
    return packet


def _segment(packet: Packet) -> Segment | None:
    """The TCP segment that ``packet`` carries."""
    if TCP not in packet:
        return None
    transport = packet[TCP]
    network = transport.underlayer
    if not isinstance(network, IP | IPv6):
        return None
    above = transport.payload
    payload = b"" if isinstance(above, Padding) else bytes(above.original or above)
    return Segment(
        round(packet.time * 1_000_000_000),
        Flow(Endpoint(network.src, transport.sport), Endpoint(network.dst, transport.dport)),
        transport.seq,
        transport.ack,
        int(transport.flags),
        payload,
    )
