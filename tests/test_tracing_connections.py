"""Sockets and their connections: known from the first byte, or not at all."""

from __future__ import annotations

import gc
import socket

import pytest

from utils.records import Endpoint, Flow
from utils.tracing.connections import UNKNOWN, Connections, attempt


@pytest.fixture
def pair():
    """A connected TCP pair on the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname()[:2], timeout=30)
        far, _ = listener.accept()
    with near, far:
        yield near, far


def test_a_watched_socket_has_its_connection(pair):
    near, far = pair
    connections = Connections()
    connections.watch(near)
    found = connections.find(near)
    assert found.out == Flow(Endpoint(*near.getsockname()), Endpoint(*far.getsockname()))
    assert found.back == found.out.reverse
    assert connections.find(near) is found


def test_what_was_not_watched_from_its_beginning_is_not_known(pair):
    near, far = pair
    connections = Connections()
    connections.watch(near)
    assert connections.find(far) is None


def test_a_socket_is_found_once_it_is_connected():
    connections = Connections()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as sock:
        connections.watch(sock)
        assert connections.find(sock) is None
        sock.connect(listener.getsockname())
        assert connections.find(sock) is not None
        assert connections.find(listener) is None


def test_a_later_socket_with_the_same_id_is_another():
    connections = Connections()
    seen = set()
    for _ in range(50):
        sock = socket.socket()
        if id(sock) in seen:
            assert connections.find(sock) is None
        seen.add(id(sock))
        connections.watch(sock)
        sock.close()
        del sock
    assert len(seen) < 50  # ids were used again, or this showed nothing


def test_sockets_that_are_gone_are_forgotten():
    connections = Connections()
    kept = [socket.socket() for _ in range(300)]
    for sock in kept:
        connections.watch(sock)
    for sock in kept:
        sock.close()
    del sock, kept
    gc.collect()
    with socket.socket() as one, socket.socket() as another:
        for _ in range(1000):
            connections.watch(one)
            connections.watch(another)
        assert len(connections._watched) <= 512


def test_only_tcp_is_watched():
    connections = Connections()
    others = [{"type": socket.SOCK_DGRAM}]
    if hasattr(socket, "AF_UNIX"):
        others.append({"family": socket.AF_UNIX})
    for other in others:
        with socket.socket(**other) as sock:
            connections.watch(sock)
    assert not connections._watched


def test_an_attempt_tells_whom_it_was_for():
    assert attempt((("127.0.0.1", 9),)) == Flow(UNKNOWN, Endpoint("127.0.0.1", 9))
    assert attempt((("::1", 9, 0, 0),)).destination == Endpoint("::1", 9)
    for nonsense in ((), (None,), ("path",), (("host",),), (("host", "http"),)):
        assert attempt(nonsense) == Flow(UNKNOWN, UNKNOWN)
