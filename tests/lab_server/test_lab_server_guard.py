"""The guard: hostile packets end their own connection, one line each, and nobody else's."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator

import pytest
import requests
from bidders import DEADLINE, RawClient, ask, connect
from conftest import Served
from hypothesis import given
from hypothesis import strategies as st

from lab_server.guard import TokenBucket, is_engineio_text
from lab_server.settings import Limits
from tests.waiting import eventually


@pytest.fixture
def raw(served: Served) -> Iterator[RawClient]:
    client = RawClient(served.url)
    client.join_namespace()
    yield client
    client.close()


def honest_client_is_served(url: str) -> bool:
    client = connect(url)
    try:
        return bool(ask(client, "lots")["ok"])
    finally:
        client.disconnect()


@pytest.mark.parametrize(
    "packet",
    [
        "",
        "x",
        "é",
        "4",
        "4x",
        "47",
        "49[]",
        "4²",
        "0",
        "2",
        "6",
        "3probe",
        "b",
        "bAAA=",
        "4[" * 100_000,
        '{"a":1}',
    ],
    ids=lambda packet: packet[:10] or "empty",
)
def test_what_is_no_engineio_packet_ends_the_connection(
    served: Served, raw: RawClient, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw.send(packet)
    assert raw.closing_code() == 1002  # protocol error
    assert honest_client_is_served(served.url)
    assert_no_traceback(caplog)


@pytest.mark.parametrize(
    "packet",
    [
        "42",
        "42{}",
        "42[]",
        "42null",
        "42[1]",
        "42[[1],2]",
        "42[null]",
        '42["lots"',
        "42[" + "[" * 100_000,
        '42["lots",' + "9" * 5000 + "]",
        "42" + "1" * 101 + '["lots"]',
        '42["connect"]',
        '42["disconnect"]',
        '42["\\u0063onnect"]',
        '42["*"]',
        "43",
        "43[]",
        "431",
        '431{"a":1}',
        "44",
        '44{"message":"no"}',
        "45",
        '451000000-["picture"]',
        '4599999999999-["picture"]',
        '452-["picture",{"_placeholder":true,"num":0}]',
    ],
    ids=lambda packet: packet[:24],
)
def test_what_is_no_socketio_packet_ends_the_connection(
    served: Served, raw: RawClient, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw.send(packet)
    assert raw.receive() == "1"  # CLOSE
    raw.closing_code()
    assert honest_client_is_served(served.url)
    assert_no_traceback(caplog)


@pytest.mark.parametrize(
    "attachments",
    [
        ['451-["picture",{"_placeholder":true,"num":7}]', b"x"],
        ['451-["picture",{"_placeholder":true,"num":"a"}]', b""],
    ],
)
def test_an_attachment_without_a_place_ends_the_connection(
    raw: RawClient, attachments: list[str | bytes], caplog: pytest.LogCaptureFixture
) -> None:
    for packet in attachments:
        raw.send(packet)
    assert raw.receive() == "1"
    assert_no_traceback(caplog)


def test_binary_without_an_event_ends_the_connection(
    raw: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    raw.send(b"\x00\x01")
    assert raw.receive() == "1"
    assert_no_traceback(caplog)


@pytest.mark.parametrize(
    "packet", ['42["lots",{"a":NaN}]', '427["lots",{}]', "40/nowhere,", "40", "41", "3", '42["x"]']
)
def test_what_is_odd_but_allowed_is_no_reason_to_part(raw: RawClient, packet: str) -> None:
    raw.send(packet)
    raw.send("40/auctioneer")  # answered in every case
    packets: list[str] = []
    while not packets or not packets[-1].startswith("44/auctioneer"):
        packets.append(raw.receive())
    assert "1" not in packets


def test_a_client_that_sends_too_much_is_shown_the_door(serve: Callable[..., Served]) -> None:
    served = serve(limits=Limits(packets_per_second=0.001, burst=20))
    client = RawClient(served.url)
    client.join_namespace()
    for number in range(19):
        client.send(f'42{number}["lots",{{}}]')
    answered = {int(client.receive()[2:].partition("[")[0]) for _ in range(19)}
    assert answered == set(range(19))  # up to the limit, everything counts
    client.send('42["lots",{}]')
    assert client.closing_code() == 1008  # policy violation
    assert honest_client_is_served(served.url)


def test_a_message_is_too_large_before_it_is_whole(serve: Callable[..., Served]) -> None:
    """Fragments that never end: the limit counts what has come, not what is finished."""
    served = serve(limits=Limits(message_bytes=100_000))
    client = RawClient(served.url)
    first = bytes([0x01, 0xFE]) + (60_000).to_bytes(2, "big") + bytes(4) + b"4" * 60_000
    more = bytes([0x00]) + first[1:]
    client.sock.sendall(first)
    client.sock.sendall(more)
    assert client.closing_code() == 1009  # message too big
    eventually(lambda: served.connections.count == 0, "the end of the connection's threads")
    assert honest_client_is_served(served.url)


def test_a_declared_length_is_not_waited_for_beyond_the_limit(serve: Callable[..., Served]) -> None:
    served = serve(limits=Limits(message_bytes=100_000))
    client = RawClient(served.url)
    client.sock.sendall(bytes([0x81, 0xFF]) + (2**31).to_bytes(8, "big") + bytes(4))
    client.sock.sendall(b"4" * 120_000)  # far from all, and more than enough
    assert client.closing_code() == 1009


def test_a_message_of_the_largest_size_is_taken(serve: Callable[..., Served]) -> None:
    served = serve(limits=Limits(message_bytes=100_000))
    client = RawClient(served.url)
    client.join_namespace()
    start, end = '427["lots","', '"]'
    client.send(start + "x" * (100_000 - len(start) - len(end)) + end)
    assert json.loads(client.receive()[3:])[0]["error"]["code"] == "invalid"
    client.close()


def test_a_full_house_says_so_and_has_room_again_when_one_leaves(serve: Callable[..., Served]) -> None:
    served = serve(limits=Limits(clients=3))
    clients = [RawClient(served.url) for _ in range(3)]
    polling = f"{served.url}/socket.io/?EIO=4&transport=polling"
    refused = requests.get(polling, timeout=DEADLINE)
    assert (refused.status_code, refused.json()) == (401, "the room is full")
    clients[0].close()
    eventually(lambda: requests.get(polling, timeout=DEADLINE).ok, "room for another client")
    for client in clients[1:]:
        client.close()


def test_bytes_that_are_no_frames_end_the_connection(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    for garbage in (
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        os.urandom(4096),
        bytes([0x81, 0x05]) + b"plain",
    ):
        client = RawClient(served.url)
        client.sock.sendall(garbage)
        client.closing_code()
    assert honest_client_is_served(served.url)
    assert_no_traceback(caplog)


def test_threads_go_when_their_clients_go(served: Served) -> None:
    before = threading.active_count()
    clients = [RawClient(served.url) for _ in range(10)]
    for client in clients[:5]:
        client.send("x")
        client.closing_code()
    for client in clients[5:]:
        client.close()
    # Each client's ping task sleeps out its interval; all other threads end.
    eventually(lambda: threading.active_count() <= before + len(clients) + 1, "the threads' end")


def test_a_bucket_allows_a_burst_and_then_a_rate() -> None:
    now = [0.0]
    bucket = TokenBucket(rate=10, burst=5, clock=lambda: now[0])
    assert bucket.take(5)
    assert not bucket.take()
    now[0] += 0.1
    assert bucket.take()
    assert not bucket.take()
    now[0] += 1000
    assert not bucket.take(6)  # a pause saves up no more than the burst
    assert bucket.take(5)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 20)), max_size=50))
def test_a_bucket_never_allows_more_than_its_burst_and_its_rate(requests: list[tuple[float, int]]) -> None:
    now = [0.0]
    bucket = TokenBucket(rate=3, burst=7, clock=lambda: now[0])
    taken = 0
    for pause, count in requests:
        now[0] += pause
        if bucket.take(count):
            taken += count
        assert taken <= 7 + 3 * now[0] + 1e-6


@given(st.text(max_size=20))
def test_only_what_the_protocol_lets_a_client_send_is_a_packet(text: str) -> None:
    if is_engineio_text(text):
        assert text in ("1", "3", "5", "2probe") or (text[0] == "4" and text[1] in "0123456")


def assert_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
