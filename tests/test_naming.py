"""A connection goes by the name of the session that its requests belong to."""

from __future__ import annotations

from dataclasses import replace

from tests.worlds import flow
from utils import lab
from utils.journeys.naming import named
from utils.records import Message
from utils.wire.units import EnginePacket, EngineType, Layer, Side, Unit


def request(port: int, query: bytes) -> Message:
    raw = b"GET /socket.io/?EIO=4" + query + b" HTTP/1.1\r\n\r\n"
    return Message(flow(port), Unit(Side.CLIENT, Layer.HTTP, 0, raw), 1, 1)


def opened(port: int, data: str) -> Message:
    packets = (EnginePacket(EngineType.OPEN, data),)
    return Message(flow(port).reverse, Unit(Side.SERVER, Layer.HTTP, 0, b"x", packets=packets), 1, 1)


def test_what_asks_for_a_session_goes_by_the_name_of_whoever_opened_it():
    told = [request(1, b""), opened(1, '{"sid":"abc"}'), request(2, b"&sid=abc"), request(3, b"&sid=other")]
    assert named(told, {1: "alice"}) == {1: "alice", 2: "alice"}


def test_what_is_known_stays_and_what_is_no_session_names_nobody():
    told = [opened(1, "not JSON"), opened(1, "[]"), request(2, b"&sid="), request(1, b"&sid=abc")]
    assert named(told, {1: "alice"}) == {1: "alice"}


def test_every_connection_of_a_client_that_polls_bears_its_name():
    run = lab.replay("polling")
    ports = {message.flow.source.port for message in run.messages if message.side is Side.CLIENT}
    assert len(ports) > 2 and {run.clients[port] for port in ports} == {"alice"}
    assert replace(run.recording.meta).extra["clients"]
