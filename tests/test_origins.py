"""Where a journey begins: the climb passes through who answers, and ends with who asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.test_journey import message
from tests.worlds import Process, flow, recording
from utils.errors import InputError
from utils.journeys.journey import Journeys
from utils.records import HandOffKind, Site, StepKind, TransferKind

ALICE = flow(40001)


def titles(journeys: Journeys, of) -> list[str]:
    return [step.title for step in journeys.of(of).steps]


def two_requests():
    """A program that connects, asks twice on one connection, and reads both answers."""
    client, server = Process("client"), Process("server")
    connect = client.call(1, "Client.connect", 10, 100)
    for number, at in enumerate((20, 60)):
        ask = client.call(1, f"ask_{number}", at, at + 30, connect)
        if not number:
            client.moves(TransferKind.CONNECT, 1, ALICE, 0, 0, 21, 22, call=ask)
        client.send(1, ALICE, 10 * number, 10, at + 5, at + 6, call=ask)
        client.recv(1, ALICE.reverse, 10 * number, 10, at + 7, at + 20, call=ask)
        client.call(1, f"understand_{number}", at + 21, at + 25, ask)
    main = server.call(7, "main", 1, None)
    handle = server.call(7, "handle", 23, 26, main)
    server.moves(TransferKind.ACCEPT, 7, ALICE, 0, 0, 24, 25, call=handle)
    start = server.call(7, "start", 25, 26, handle)
    run = server.call(8, "Thread.run", 27, None)
    loop = server.call(8, "serve", 28, None, run)
    server.hands(HandOffKind.THREAD, start, run, 25, 27)
    for number, at in enumerate((30, 70)):
        work = server.call(8, f"answer_{number}", at, at + 8, loop)
        server.recv(8, ALICE, 10 * number, 10, at - 2, at - 1, call=loop)
        server.send(8, ALICE.reverse, 10 * number, 10, at + 1, at + 2, call=work)
    messages = [
        message(way, 10 * number, b"x" * 10, at, f"{what} {number}")
        for number in (0, 1)
        for what, way, at in (
            ("question", ALICE, 26 + 40 * number),
            ("answer", ALICE.reverse, 32 + 40 * number),
        )
    ]
    return recording(client, server), messages


def test_each_request_is_a_journey_of_its_own_though_one_call_asked_for_both():
    world, messages = two_requests()
    journeys = Journeys(world, messages, {})
    first, second = titles(journeys, messages[0]), titles(journeys, messages[2])
    assert first[0] == "ask_0" and "understand_0" in first and "ask_1" not in first
    assert second[0] == "ask_1" and "answer_1" in second and "answer_0" not in second


def test_an_answer_belongs_to_the_journey_of_its_question():
    world, messages = two_requests()
    journeys = Journeys(world, messages, {})
    assert titles(journeys, messages[1]) == titles(journeys, messages[0])
    assert titles(journeys, messages[3]) == titles(journeys, messages[2])


def test_what_came_from_somebody_who_left_no_trace_begins_where_it_was_received():
    world, messages = two_requests()
    left = replace(world, traces=tuple(trace for trace in world.traces if trace.process == "server"))
    journeys = Journeys(left, messages, {})
    steps = journeys.of(messages[2]).steps
    assert steps[0].kind is StepKind.RECV and {step.process for step in steps} == {"server", "wire"}
    assert "answer_1" in titles(journeys, messages[2]) and "answer_0" not in titles(journeys, messages[2])


def test_a_connection_that_is_opened_is_accepted_by_the_loop_which_starts_a_thread():
    world, messages = two_requests()
    told = titles(Journeys(world, messages, {}), messages[0])
    handled = told.index("handle")
    assert told[handled : handled + 4] == ["handle", "socket.accept in handle", "start", "start → Thread.run"]


def test_the_call_that_asked_for_both_is_a_journey_too_and_holds_both():
    world, messages = two_requests()
    call = next(call for call in world.trace("client").calls if call.code.name == "Client.connect")
    told = titles(Journeys(world, messages, {}), call)
    assert told[0] == "Client.connect"
    assert [title for title in told if title.startswith(("question", "answer "))] == [
        f"{what} {number}" for number in (0, 1) for what in ("question", "answer")
    ]


def test_a_decorator_is_one_journey_with_its_making_and_its_application():
    server = Process("server")
    main = server.call(1, "create_app", 1, 90)
    line, other = (Site(server.calls[main].code, number) for number in (5, 9))
    for name, at, site in (
        ("route", 10, line),
        ("decorator", 20, line),
        ("on", 30, other),
        ("route", 40, line),
    ):
        server.call(1, name, at, at + 5, main, site=site)
    journeys = Journeys(recording(server), [], {})
    calls = {call.enter_ns: call for call in server.calls}
    # The files of this world belong to no library: the line is the call's own.
    assert titles(journeys, calls[10]) == ["route", "decorator"]
    assert titles(journeys, calls[30]) == ["on"]
    assert titles(journeys, calls[40]) == ["route"]


def test_the_clock_is_where_a_timers_journey_begins():
    server = Process("server")
    run = server.call(1, "Thread.run", 1, 60)
    ping = server.call(1, "Socket._send_ping", 2, 60, run)
    server.call(1, "Server.sleep", 3, 30, ping)
    send = server.call(1, "Socket.send", 31, 40, ping)
    server.send(1, ALICE.reverse, 0, 4, 32, 33, call=send)
    ping_message = message(ALICE.reverse, 0, b"ping", 33, "ping")
    told = Journeys(recording(server), [ping_message], {}).of(ping_message)
    assert [step.title for step in told.steps][:2] == ["Server.sleep", "Socket.send"]
    assert told.start_ns == 30 and "slept" in told.steps[0].note


def test_a_sleep_in_the_midst_of_work_begins_nothing():
    server = Process("server")
    run = server.call(1, "Thread.run", 1, 60)
    loop = server.call(1, "handle", 2, 60, run)
    handler = server.call(1, "handler", 3, 60, loop)
    server.call(1, "Server.sleep", 4, 30, handler)
    send = server.call(1, "Socket.send", 31, 40, handler)
    server.send(1, ALICE.reverse, 0, 4, 32, 33, call=send)
    told = Journeys(recording(server), [message(ALICE.reverse, 0, b"late", 33, "late")], {})
    assert titles(told, message(ALICE.reverse, 0, b"late", 33, "late"))[0] == "Thread.run"


def test_something_asked_of_a_socket_by_nobody_is_refused():
    server = Process("server")
    server.call(1, "main", 1, None)
    listen = server.moves(TransferKind.LISTEN, 1, ALICE, 0, 0, 2, 3)
    with pytest.raises(InputError, match="nobody asked for the listen"):
        Journeys(recording(server), [], {}).of(replace(listen))
