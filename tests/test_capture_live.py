"""A live capture holds its port's packets, all of them, each once, and no other's."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

import pytest
from scapy.layers.inet import IP, TCP

from utils.capture import bpf, containers, files
from utils.capture.afpacket import ROOM
from utils.capture.live import LiveCapture
from utils.errors import ProcessError
from utils.records import Flag
from utils.streams import reassembly
from utils.streams.overview import bytes_missing

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or sys.platform != "linux",
    reason="reading packets needs a right that this user lacks",
)


class Echo:
    """A TCP server on a free port that gives back what it gets."""

    def __init__(self, family: int = socket.AF_INET) -> None:
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        self._listener = socket.create_server((host, 0), family=family)
        self.address = self._listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.address[1])

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 16):
                    connection.sendall(data)

    def talk(self, data: bytes) -> None:
        with socket.create_connection(self.address) as client:
            exchange(client, data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def exchange(client: socket.socket, data: bytes) -> None:
    """Send it, and get it back."""
    client.sendall(data)
    received = 0
    while received < len(data):
        received += len(client.recv(1 << 20))


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.close()


def capture(port: int, path, work) -> files.Contents:
    live = LiveCapture()
    live.start(port)
    try:
        work()
        counts = live.collect(path)
    finally:
        live.close()
    assert counts.dropped == 0
    contents = files.read(path)
    assert contents.packets == counts.packets and contents.clipped == 0 and contents.ends_early is None
    return contents


def assert_once(path) -> None:
    """Each packet is there once.  A retransmission, which a busy machine may well see, has its own IP id."""
    found = containers.content(path)
    frames = [found.data[start:end] for _, _, start, end, _ in containers.records(found)]
    assert len(frames) == len(set(frames))


def data_bytes(segments) -> int:
    streams = reassembly.Streams()
    chunks = [chunk for segment in segments for _, chunk in streams.add(segment)]
    assert streams.missing == 0
    return sum(chunk.length for chunk in chunks)


def test_several_ports_are_captured_at_once_and_no_other(echo, tmp_path):
    others = Echo(), Echo()
    live = LiveCapture()
    try:
        live.start(echo.port, others[0].port)
        for number, server in enumerate((echo, *others)):
            server.talk(b"to %d" % number)
        live.collect(tmp_path / "x.pcapng")
    finally:
        live.close()
        for server in others:
            server.close()
    said = {segment.payload for segment in files.read(tmp_path / "x.pcapng").segments if segment.payload}
    assert said == {b"to 0", b"to 1"}


@pytest.mark.parametrize("ports", [(), range(1, bpf.MOST_PORTS + 2)])
def test_a_filter_of_no_port_or_of_too_many_is_refused(ports):
    with pytest.raises(ValueError, match="1 to 48 ports"):
        bpf.tcp_ports(ports)


def test_from_the_handshake_to_the_last_byte(echo, tmp_path):
    contents = capture(echo.port, tmp_path / "x.pcapng", lambda: echo.talk(b"hello"))
    assert contents.segments[0].flags & Flag.SYN
    assert [segment.payload for segment in contents.segments if segment.payload] == [b"hello", b"hello"]


def test_twenty_runs_of_large_blobs_lose_double_and_clip_nothing(echo, tmp_path):
    blob = os.urandom(200_000)
    for number in range(20):
        contents = capture(echo.port, tmp_path / f"{number}.pcapng", lambda: echo.talk(blob))
        assert data_bytes(contents.segments) == 2 * len(blob)
        assert_once(tmp_path / f"{number}.pcapng")


def test_twenty_runs_of_small_messages_lose_and_double_nothing(echo, tmp_path):
    words = [b'42["bid",%d]' % number for number in range(200)]

    def work():
        with socket.create_connection(echo.address) as client:
            for word in words:
                exchange(client, word)

    for number in range(20):
        contents = capture(echo.port, tmp_path / f"{number}.pcapng", work)
        for there in (True, False):
            way = [s for s in contents.segments if (s.flow.destination.port == echo.port) is there]
            assert [s.payload for s in way if s.payload] == words


def test_a_true_retransmission_stays(echo, tmp_path):
    """A segment once more, from a raw socket: the capture has both, the stream its bytes once."""

    def collected(name: str) -> list:
        live.collect(tmp_path / name)
        return files.read(tmp_path / name).segments

    live = LiveCapture()
    live.start(echo.port)
    try:
        with socket.create_connection(echo.address) as client:
            exchange(client, b"hello")
            before = collected("before.pcapng")
            (first,) = (s for s in before if s.payload and s.flow.destination.port == echo.port)
            (source, sport), (destination, dport) = first.flow
            header = TCP(sport=sport, dport=dport, seq=first.sequence, ack=first.acknowledgment, flags="PA")
            packet = bytes(IP(src=source, dst=destination) / header / first.payload)
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
                raw.sendto(packet, (destination, 0))
            exchange(client, b"bye")
        segments = [*before, *collected("after.pcapng")]
    finally:
        live.close()
    there = [s for s in segments if s.payload and s.flow.destination.port == echo.port]
    assert [s.payload for s in there] == [b"hello", b"hello", b"bye"]
    assert there[0].sequence == there[1].sequence and there[0].time_ns < there[1].time_ns
    assert data_bytes(segments) == 2 * len(b"hellobye")


def test_no_other_ports_packet_enters(echo, tmp_path):
    other = Echo()
    try:

        def work():
            other.talk(b"a secret")
            echo.talk(b"hello")
            other.talk(b"a secret")

        contents = capture(echo.port, tmp_path / "x.pcapng", work)
    finally:
        other.close()
    assert b"secret" not in (tmp_path / "x.pcapng").read_bytes()
    assert {echo.port in (s.flow.source.port, s.flow.destination.port) for s in contents.segments} == {True}


def test_over_ipv6_too(tmp_path):
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110
        pytest.skip("this machine has no IPv6")
    server = Echo(socket.AF_INET6)
    try:
        contents = capture(server.port, tmp_path / "x.pcapng", lambda: server.talk(b"hello"))
    finally:
        server.close()
    assert [segment.payload for segment in contents.segments if segment.payload] == [b"hello", b"hello"]


def test_stamps_are_the_kernels_and_lie_between_send_and_receive(echo, tmp_path):
    words = [b"%03d" % number for number in range(300)]
    sent, received = {}, {}

    def work():
        with socket.create_connection(echo.address) as client:
            for word in words:
                sent[word] = time.time_ns()
                client.sendall(word)
                assert client.recv(10) == word
                received[word] = time.time_ns()

    contents = capture(echo.port, tmp_path / "x.pcapng", work)
    stamps = {word: [s.time_ns for s in contents.segments if s.payload == word] for word in words}
    for word, (there, back) in stamps.items():
        assert sent[word] <= there <= back <= received[word]
    assert any(segment.time_ns % 1000 for segment in contents.segments)


@pytest.mark.parametrize("run", range(3))
def test_what_the_kernel_had_no_room_for_is_counted_and_told_every_time(echo, tmp_path, run):
    live = LiveCapture()
    live.start(echo.port)
    try:
        with socket.create_connection(echo.address) as client:
            os.kill(live.pid, signal.SIGSTOP)
            try:
                for _ in range(ROOM >> 16):  # and as much comes back: twice the room
                    exchange(client, b"x" * (1 << 16))
            finally:
                os.kill(live.pid, signal.SIGCONT)
            counts = live.collect(tmp_path / "before.pcapng")
            exchange(client, b"hello")
        before = files.read(tmp_path / "before.pcapng").segments
        assert counts.dropped > 0 and len(before) == counts.packets
        # It goes on where there is room again, and counts anew.
        assert live.collect(tmp_path / "after.pcapng").dropped == 0
        after = files.read(tmp_path / "after.pcapng").segments
        assert [segment.payload for segment in after if segment.payload] == [b"hello", b"hello"]
        assert bytes_missing([*before, *after]) > 0
    finally:
        live.close()


def test_stopping_twice_is_stopping_once(echo):
    live = LiveCapture()
    live.stop()
    live.start(echo.port)
    live.stop()
    live.stop()
    live.close()
    live.close()


def payloads(path) -> list[bytes]:
    return [segment.payload for segment in files.read(path).segments if segment.payload]


def test_each_collection_holds_what_came_since_the_last_one(echo, tmp_path):
    live = LiveCapture()
    live.start(echo.port)
    try:
        seen = []
        for word in (b"one", b"two", b"three"):
            echo.talk(word)
            live.collect(tmp_path / "x.pcapng")
            seen.append(payloads(tmp_path / "x.pcapng"))
        assert seen == [[b"one"] * 2, [b"two"] * 2, [b"three"] * 2]
        assert live.collect(tmp_path / "x.pcapng").packets == 0
        assert files.read(tmp_path / "x.pcapng").segments == []
    finally:
        live.close()


def test_one_sniffer_captures_one_port_after_another_and_keeps_nothing_of_the_last(echo, tmp_path):
    other = Echo()
    live = LiveCapture()
    try:
        live.start(echo.port)
        echo.talk(b"a secret")
        live.stop()
        with pytest.raises(ProcessError, match="nothing is being captured"):
            live.collect(tmp_path / "x.pcapng")
        live.start(other.port)
        other.talk(b"hello")
        live.collect(tmp_path / "x.pcapng")
        assert payloads(tmp_path / "x.pcapng") == [b"hello", b"hello"]
    finally:
        live.close()
        other.close()


def test_a_sniffer_that_was_killed_is_started_anew(echo, tmp_path):
    live = LiveCapture()
    try:
        live.start(echo.port)
        os.kill(live.pid, signal.SIGKILL)
        with pytest.raises(ProcessError):
            live.collect(tmp_path / "x.pcapng")
        live.start(echo.port)
        echo.talk(b"hello")
        assert live.collect(tmp_path / "x.pcapng").packets
    finally:
        live.close()


def test_scapys_own_sniff_takes_the_socket(echo):
    """It is a scapy socket like any other."""
    from scapy.sendrecv import AsyncSniffer

    from utils.capture.loopback import LoopbackSocket

    ready = threading.Event()
    payloads: list[bytes] = []

    def there_and_back(packet) -> bool:
        payloads.extend(filter(None, [bytes(packet[TCP].payload)]))
        return len(payloads) == 2

    source = LoopbackSocket(echo.port)
    sniffer = AsyncSniffer(opened_socket=source, started_callback=ready.set, stop_filter=there_and_back)
    sniffer.start()
    assert ready.wait(10)
    echo.talk(b"hello")
    sniffer.join(30)
    source.close()
    assert payloads == [b"hello", b"hello"]
