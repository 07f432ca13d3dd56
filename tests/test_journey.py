"""A journey follows cause, not the clock, from the asking line to the last effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.worlds import Process, flow, recording
from utils.errors import InputError
from utils.journeys.journey import journey
from utils.records import HandOffKind, Level, Message, StepKind
from utils.wire.units import Layer, Side, Unit

ALICE, BOB = flow(40001), flow(40002)


def message(way, start: int, raw: bytes, at: int, summary: str) -> Message:
    side = Side.CLIENT if way.destination.port == 5000 else Side.SERVER
    return Message(way, Unit(side, Layer.WEBSOCKET, start, raw, summary=summary), at, at)


def a_bid():
    """Alice's emit, the server's two threads, and a broadcast to Alice and Bob.

    The clock is against the order of cause on purpose: Bob's copy leaves
    before Alice's, though it was put into its queue after hers.
    """
    client, server = Process("client"), Process("server")
    # Alice's main thread emits; her writer thread sends.
    emit = client.call(1, "Client.emit", 100, 120)
    put = client.call(1, "Queue.put", 105, 110, emit)
    writer = client.call(2, "write_loop", 1, None)
    get = client.call(2, "Queue.get", 2, 107, writer)
    send = client.call(2, "send_frame", 112, 118, writer)
    client.hands(HandOffKind.QUEUE, put, get, 105, 107)
    client.send(2, ALICE, 0, 8, 113, 115, call=send)
    # The server reads, and broadcasts through a queue for each client.
    serve = server.call(11, "serve", 1, None)
    server.recv(11, ALICE, 0, 8, 10, 117, call=serve)
    handler = server.call(11, "handler", 130, 160, serve)
    puts = [
        server.call(11, "Queue.put", 140, 142, handler),
        server.call(11, "Queue.put", 144, 146, handler),
    ]
    for thread, way, number, at in ((12, ALICE, puts[0], 200), (13, BOB, puts[1], 170)):
        write = server.call(thread, "writer", 1, None)
        taken = server.call(thread, "Queue.get", 2, at, write)
        sending = server.call(thread, "ws.send", at + 1, at + 5, write)
        server.hands(HandOffKind.QUEUE, number, taken, server.calls[number].enter_ns, at)
        server.send(thread, way.reverse, 0, 9, at + 2, at + 4, call=sending)
    # Both clients read; each calls the user's handler.
    for thread, way, at in ((3, ALICE, 210), (4, BOB, 180)):
        read = client.call(thread, "read_loop", 1, None)
        client.recv(thread, way.reverse, 0, 9, 20, at, call=read)
        client.call(thread, "on_replaced", at + 1, at + 2, read)
    messages = [
        message(ALICE, 0, b"x" * 8, 116, "the bid"),
        message(ALICE.reverse, 0, b"y" * 9, 205, "to Alice"),
        message(BOB.reverse, 0, b"y" * 9, 175, "to Bob"),
    ]
    return recording(client, server), messages


CLIENTS = {40001: "alice", 40002: "bob"}


def titles(steps) -> list[str]:
    return [step.title for step in steps]


class TestOrder:
    def test_the_chain_is_told_from_the_asking_call_to_each_client(self):
        world, messages = a_bid()
        told = journey(world, messages, messages[0], clients=CLIENTS)
        assert titles(told.steps) == [
            "Client.emit",
            "Queue.put",
            "Queue.put → Queue.get",
            "send_frame",
            "socket.send in send_frame",
            "the bid",
            "socket.recv in serve",
            "handler",
            "Queue.put",
            "Queue.put",
            "Queue.put → Queue.get",
            "ws.send",
            "socket.send in ws.send",
            "to Alice",
            "socket.recv in read_loop",
            "on_replaced",
            "Queue.put → Queue.get",
            "ws.send",
            "socket.send in ws.send",
            "to Bob",
            "socket.recv in read_loop",
            "on_replaced",
        ]

    @pytest.mark.parametrize("index", [0, 1, 2])
    def test_every_message_of_the_journey_leads_to_the_same_origin(self, index):
        world, messages = a_bid()
        told = journey(world, messages, messages[index], clients=CLIENTS)
        assert titles(told.steps) == titles(journey(world, messages, messages[0]).steps)
        assert told.start_ns == 100

    def test_the_clock_does_not_change_the_order(self):
        """Alice's copy may leave before or after Bob's: the telling is the same."""
        world, messages = a_bid()
        late = journey(world, messages, messages[0])
        assert [s.since_ns for s in late.steps] != sorted(s.since_ns for s in late.steps)

    def test_what_the_user_does_next_is_another_journey(self):
        world, messages = a_bid()
        client = world.trace("client")
        # The main thread waits for the answer and then, by the user's own code, emits again.
        wait = replace(client.calls[0], id=90, enter_ns=125, leave_ns=212)
        again = replace(client.calls[0], id=91, enter_ns=220, leave_ns=230)
        handler = next(c for c in client.calls if c.code.name == "on_replaced")
        handoff = replace(
            client.handoffs[0], kind=HandOffKind.EVENT, given=handler.id, taken=90, given_ns=211, taken_ns=212
        )
        longer = replace(
            client,
            calls=(*client.calls, wait, again),
            handoffs=tuple(sorted((*client.handoffs, handoff), key=lambda h: h.taken_ns)),
        )
        calls = tuple(sorted(longer.calls, key=lambda call: call.enter_ns))
        world = replace(world, traces=(replace(longer, calls=calls), world.trace("server")))
        assert titles(journey(world, messages, messages[0]).steps).count("Client.emit") == 1


class TestSteps:
    def test_threads_are_named_after_their_work_and_the_client_they_serve(self):
        world, messages = a_bid()
        told = journey(world, messages, messages[0], clients=CLIENTS)
        assert {step.thread for step in told.steps if step.title == "ws.send"} == {
            "work (alice)",
            "work (bob)",
        }

    def test_the_bytes_in_play_are_those_of_the_transfer(self):
        world, messages = a_bid()
        told = journey(world, messages, messages[0], clients=CLIENTS)
        for step in told.steps:
            if step.kind in (StepKind.SEND, StepKind.RECV, StepKind.WIRE):
                assert step.span == (0, len(step.message.unit.raw))

    def test_each_level_holds_the_one_before_it(self):
        world, messages = a_bid()
        told = journey(world, messages, messages[0])
        sizes = [len(told.at(level)) for level in Level]
        assert sizes == sorted(sizes) and sizes[-1] == len(told.steps)

    def test_a_message_that_nobody_traced_sent_is_refused_with_its_name(self):
        world, messages = a_bid()
        stranger = message(flow(49999), 0, b"z", 1, "a stranger's bid")
        with pytest.raises(InputError, match="a stranger's bid"):
            journey(world, [*messages, stranger], stranger)
