"""Serving: each trap of the stack with its cure, and back again with its lesson."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
import socketio
import wsproto
from bidders import DEADLINE, RawClient, ask, connect
from conftest import Served

from lab_server import serving
from lab_server.herald import room_of
from lab_server.lessons import Lesson
from lab_server.settings import Limits
from tests.waiting import eventually

Serve = Callable[..., Served]

#: A masked WebSocket Close frame with code 1000 (RFC 6455, 5.5.1), the mask being zero.
CLOSE_FRAME = bytes([0x88, 0x82, 0, 0, 0, 0]) + (1000).to_bytes(2, "big")


def read_to_the_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(4096), b""))


def open_websocket(port: int) -> socket.socket:
    """A TCP connection on which a WebSocket is open and Engine.IO has said OPEN."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    connection.sendall(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
        + f"Host: 127.0.0.1:{port}\r\n".encode()
        + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = b""
    while b"pingInterval" not in answer:
        answer += connection.recv(4096)
    return connection


# ── trap 1: the frames that are left over ────────────────────────────────────


def test_when_a_websocket_has_ended_so_has_its_connection(served: Served) -> None:
    with open_websocket(served.port) as connection:
        connection.sendall(CLOSE_FRAME)
        assert read_to_the_end(connection)[:1] == b"\x88"  # the server's Close, and then the end


def test_a_close_is_answered_every_time(served: Served) -> None:
    """The answer is sent by another thread than the one that ends the connection: they race."""
    for _ in range(40):
        with open_websocket(served.port) as connection:
            connection.sendall(CLOSE_FRAME)
            assert read_to_the_end(connection) == bytes([0x88, 2]) + (1000).to_bytes(2, "big")


def test_frames_after_the_close_are_not_read_as_http(served: Served) -> None:
    with open_websocket(served.port) as connection:
        connection.sendall(CLOSE_FRAME + b"not http\r\n\r\n" * 500)
        with suppress(ConnectionResetError):  # it may not read them at all
            assert b"HTTP" not in read_to_the_end(connection)


def test_the_lesson_reads_what_is_left_over_as_http(serve: Serve) -> None:
    served = serve(lessons=frozenset({Lesson.LEFTOVER_FRAMES}))
    with open_websocket(served.port) as connection:
        connection.sendall(CLOSE_FRAME)
        assert connection.recv(4096)[:1] == b"\x88"
        # The connection is still open: the server waits for another request on it.
        connection.sendall(b"not http\r\n\r\n")
        assert b"400" in read_to_the_end(connection)


# ── trap 3: Nagle's algorithm ────────────────────────────────────────────────


@pytest.mark.parametrize(("lessons", "at_once"), [(frozenset(), True), (frozenset({Lesson.NAGLE}), False)])
def test_small_packets_are_sent_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, lessons: frozenset[Lesson], at_once: bool
) -> None:
    seen = []
    setup = serving.StudyRequestHandler.setup

    def look(handler: serving.StudyRequestHandler) -> None:
        setup(handler)
        seen.append(handler.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(serving.StudyRequestHandler, "setup", look)
    RawClient(serve(lessons=lessons).url).close()
    assert [bool(each) for each in seen] == [at_once]


# ── trap 4: the end of the server ────────────────────────────────────────────


def test_a_server_that_stops_tells_its_clients(serve: Serve) -> None:
    served = serve()
    raw, gone = RawClient(served.url), threading.Event()
    client = socketio.Client(reconnection=False)
    client.on("disconnect", gone.set)
    client.connect(served.url, wait_timeout=DEADLINE)
    served.stop()
    assert raw.receive() == "1"  # Engine.IO's CLOSE
    assert raw.closing_code() == 1000  # and WebSocket's
    assert gone.wait(DEADLINE)
    eventually(lambda: served.connections.count == 0, "nobody to be served any more")
    client.disconnect()


def test_the_lesson_stops_without_a_word(serve: Serve) -> None:
    served = serve(lessons=frozenset({Lesson.ABRUPT_STOP}))
    raw = RawClient(served.url)
    raw.join_namespace()
    served.stop()
    raw.send('427["x"]')
    assert raw.receive().startswith("437")  # the old client is still served, by a server that has stopped
    raw.close()


# ── trap 6: what is emitted while a client connects ──────────────────────────


def test_the_first_packet_is_the_confirmation(served: Served) -> None:
    raw = RawClient(served.url)
    raw.send("40")
    assert raw.receive().startswith("40{")
    raw.close()


def test_the_lesson_emits_before_the_confirmation(serve: Serve) -> None:
    raw = RawClient(serve(lessons=frozenset({Lesson.EARLY_EMIT})).url)
    raw.send("40")
    early = raw.receive()
    assert json.loads(early[2:])[0] == "lots"
    assert raw.receive().startswith("40{")
    raw.close()


# ── limits ───────────────────────────────────────────────────────────────────


def test_a_connection_too_many_is_closed_and_there_is_room_again(serve: Serve) -> None:
    served = serve(limits=Limits(connections=3))
    idle = [socket.create_connection(("127.0.0.1", served.port), timeout=DEADLINE) for _ in range(3)]
    eventually(lambda: served.connections.count == 3)
    with socket.create_connection(("127.0.0.1", served.port), timeout=DEADLINE) as one_more:
        assert one_more.recv(1) == b""
    for connection in idle:
        connection.close()
    eventually(lambda: served.connections.count == 0)
    client = connect(served.url)
    assert ask(client, "lots")["ok"]
    client.disconnect()


def test_a_silent_connection_is_given_up(serve: Serve) -> None:
    served = serve(limits=Limits(silence=0.2))
    with socket.create_connection(("127.0.0.1", served.port), timeout=DEADLINE) as silent:
        assert silent.recv(1) == b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=DEADLINE) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        read_to_the_end(silent)
    with open_websocket(served.port) as silent:
        read_to_the_end(silent)
    eventually(lambda: served.connections.count == 0)


def test_what_waits_for_a_slow_reader_arrives_whole(serve: Serve) -> None:
    """The patience with a connection must not cut what is sent on it (see _give_up_after)."""
    served = serve()
    lot, content = 1, b"\xff\xd8\xff" + bytes(500_000)
    with open_websocket(served.port) as slow:
        slow.sendall(masked("40") + masked('42["join",{"lot":1}]'))
        manager = served.auction.socketio.server.manager
        eventually(lambda: room_of(lot) in manager.rooms.get("/", {}))
        for _ in range(20):  # far more than the system's buffers take
            served.auction.socketio.emit("picture", content, to=room_of(lot))
        served.auction.socketio.emit("the end", to=room_of(lot))
        decoder = wsproto.connection.Connection(wsproto.ConnectionType.CLIENT)
        whole, sizes, parts = False, [], 0
        while not whole:
            data = slow.recv(100_000)
            assert data, f"the server hung up after {sizes}"
            decoder.receive_data(data)
            for event in decoder.events():
                assert isinstance(event, wsproto.events.Message), event
                parts += len(event.data)
                if isinstance(event, wsproto.events.BytesMessage) and event.message_finished:
                    sizes.append(parts)
                if event.message_finished:
                    whole = whole or event.data == '42["the end"]'
                    parts = 0
    assert sizes.count(len(content)) == 20  # beside the lot's own picture


def masked(text: str) -> bytes:
    """A text frame of a client, the mask being zero."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


def test_an_address_in_use_is_an_error(served: Served) -> None:
    with pytest.raises(SystemExit):
        serving.make(served.auction, "127.0.0.1", served.port)


def test_the_connection_closed_by_the_client_leaves_nothing(served: Served) -> None:
    for _ in range(20):
        RawClient(served.url).close()
    eventually(lambda: served.connections.count == 0)
