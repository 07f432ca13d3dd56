"""Whoever listens hears all bytes of the sockets, recorded or not, once; and what found no room is counted."""

from __future__ import annotations

import socket
import threading

from utils.capture.tap import Tap
from utils.records import Endpoint, Flow, TransferKind
from utils.streams.overview import bytes_missing
from utils.streams.reassembly import Streams
from utils.tracing import overhearing
from utils.tracing.collector import Collector
from utils.tracing.overhearing import Heard, Overhearing, overheard

WAY = Flow(Endpoint("127.0.0.1", 40001), Endpoint("127.0.0.1", 5000))


def talk(words) -> None:
    """A client and a server in this process: each word goes there, and comes back."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for word in words:
                connection.sendall(connection.recv(len(word)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        with socket.create_connection(listener.getsockname()) as client:
            for word in words:
                client.sendall(word)
                assert client.recv(len(word)) == word
        server.join()


def test_it_hears_while_nothing_is_recorded_and_stops_when_told():
    collector = Collector("here")
    collector.install()
    try:
        talk([b"before"])
        collector.listen()
        talk([b"one", b"two"])
        found, dropped = collector.heard()
        # Two threads tell: whose call of a word and its answer comes back first is chance.
        assert sorted(one.data for one in found if one.sent) == [b"one", b"one", b"two", b"two"]
        assert sorted(one.data for one in found if not one.sent) == [b"one", b"one", b"two", b"two"]
        assert dropped == 0 and collector.heard() == ([], 0)
        collector.hear_no_more()
        talk([b"after"])
        assert collector.heard() == ([], 0)
        assert collector.take().transfers == ()
    finally:
        collector.remove()


def test_what_is_heard_bit_by_bit_makes_whole_streams():
    collector = Collector("here")
    collector.install()
    tap, streams, got = Tap(), Streams(), {}
    words = [b"%d" % number for number in range(50)]
    try:
        collector.listen()
        for _ in range(3):
            talk(words)
            found, _ = collector.heard()
            sent = [one for one in overheard("here", found).transfers if one.kind is TransferKind.SEND]
            for segment in tap.segments(sent):
                assert segment.synthetic
                for flow, chunk in streams.add(segment):
                    got[flow] = got.get(flow, b"") + chunk.data
    finally:
        collector.remove()
    assert list(got.values()) == [b"".join(words)] * 6 and streams.missing == 0


def test_what_finds_no_room_is_counted(monkeypatch):
    monkeypatch.setattr(overhearing, "ROOM", 10)
    heard = Overhearing()
    for data in (b"12345", b"12345", b"1"):
        heard.hear(Heard(WAY, True, 0, 1, data))
    found, dropped = heard.take()
    assert [one.data for one in found] == [b"12345", b"12345"] and dropped == 1
    heard.hear(Heard(WAY, True, 11, 1, b"1"))
    found, dropped = heard.take()
    assert len(found) == 1 and dropped == 0


def test_a_flow_heard_from_its_middle_on_lacks_nothing():
    tap = Tap()
    heard = [Heard(WAY, True, 100, 1, b"abc"), Heard(WAY, True, 103, 2, b"def")]
    segments = list(tap.segments(overheard("x", heard).transfers))
    assert [segment.payload for segment in segments] == [b"abc", b"def"]
    assert bytes_missing(segments) == 0


def test_the_same_ports_again_are_another_connection():
    streams, got = Streams(), []
    heard = [Heard(WAY, True, 0, 1, b"abc"), Heard(WAY, True, 0, 2, b"def")]
    for segment in Tap().segments(overheard("x", heard).transfers):
        if streams.begins_anew(segment):
            streams.forget(segment.flow)
        got += [chunk.data for _, chunk in streams.add(segment)]
    assert got == [b"abc", b"def"]
