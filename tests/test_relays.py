"""What a message queue did: answers, and publications that were delivered."""

from __future__ import annotations

import pytest

from tests.redis_bytes import command, push
from utils import lab
from utils.journeys.relays import Relays
from utils.records import Endpoint, Flow, Message, StepKind
from utils.wire.redis import RedisConnection
from utils.wire.units import Side

REDIS = Endpoint("127.0.0.1", 6379)


class Talk:
    """Connections to one queue; each value is a message."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._decoders: dict[int, RedisConnection] = {}

    def say(self, port: int, data: bytes, side: Side = Side.CLIENT) -> Message:
        decoder = self._decoders.setdefault(port, RedisConnection())
        out = Flow(Endpoint("127.0.0.1", port), REDIS)
        (unit,) = decoder.feed(side, data)
        at = len(self.messages)
        self.messages.append(Message(out if side is Side.CLIENT else out.reverse, unit, at, at))
        return self.messages[-1]

    def hear(self, port: int, data: bytes) -> Message:
        return self.say(port, data, Side.SERVER)


def onward(relays: Relays, message: Message) -> list[Message]:
    return relays.onward(message.flow, message.start, message.end)


def source(relays: Relays, message: Message) -> Message | None:
    return relays.source(message.flow, message.start, message.end)


def test_answers_stand_in_line_and_deliveries_behind_them():
    talk = Talk()
    talk.say(1, command("SUBSCRIBE", "a"))
    talk.hear(1, push(b"subscribe", b"a", b"1"))
    asked = talk.say(2, command("PING"))
    published = talk.say(2, command("PUBLISH", "a", "x"))
    delivered = talk.hear(1, push(b"message", b"a", b"x"))
    pong, count = talk.hear(2, b"+PONG\r\n"), talk.hear(2, b":1\r\n")
    relays = Relays(talk.messages)
    assert onward(relays, asked) == [pong]
    assert onward(relays, published) == [count, delivered]
    assert source(relays, delivered) is published and source(relays, count) is published
    assert source(relays, published) is None
    assert relays.begins(delivered.flow, delivered.start) and not relays.begins(delivered.flow, 1)


def test_of_equal_publications_each_has_its_own_delivery():
    talk = Talk()
    first, second = (talk.say(port, command("PUBLISH", "a", "x")) for port in (2, 3))
    heard = [talk.hear(1, push(b"message", b"a", b"x")) for _ in range(2)]
    more = talk.hear(1, push(b"message", b"a", b"x"))
    relays = Relays(talk.messages)
    assert [source(relays, one) for one in heard] == [first, second]
    assert source(relays, more) is None  # who published it was not seen


def test_what_nobody_was_seen_to_publish_has_no_source():
    talk = Talk()
    early = talk.hear(1, push(b"message", b"a", b"x"))
    late = talk.say(2, command("PUBLISH", "a", "x"))
    other = talk.hear(1, push(b"message", b"b", b"x"))
    relays = Relays(talk.messages)
    assert source(relays, early) is None and source(relays, other) is None
    assert onward(relays, late) == []


@pytest.fixture(scope="module")
def run():
    return lab.replay("two_servers")


def test_a_broadcast_is_followed_from_one_server_to_the_other(run):
    journey = run.journey("bids placed")
    told = [
        (step.process, step.thread, step.title)
        for step in journey.steps
        if step.kind in (StepKind.WIRE, StepKind.SEND, StepKind.RECV)
    ]
    wire = [(thread, title) for process, thread, title in told if process == "wire"]
    published = 'PUBLISH flask-socketio · emit "bids placed" to lot 1'
    delivered = 'message flask-socketio · emit "bids placed" to lot 1'
    assert ("server 1 → Redis", published) in wire
    assert ("Redis → server 2", delivered) in wire and ("Redis → server 1", delivered) in wire
    out = [thread for thread, title in wire if title.startswith('event "bids placed"')]
    assert sorted(out) == ["server 1 → alice", "server 2 → bob"]
    # Server 2 hears it in the thread that listens, and hands it to the one that writes to Bob.
    at = wire.index(("Redis → server 2", delivered))
    assert at < wire.index(next(one for one in wire if one[0] == "server 2 → bob"))
    threads = [(process, thread) for process, thread, _ in told if process == "server 2"]
    assert threads == [("server 2", "_thread"), ("server 2", "writer (bob)")]


def test_from_bob_one_climbs_back_to_the_line_that_alice_called(run):
    (heard,) = [
        message for message in run.messages_of("bob") if 'event "bids placed"' in message.unit.summary
    ]
    first = run._journeys.of(heard).steps[0]
    assert (first.process, first.title) == ("client", "SimpleClient.call")


def test_an_acknowledgement_comes_behind_the_queues_answer(run):
    journey = run.journey("bid")
    assert any(step.title.startswith("ACK") for step in journey.steps if step.kind is StepKind.WIRE)


def test_every_byte_has_its_send_and_its_recv_or_is_the_queues(run):
    report = run.check()
    assert report.whole and report.sent_elsewhere and report.received_elsewhere
    assert report.sent_once + report.sent_elsewhere == report.data_bytes


def test_the_queue_stands_between_the_servers(run):
    text = str(run.ladder("bids placed"))
    names = text.splitlines()[0].split("  ")
    assert [name.strip() for name in names if name.strip()] == [
        "alice",
        "server 1",
        "Redis",
        "server 2",
        "bob",
    ]
    assert run.received("bids placed").keys() == {"alice", "bob"}
