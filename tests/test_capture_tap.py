"""The tap's packets carry exactly what the sockets were handed, and say that their headers are made up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.worlds import Process, flow
from utils.capture.tap import LARGEST, segments_from
from utils.records import Flow
from utils.streams.reassembly import Streams

UP = flow(40000)


def handed(process: Process, kind: str, way: Flow, pieces: list[bytes], start: int = 100) -> None:
    from dataclasses import replace

    call = process.call(1, kind, 1, None)
    offset = 0
    for number, piece in enumerate(pieces):
        at = start + 10 * number
        transfer = getattr(process, kind)(1, way, offset, len(piece), at, at + 5, call=call)
        process.transfers[-1] = replace(transfer, data=piece)
        offset += len(piece)


def streams(segments) -> dict[Flow, bytes]:
    found: dict[Flow, bytes] = {}
    reading = Streams()
    for segment in segments:
        for way, chunk in reading.add(segment):
            found[way] = found.get(way, b"") + chunk.data
    assert reading.missing == 0
    return found


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8))
def test_the_sent_bytes_come_out_in_order(pieces):
    client = Process("client")
    handed(client, "send", UP, pieces)
    assert streams(segments_from([client.trace])) == {UP: b"".join(pieces)}


def test_every_segment_says_that_it_is_made_up():
    client = Process("client")
    handed(client, "send", UP, [b"hello"])
    assert all(segment.synthetic for segment in segments_from([client.trace]))


def test_what_an_untraced_peer_sent_is_taken_from_its_receiver():
    client = Process("client")
    handed(client, "send", UP, [b"question"])
    handed(client, "recv", UP.reverse, [b"ans", b"wer"])
    assert streams(segments_from([client.trace])) == {UP: b"question", UP.reverse: b"answer"}


def test_where_both_sides_are_traced_each_byte_comes_once():
    client, server = Process("client"), Process("server")
    handed(client, "send", UP, [b"whole"])
    handed(server, "recv", UP, [b"wh", b"ole"])
    assert streams(segments_from([client.trace, server.trace])) == {UP: b"whole"}


def test_no_stamp_contradicts_the_calls():
    client, server = Process("client"), Process("server")
    handed(client, "send", UP, [b"whole"], start=100)
    handed(server, "recv", UP, [b"whole"], start=50)
    (segment,) = [one for one in segments_from([client.trace, server.trace]) if one.payload]
    assert 100 <= segment.time_ns <= 105


def test_a_large_send_becomes_segments_that_a_loopback_could_carry():
    client = Process("client")
    blob = bytes(3 * LARGEST + 7)
    handed(client, "send", UP, [blob])
    made = segments_from([client.trace])
    assert max(len(segment.payload) for segment in made) == LARGEST
    assert streams(made) == {UP: blob}
