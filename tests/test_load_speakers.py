"""The lab's own clients speak to real servers: frames, deflate, polling, and what no server should say."""

from __future__ import annotations

import selectors
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.errors import ProcessError
from utils.load import lines, speakers, texts
from utils.load.subjects import Running
from utils.load.values import Subject, Workload
from utils.wire import websocket


@pytest.fixture(scope="module")
def echo():
    with_port = Running(Subject("scenarios.echo"))
    yield with_port.port
    with_port.stop()


def echoed(port, workload, count=3):
    """What comes back of so many echoes."""
    speaker = speakers.speaker(port, workload)
    heard, room = [], lines.room()
    with selectors.DefaultSelector() as selector:
        speaker.watch(selector)
        for number in range(texts.FIRST, texts.FIRST + count):
            said = texts.request(workload, number, texts.payload(workload.size))
            speaker.say(speaker.prepare(said))
            while len(heard) <= number - texts.FIRST:
                for key, _ in selector.select(30):
                    key.data.receive(room)
                    heard += key.data.messages()
    speaker.close()
    return heard


@pytest.mark.parametrize("size", [0, 10, 125, 126, 65_536, 1_000_000])
@pytest.mark.parametrize(
    "workload",
    [
        Workload("websocket"),
        Workload("websocket", deflate=True),
        Workload("polling"),
        Workload("polling", gzip=False),
    ],
    ids=["frames", "deflated", "polled, gzipped", "polled"],
)
def test_what_was_said_comes_back_whole(echo, workload, size):
    workload = Workload(workload.speaks, size=size, deflate=workload.deflate, gzip=workload.gzip)
    for number, answer in enumerate(echoed(echo, workload), texts.FIRST):
        assert answer == b'43%d["%s"]' % (number, texts.payload(size).encode())


@pytest.mark.parametrize(("kind", "speaks"), [("tcp", "tcp"), ("websocket", "frames")])
def test_the_floors_send_back_the_very_bytes(kind, speaks):
    floor = Running(Subject("scenarios.floors", (kind,)))
    try:
        workload = Workload(speaks, size=100)
        answers = echoed(floor.port, workload)
        assert answers == [
            texts.request(workload, number, texts.payload(100))
            for number in range(texts.FIRST, texts.FIRST + 3)
        ]
    finally:
        floor.stop()


class Scripted:
    """A server that says what it is told to, in pieces, whatever it is asked."""

    def __init__(self, *answers):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(answers,), daemon=True)
        self._thread.start()

    def _serve(self, answers):
        connection, _ = self._listening.accept()
        with connection:
            for answer in answers:
                connection.recv(65_536)
                for place in range(0, len(answer), 7):
                    connection.sendall(answer[place : place + 7])
            if answers[-1]:
                connection.recv(65_536)

    def close(self):
        self._listening.close()
        self._thread.join()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 BAD REQUEST\r\n\r\n", b"HTTP/1.1 101 \r\n\r\n\x81\x0244", b""]
)
def test_a_server_that_will_not_have_us_is_named(answer):
    server = Scripted(answer)
    with pytest.raises(ProcessError, match="does not let itself be measured|ended a connection"):
        speakers.Frames(server.port, socketio=True, deflate=False)
    server.close()


def test_a_heartbeat_is_answered_and_not_heard():
    near, far = socket.socketpair()
    with near, far, selectors.DefaultSelector() as selector:
        speaker = speakers.Frames.__new__(speakers.Frames)
        speaker.socket, speaker.buffer, speaker._parts = near, bytearray(), []
        far.sendall(b"\x81\x012" + b"\x81\x02ab")
        heard = []
        speaker.watch(selector)
        while not heard:
            for key, _ in selector.select(5):
                key.data.receive(lines.room())
                heard += key.data.messages()
        assert heard == [b"ab"]
        first, second, *mask_and_pong = far.recv(100)
        assert (first, second) == (0x81, 0x81)
        assert mask_and_pong[4] ^ mask_and_pong[0] == ord("3")


@given(st.binary(max_size=3000))
def test_a_frame_says_its_size_and_unmasks_to_what_it_was_made_of(payload):
    frame = speakers._frame(0x81, payload)
    found = websocket.parse(frame)
    assert (found.opcode, found.fin, found.end) == (1, True, len(frame))
    assert websocket.unusual(found) == []
    assert websocket.unmask(found.key, frame[-len(payload) :] if payload else b"") == payload
