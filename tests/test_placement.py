"""A transfer and a message belong together by the place of their bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.worlds import Process, flow
from utils.journeys.placement import Placement
from utils.records import Message
from utils.wire.units import Layer, Side, Unit

ALICE, BOB = flow(40001), flow(40002)


def messages(way, sizes) -> list[Message]:
    made, start = [], 0
    for number, size in enumerate(sizes):
        unit = Unit(Side.CLIENT, Layer.WEBSOCKET, start, b"x" * size, summary=str(number))
        made.append(Message(way, unit, number, number))
        start += size
    return made


def summaries(found) -> list[str]:
    return [message.unit.summary for message in found]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=8), st.lists(st.integers(1, 20), min_size=1, max_size=8)
)
def test_however_the_bytes_are_sent_each_message_is_completed_once_and_in_order(sizes, cuts):
    sent = messages(ALICE, sizes)
    placement = Placement(sent[::-1])
    process, at, completed = Process("client"), 0, []
    for cut in [*cuts, sum(sizes)]:
        length = min(cut, sum(sizes) - at)
        if length:
            send = process.send(1, ALICE, at, length, 0, 1)
            completed += placement.completed(send)
            last = placement.message(send)
            assert last is not None and last.start < send.end <= last.end
        at += length
    assert completed == sent


def test_another_connections_messages_are_not_its_own():
    placement = Placement(messages(ALICE, [5]))
    send = Process("client").send(1, BOB, 0, 5, 0, 1)
    assert placement.message(send) is None and not list(placement.completed(send))


def test_bytes_beyond_the_last_message_belong_to_none():
    placement = Placement(messages(ALICE, [5]))
    assert placement.message(Process("client").send(1, ALICE, 5, 3, 0, 1)) is None


def test_a_send_in_the_middle_of_a_message_completes_nothing():
    placement = Placement(messages(ALICE, [9, 9]))
    send = Process("client").send(1, ALICE, 2, 5, 0, 1)
    assert summaries([placement.message(send)]) == ["0"] and not list(placement.completed(send))
