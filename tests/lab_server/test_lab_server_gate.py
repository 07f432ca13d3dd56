"""The gate: whom the server answers by which name, and what an HTTP request may hold."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from bidders import DEADLINE
from conftest import Served
from engineio.payload import Payload

from lab_server.lessons import Lesson
from lab_server.settings import Limits
from tests.waiting import eventually

POLLING = "/socket.io/?EIO=4&transport=polling"


def request(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    """Status and body; ``headers`` override http.client's own, and underscores stand for hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None and "Content_Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Polling:
    """A client that polls, request by request."""

    def __init__(self, port: int) -> None:
        self.port = port
        status, body = request(port, "GET", POLLING)
        assert status == 200
        self.path = POLLING + "&sid=" + json.loads(body[1:])["sid"]

    def post(self, body: bytes, **headers: str) -> int:
        """The status of a POST."""
        return request(self.port, "POST", self.path, body, **headers)[0]

    def get(self) -> list[str]:
        """The packets of the next poll."""
        return request(self.port, "GET", self.path)[1].decode().split("\x1e")

    def get_until(self, count: int) -> list[str]:
        """Poll until so many packets have come; pings are passed over."""
        packets: list[str] = []
        while len(packets) < count:
            packets += [packet for packet in self.get() if packet != "2"]
        return packets


@pytest.mark.parametrize("path", ["/", "/auctions", "/healthz", "/lots", POLLING])
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:{port}", "", "a b", "é"]
)
def test_the_server_answers_only_to_its_own_names(served: Served, path: str, host: str) -> None:
    status, _ = request(
        served.port, "GET", path, Host=host.format(port=served.port).encode().decode("latin-1")
    )
    assert status == 400


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"]
)
def test_its_own_names_are_those_of_this_machine(served: Served, host: str) -> None:
    assert request(served.port, "GET", "/healthz", Host=host.format(port=served.port))[0] == 200


def test_another_name_can_be_given(serve: Callable[..., Served]) -> None:
    served = serve(allowed_hosts=("lab.example",))
    assert request(served.port, "GET", "/healthz", Host="lab.example")[0] == 200
    assert request(served.port, "GET", "/healthz", Host="127.0.0.1")[0] == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 200),
        ("http://127.0.0.1", 400),
        ("http://localhost:{port}", 400),
        ("https://127.0.0.1:{port}", 400),
        ("http://evil.example", 400),
        ("http://127.0.0.1:{port}.evil.example", 400),
        ("null", 400),
    ],
)
def test_a_page_of_another_origin_may_not_connect(served: Served, origin: str, status: int) -> None:
    assert request(served.port, "GET", POLLING, Origin=origin.format(port=served.port))[0] == status


def test_a_forwarded_host_is_not_believed(served: Served) -> None:
    headers = {
        "Origin": "http://evil.example",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Proto": "http",
    }
    assert request(served.port, "GET", POLLING, **headers)[0] == 400


def test_a_foreign_origin_with_a_matching_foreign_host_is_refused(served: Served) -> None:
    assert request(served.port, "GET", POLLING, Origin="http://evil.example", Host="evil.example")[0] == 400


def test_another_origin_can_be_allowed(serve: Callable[..., Served]) -> None:
    served = serve(allowed_origins=("https://lab.example",))
    assert request(served.port, "GET", POLLING, Origin="https://lab.example")[0] == 200
    assert request(served.port, "GET", POLLING, Origin="http://lab.example")[0] == 400


# ── trap 7: what Engine.IO would hang on, or drop ────────────────────────────


def asking(first: int, count: int) -> bytes:
    """A payload of so many events, each with an id to be answered."""
    return "\x1e".join(f'42{first + number}["lots",{{}}]' for number in range(count)).encode()


def answered(packets: list[str]) -> set[int]:
    return {int(packet[2:].partition("[")[0]) for packet in packets if packet.startswith("43")}


def test_forty_packets_in_one_post_all_arrive(served: Served) -> None:
    client = Polling(served.port)
    assert client.post(b"40") == 200
    assert client.get()[0].startswith("40{")
    assert client.post(asking(0, 40)) == 200
    assert answered(client.get_until(40)) == set(range(40))


def test_the_lesson_loses_seventeen_packets_and_says_ok(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Payload, "max_decode_packets", 16)  # as the library has it
    client = Polling(serve(lessons=frozenset({Lesson.UNGUARDED})).port)
    assert client.post(b"40") == 200
    client.get()
    assert client.post(asking(0, 17)) == 200  # so it says
    assert client.post(asking(99, 1)) == 200
    assert answered(client.get_until(1)) == {99}


def test_an_oversized_post_is_answered_at_once(serve: Callable[..., Served]) -> None:
    served = serve(limits=Limits(message_bytes=1000))
    client = Polling(served.port)
    assert client.post(b"4" * 1001) == 413
    # Its sender is dismissed, and knows; the next client is served.
    assert request(served.port, "GET", client.path)[0] == 400
    Polling(served.port)


def test_the_lesson_leaves_an_oversized_post_hanging(serve: Callable[..., Served]) -> None:
    import threading

    served = serve(lessons=frozenset({Lesson.UNGUARDED}), limits=Limits(message_bytes=1000))
    client = Polling(served.port)
    outcome: list[int] = []
    thread = threading.Thread(target=lambda: outcome.append(client.post(b"4" * 1001)))
    thread.start()
    (connection,) = served.auction.socketio.server.eio.sockets.values()
    eventually(lambda: connection.closed)
    assert outcome == []  # the server has decided, and does not say so
    connection.queue.get_nowait()
    connection.queue.task_done()
    connection.queue.get_nowait()
    connection.queue.task_done()  # only when the packets under way have been taken ...
    thread.join(DEADLINE)
    assert outcome == [400]  # ... is there an answer


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {"Content_Length": ""}, 411),
        (b"", {"Content_Length": "-5"}, 411),
        (b"", {"Content_Length": "abc"}, 411),
        (b"", {"Content_Length": "9" * 5000}, 413),
        (None, {"Transfer_Encoding": "chunked"}, 411),
        (b"\xff\xfe", {}, 400),
        (b"", {}, 400),
        (b"x", {}, 400),
        (b"40\x1e", {}, 400),
        (b"40\x1ex", {}, 400),
        (b"b!", {}, 400),
        (b"bAAA", {}, 400),
        (b"bAAAA", {}, 200),
        (b"d=40", {}, 400),
        (b"\x1e".join([b"3"] * 129), {}, 413),
        (b"4[[[[", {}, 400),
    ],
)
def test_a_post_is_checked(
    served: Served,
    body: bytes | None,
    headers: dict[str, str],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Polling(served.port)
    assert request(served.port, "POST", client.path, body, **headers)[0] == status
    assert_no_traceback(caplog)


def test_who_posts_too_much_is_refused(serve: Callable[..., Served]) -> None:
    served = serve(limits=Limits(packets_per_second=0.001, burst=10))
    client = Polling(served.port)
    assert client.post(b"\x1e".join([b"3"] * 10)) == 200
    assert client.post(b"3") == 429


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec_WebSocket_Version": "13"},
        {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec_WebSocket_Version": "8"},
        {
            "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec_WebSocket_Version": "13",
            "Connection": "close",
        },
    ],
)
def test_a_broken_handshake_is_answered_without_a_traceback(
    served: Served, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    path = "/socket.io/?EIO=4&transport=websocket"
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", **headers}
    status, body = request(served.port, "GET", path, **headers)
    assert 400 <= status < 500
    assert b"Traceback" not in body
    assert_no_traceback(caplog)


@pytest.mark.parametrize(
    "path",
    [
        "/socket.io/",
        "/socket.io/?EIO=3&transport=polling",
        "/socket.io/?EIO=4&transport=carrier-pigeon",
        "/socket.io/?EIO=4&transport=polling&sid=nobody",
        "/socket.io/?EIO=4&transport=polling&j=x",
        "/socket.io/?EIO=4&transport=websocket",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_requests_out_of_order_are_refused(
    served: Served, method: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, _ = request(served.port, method, path, b"40" if method == "POST" else None)
    assert status in (400, 405)


def test_a_request_that_is_none_is_refused(served: Served) -> None:
    for garbage in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"A" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=DEADLINE) as connection:
            connection.sendall(garbage)
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
            assert b"Error code: 4" in answer


def assert_no_traceback(caplog: pytest.LogCaptureFixture) -> Any:
    assert [
        record for record in caplog.records if record.exc_info or "Traceback" in record.getMessage()
    ] == []
    assert [record for record in caplog.records if record.levelno > logging.ERROR] == []
