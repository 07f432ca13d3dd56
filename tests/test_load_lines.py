"""A connection takes what has come in one read, and says so when there is nobody at its other end."""

from __future__ import annotations

import socket

import pytest

from utils.errors import ProcessError
from utils.load import lines
from utils.load.lines import Line


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    with near, far:
        yield Line(near), far


def test_what_is_received_stands_behind_what_was_there(pair):
    line, far = pair
    room = memoryview(bytearray(4))
    far.sendall(b"six or")
    for expected in (b"six ", b"six or"):
        line.receive(room)
        assert line.buffer == expected


def test_what_is_said_arrives_whole(pair):
    line, far = pair
    line.say(b"a bid")
    line.close()
    assert far.makefile("rb").read() == b"a bid"


def test_a_connection_that_ends_or_hangs_is_an_error(pair):
    line, far = pair
    line.socket.settimeout(0.01)
    with pytest.raises(ProcessError, match="hang"):
        line.receive(lines.room())
    far.close()
    with pytest.raises(ProcessError, match="ended a connection"):
        line.receive(lines.room())


def test_a_connection_sends_small_packets_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server, lines.connected(server.getsockname()[1]) as made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_a_server_said_instead_is_told_and_never_at_length():
    told = str(lines.refused(b"\xffno" + b"!" * 1000))
    assert "no!!" in told
    assert "!" * 200 not in told
