"""Where a process listens is told before it does, and whoever lets it go may connect at once."""

from __future__ import annotations

import socket
import threading

import pytest

from utils.tracing.arrivals import Arrivals
from utils.tracing.listening import Listening


@pytest.fixture
def turn():
    """When the application's thread has its turn."""
    return threading.Event()


@pytest.fixture
def listening(monkeypatch, turn):
    """Holds an application whose system takes its time between the go and the call."""
    original = socket.socket.listen

    def listen(sock, *arguments):
        turn.wait()
        return original(sock, *arguments)

    monkeypatch.setattr(socket.socket, "listen", listen)
    return Listening(Arrivals(), hold=True)


@pytest.fixture
def server(turn):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound
        turn.set()


def started(target):
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def test_it_is_told_before_and_does_not_listen_yet(listening, server, turn):
    application = started(server.listen)
    port = listening.wait()
    assert port == server.getsockname()[1]
    turn.set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    listening.go()
    application.join()


def test_whoever_lets_it_go_is_never_refused(listening, server, turn):
    application = started(server.listen)
    port = listening.wait()
    going = started(listening.go)
    going.join(0.05)
    assert going.is_alive(), "it was let go, and does not listen yet"
    turn.set()
    going.join()
    socket.create_connection(("127.0.0.1", port)).close()
    application.join()


def test_one_that_cannot_listen_keeps_nobody_waiting(listening, server, turn):
    def fail():
        with pytest.raises(TypeError):
            server.listen("not a number")

    application = started(fail)
    listening.wait()
    turn.set()
    listening.go()
    application.join()
