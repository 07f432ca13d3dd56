"""An attachment belongs to the packet that announced it; everything else stands for itself."""

from __future__ import annotations

from tests.worlds import flow
from utils.journeys.belonging import Belonging
from utils.records import Message
from utils.wire.units import EnginePacket, EngineType, Layer, Side, SocketPacket, SocketType, Unit

ALICE, BOB = flow(40001), flow(40002)


def message(way, start: int, *packets: EnginePacket) -> Message:
    return Message(way, Unit(Side.CLIENT, Layer.WEBSOCKET, start, b"x" * 5, packets=packets), start, start)


def event(attachments: int = 0) -> EnginePacket:
    kind = SocketType.BINARY_EVENT if attachments else SocketType.EVENT
    return EnginePacket(EngineType.MESSAGE, "", SocketPacket(kind, data=["e"], attachments=attachments))


ATTACHMENT = EnginePacket(EngineType.MESSAGE, b"", attachment=True)


def test_a_packet_and_its_attachments_are_one_thing_and_the_next_packet_another():
    one = [message(ALICE, 0, event(2)), message(ALICE, 5, ATTACHMENT), message(ALICE, 10, ATTACHMENT)]
    after = message(ALICE, 15, event())
    belonging = Belonging([*one, after])
    assert all(belonging.of(part) == one for part in one)
    assert belonging.of(after) == [after]


def test_connections_do_not_mix_whatever_order_their_messages_come_in():
    alice = [message(ALICE, 0, event(1)), message(ALICE, 5, ATTACHMENT)]
    bob = [message(BOB, 0, event(1)), message(BOB, 5, ATTACHMENT)]
    belonging = Belonging([alice[0], bob[0], bob[1], alice[1]])
    assert belonging.of(alice[1]) == alice and belonging.of(bob[0]) == bob


def test_an_attachment_that_nobody_announced_stands_for_itself():
    stray = message(ALICE, 0, ATTACHMENT)
    more = message(ALICE, 5, ATTACHMENT)
    belonging = Belonging([stray, more])
    assert belonging.of(stray) == [stray] and belonging.of(more) == [more]


def test_a_body_that_holds_a_packet_with_its_attachment_is_one_thing():
    body = message(ALICE, 0, event(1), ATTACHMENT)
    after = message(ALICE, 5, ATTACHMENT)
    belonging = Belonging([body, after])
    assert belonging.of(body) == [body] and belonging.of(after) == [after]
