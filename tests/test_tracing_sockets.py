"""The socket boundary: every byte once, and the program notices nothing."""

from __future__ import annotations

import io
import socket
import threading
import weakref
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.records import Endpoint, Flow, TransferKind
from utils.tracing.collector import Collector

METHODS = (
    "send",
    "sendall",
    "recv",
    "recv_into",
    "accept",
    "connect",
    "connect_ex",
    "listen",
    "shutdown",
    "close",
)
OWN = {name: socket.socket.__dict__.get(name) for name in METHODS}


def is_clean():
    return {name: socket.socket.__dict__.get(name) for name in METHODS} == OWN


@pytest.fixture
def collector():
    collector = Collector("test", roots=[Path(__file__)], tap=True)
    collector.start()
    yield collector
    collector.remove()
    assert is_clean()
    assert collector.take().faults == 0


def connect(family=socket.AF_INET):
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.create_server((host, 0), family=family) as listener:
        near = socket.create_connection(listener.getsockname()[:2], timeout=30)
        far, _ = listener.accept()
    far.settimeout(30)
    return near, far


def of_kind(collector, *kinds):
    return [moved for moved in collector.take().transfers if moved.kind in kinds]


def endpoints(near, far):
    return Endpoint(*near.getsockname()[:2]), Endpoint(*far.getsockname()[:2])


def test_a_connections_life_is_told(collector):
    near, far = connect()
    here, there = endpoints(near, far)
    near.sendall(b"hello")
    assert far.recv(100) == b"hello"
    far.shutdown(socket.SHUT_WR)
    assert near.recv(100) == b""
    near.close()
    far.close()
    told = [
        (moved.kind.value, moved.flow, moved.offset, moved.length) for moved in collector.take().transfers
    ]
    out, back = Flow(here, there), Flow(there, here)
    ours = [fact for fact in told if here in fact[1]]
    assert ours == [
        ("connect", out, 0, 0),
        ("accept", out, 0, 0),
        ("send", out, 0, 5),
        ("recv", out, 0, 5),
        ("shutdown", back, 0, 0),
        ("recv", back, 0, 0),
        ("close", out, 5, 0),
        ("close", back, 0, 0),
    ]
    assert ("listen", Flow(there, Endpoint("", 0)), 0, 0) in told


def test_a_connection_is_open_as_long_as_a_file_made_of_it_is(collector):
    near, far = connect()
    port = far.getsockname()[1]
    file = near.makefile("rb")
    near.close()
    assert not of_kind(collector, TransferKind.CLOSE)
    assert port in collector.open_ports()
    file.close()
    (closed,) = of_kind(collector, TransferKind.CLOSE)
    assert closed.flow.destination.port == port
    assert port not in collector.open_ports()
    far.close()


def test_a_connection_is_served_until_its_threads_have_ended(collector):
    near, far = connect()
    port = near.getsockname()[1]
    answered, gone = threading.Event(), threading.Event()

    def serve():
        far.sendall(b"hello")
        far.close()
        answered.set()
        gone.wait(30)

    thread = threading.Thread(target=serve)
    thread.start()
    assert answered.wait(30)
    assert port in collector.open_ports()
    gone.set()
    thread.join()
    assert port not in collector.open_ports()
    near.close()


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("family", [socket.AF_INET, *([socket.AF_INET6] if has_ipv6() else [])])
def test_both_families(collector, family):
    near, far = connect(family)
    with near, far:
        near.send(b"abc")
        assert far.recv(3) == b"abc"
        (sent,), (received,) = of_kind(collector, TransferKind.SEND), of_kind(collector, TransferKind.RECV)
        assert sent.flow == received.flow == Flow(*endpoints(near, far))


pieces = st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=8)
sizes = st.lists(st.integers(1, 300), min_size=1, max_size=8)


@settings(max_examples=25)
@given(pieces, pieces, sizes, st.booleans())
def test_the_copies_of_a_stream_are_the_stream(out, back, sizes, into):
    """Whatever the sizes of sends and recvs, offsets tile each stream, each way."""
    with Collector("test", tap=True) as collector:
        near, far = connect()
        with near, far:
            flow = Flow(*endpoints(near, far))
            for giver, taker, sent in ((near, far, out), (far, near, back)):
                for number, piece in enumerate(sent):
                    (giver.send if number % 2 else giver.sendall)(piece)
                giver.shutdown(socket.SHUT_WR)
                expected, got, number = b"".join(sent), b"", 0
                while True:
                    size = sizes[number % len(sizes)]
                    number += 1
                    if into:
                        room = bytearray(size)
                        piece = bytes(room[: taker.recv_into(room)])
                    else:
                        piece = taker.recv(size)
                    if not piece:
                        break
                    got += piece
                assert got == expected
        trace = collector.take()
    assert trace.faults == 0
    for direction, stream in ((flow, b"".join(out)), (flow.reverse, b"".join(back))):
        for kind in (TransferKind.SEND, TransferKind.RECV):
            moved = [m for m in trace.transfers if m.kind is kind and m.flow == direction and m.length]
            assert [m.offset for m in moved] == [0, *(m.end for m in moved)][:-1]
            assert b"".join(m.data for m in moved) == stream


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        bytearray(b"bytes"),
        memoryview(b"bytes"),
        memoryview(b"xbytesx")[1:-1],
        memoryview(b"abcdefgh").cast("I"),
    ],
)
def test_anything_that_can_be_sent_is_copied(collector, data):
    near, far = connect()
    with near, far:
        near.sendall(data)
        near.send(data)
        for sent in of_kind(collector, TransferKind.SEND):
            assert sent.data == bytes(data)


def test_a_file_over_the_socket_is_seen_too(collector):
    near, far = connect()
    with near, far, near.makefile("rb") as reader, far.makefile("wb") as writer:
        writer.write(b"one\ntwo\n")
        writer.flush()
        assert reader.readline() == b"one\n"
        (sent,) = of_kind(collector, TransferKind.SEND)
        (received,) = of_kind(collector, TransferKind.RECV)
        assert sent.data == received.data == b"one\ntwo\n"
        assert received.site.code.name == "SocketIO.readinto"
        assert isinstance(reader, io.BufferedReader)


def test_peeking_moves_nothing(collector):
    near, far = connect()
    with near, far:
        near.sendall(b"abc")
        assert far.recv(3, socket.MSG_PEEK) == b"abc"
        room = bytearray(3)
        assert far.recv_into(room, 3, socket.MSG_PEEK) == 3
        assert far.recv_into(room, flags=socket.MSG_PEEK) == 3
        assert not of_kind(collector, TransferKind.RECV)
        assert far.recv(3) == b"abc"
        (received,) = of_kind(collector, TransferKind.RECV)
        assert (received.offset, received.length) == (0, 3)


def test_a_time_out_is_told_and_moves_nothing(collector):
    near, far = connect()
    with near, far:
        near.settimeout(0.01)
        with pytest.raises(TimeoutError):
            near.recv(1)
        near.setblocking(False)
        with pytest.raises(BlockingIOError):
            near.recv_into(bytearray(1))
        first, second = of_kind(collector, TransferKind.RECV)
        assert (first.exception, first.length) == ("TimeoutError", 0)
        assert second.exception == "BlockingIOError"


def test_a_refused_connection_is_told(collector):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with socket.socket() as sock, pytest.raises(ConnectionRefusedError):
        sock.connect(("127.0.0.1", port))
    (tried,) = of_kind(collector, TransferKind.CONNECT)
    assert tried.exception == "ConnectionRefusedError"
    assert tried.flow.destination == Endpoint("127.0.0.1", port)


def test_a_connection_made_without_blocking_counts_from_its_first_byte(collector):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as near:
        near.setblocking(False)
        near.connect_ex(listener.getsockname())
        far, _ = listener.accept()
        near.settimeout(30)
        with far:
            near.sendall(b"abc")
            (sent,) = of_kind(collector, TransferKind.SEND)
            assert (sent.flow, sent.offset, sent.length) == (Flow(*endpoints(near, far)), 0, 3)


def test_a_transfer_names_the_line_and_the_call(collector):
    near, far = connect()
    with near, far:
        speak(near)
        trace = collector.take()
    (sent,) = [moved for moved in trace.transfers if moved.kind is TransferKind.SEND]
    assert sent.site.code.name == "speak"
    assert sent.site.code.filename == __file__
    assert sent.site.line == speak.__code__.co_firstlineno + 1
    assert trace.calls[sent.call].code.name == "speak"
    assert trace.calls[sent.call].enter_ns <= sent.start_ns <= sent.end_ns <= trace.calls[sent.call].leave_ns
    assert trace.threads[sent.thread] == threading.current_thread().name


def speak(sock):
    sock.send(b"x")


def test_a_call_that_is_wrong_fails_as_it_always_did(collector):
    near, far = connect()
    with near, far:
        for wrong in (
            lambda: near.send(),
            lambda: near.send("text"),
            lambda: near.sendall(1),
            lambda: near.recv(),
            lambda: near.recv(-1),
            lambda: near.recv("x"),
            lambda: near.recv_into(b"read-only"),
            lambda: near.recv_into(bytearray(1), nonsense=1),
            lambda: near.connect(),
            lambda: near.shutdown("x"),
            lambda: near.listen("x"),
        ):
            with pytest.raises(Exception) as watched:
                wrong()
            collector.stop()
            with pytest.raises(Exception) as unwatched:
                wrong()
            collector.start()
            assert watched.type is unwatched.type
            assert str(watched.value) == str(unwatched.value)


def test_a_closed_socket_fails_as_it_always_did(collector):
    near, far = connect()
    far.close()
    near.close()
    near.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        near.send(b"x")
    assert len([m for m in of_kind(collector, TransferKind.CLOSE) if m.flow.source.port]) == 2


def test_without_the_tap_no_bytes_are_kept():
    with Collector("test") as collector:
        near, far = connect()
        with near, far:
            near.sendall(b"abc")
            far.recv(3)
        assert {moved.data for moved in collector.take().transfers} == {None}


def test_a_connection_older_than_the_boundary_is_left_out():
    near, far = connect()
    with near, far, Collector("test", tap=True) as collector:
        near.sendall(b"abc")
        assert far.recv(3) == b"abc"
        assert not collector.take().transfers


def test_who_stands_by_counts_what_it_does_not_record():
    collector = Collector("test", tap=True)
    collector.install()
    try:
        near, far = connect()
        with near, far:
            near.sendall(b"before")
            far.recv(6)
            collector.start()
            near.sendall(b"after")
            far.recv(5)
            collector.stop()
            near.sendall(b"later")
        sent, received = collector.take().transfers
        # Of a connection that was there before, the recording's bytes count from its first one.
        assert (sent.offset, sent.data) == (0, b"after")
        assert (received.offset, received.data) == (0, b"after")
        assert not is_clean()
    finally:
        collector.remove()
    assert is_clean()


def test_the_boundary_keeps_no_socket_alive(collector):
    near, far = connect()
    reference = weakref.ref(near)
    near.close()
    far.close()
    del near
    assert reference() is None


def test_what_others_put_over_it_stays():
    collector = Collector("test")
    collector.start()
    ours = socket.socket.send
    theirs = lambda sock, *arguments: ours(sock, *arguments)  # noqa: E731
    socket.socket.send = theirs
    try:
        collector.remove()
        assert socket.socket.send is theirs
        near, far = connect()
        with near, far:
            assert near.send(b"abc") == 3
    finally:
        del socket.socket.send
    assert is_clean()


def test_the_methods_look_like_those_they_stand_for(collector):
    assert socket.socket.send.__name__ == "send"
    assert socket.socket.recv_into.__doc__ == socket.SocketType.recv_into.__doc__


def test_who_sends_first_stands_first_though_another_is_heard_of_before(collector):
    """A thread that has sent waits for its turn to go on; what another sent meanwhile comes behind."""
    near, far = connect()
    here, _ = endpoints(near, far)

    def slow_to_return(sock, data):
        super(socket.socket, sock).sendall(data)
        if data == b"first":
            other = threading.Thread(target=near.send, args=(b"second",))
            other.start()
            other.join()

    collector._boundary._make_sendall(slow_to_return)(near, b"first")
    near.close()
    assert far.makefile("rb").read() == b"firstsecond"
    far.close()
    sent = [moved for moved in of_kind(collector, TransferKind.SEND) if moved.flow.source == here]
    assert {moved.data: moved.offset for moved in sent} == {b"first": 0, b"second": 5}
