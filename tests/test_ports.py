"""The ports of several servers: who is the client, and what decodes a connection."""

from __future__ import annotations

from tests.redis_bytes import command, push
from utils.records import Endpoint, Flag, Flow, Segment, Service
from utils.streams.dissection import messages
from utils.streams.ports import Ports
from utils.streams.reassembly import Reassembler
from utils.wire.connection import Connection
from utils.wire.redis import RedisConnection
from utils.wire.units import Layer, Side

PORTS = Ports(frozenset({5001, 5002}), frozenset({6379}))


def flow(source: int, destination: int) -> Flow:
    return Flow(Endpoint("127.0.0.1", source), Endpoint("127.0.0.1", destination))


def test_a_single_port_is_an_http_servers():
    assert Ports.of(5001) == Ports(frozenset({5001}))
    assert Ports.of(PORTS) is PORTS
    assert 5001 in PORTS and 6379 in PORTS and 5003 not in PORTS


def test_who_opened_a_connection_is_the_client():
    assert PORTS.side(flow(40000, 5002)) is Side.CLIENT and PORTS.side(flow(5002, 40000)) is Side.SERVER
    assert PORTS.from_client(flow(6379, 40000)) == flow(40000, 6379) == PORTS.from_client(flow(40000, 6379))
    assert PORTS.concern(flow(6379, 40000)) and not PORTS.concern(flow(40000, 40001))


def test_the_port_decides_how_bytes_are_read():
    assert isinstance(PORTS.decoder(flow(40000, 5002)), Connection)
    assert isinstance(PORTS.decoder(flow(40000, 6379)), RedisConnection)


def test_several_servers_and_a_queue_are_decoded_side_by_side():
    def segment(at: int, way: Flow, payload: bytes, sequence: int = 1) -> Segment:
        return Segment(at, way, sequence, 1, Flag.ACK, payload)

    request = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    made = [
        segment(1, flow(40001, 5001), request % 1),
        segment(2, flow(40002, 6379), command("PUBLISH", "a", "b")),
        segment(3, flow(6379, 40003), push(b"message", b"a", b"b")),
        segment(4, flow(6379, 40002), b":1\r\n"),
        segment(5, flow(40004, 5002), request % 2),
        segment(6, flow(40005, 9999), request % 3),
    ]
    told = [(one.unit.layer, one.side, one.unit.summary) for one in messages(made, server_port=PORTS)]
    assert told == [
        (Layer.HTTP, Side.CLIENT, "GET /1"),
        (Layer.REDIS, Side.CLIENT, "PUBLISH a · b"),
        (Layer.REDIS, Side.SERVER, "message a · b"),
        (Layer.REDIS, Side.SERVER, ":1 · answers PUBLISH: 1 got it"),
        (Layer.HTTP, Side.CLIENT, "GET /2"),
    ]
    reassembler = Reassembler(PORTS)
    one_by_one = [message for one in made for message in reassembler.add(one)] + reassembler.finish()
    assert [one.unit.summary for one in one_by_one] == [summary for *_, summary in told]


def test_what_a_recording_says_listens_is_told_by_what_is_spoken():
    services = {5001: Service("server 1"), 5002: Service("server 2"), 6379: Service("Redis", "redis", False)}
    assert Ports.listening(services) == PORTS
