"""However a stream is cut, shuffled, repeated or overlapped, it comes out the same, or its gaps are told."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.records import Endpoint, Flag, Flow, Segment
from utils.streams.dissection import messages
from utils.streams.overview import bytes_missing
from utils.streams.reassembly import Reassembler, Stream, Streams

CLIENT, SERVER = Endpoint("127.0.0.1", 40000), Endpoint("127.0.0.1", 5000)
UP = Flow(CLIENT, SERVER)
DATA = bytes(random.Random(1).randbytes(400))

seeds = st.integers(0, 2**32 - 1)


def segment(
    offset: int, payload: bytes, *, isn: int = 999, time_ns: int = 0, flags: int = Flag.ACK
) -> Segment:
    return Segment(time_ns, UP, (isn + 1 + offset) % 2**32, 0, flags, payload)


def syn(isn: int = 999) -> Segment:
    return Segment(0, UP, isn, 0, Flag.SYN, b"")


def acknowledged(number: int, time_ns: int = 0, isn: int = 999) -> Segment:
    return Segment(time_ns, UP.reverse, 1, (isn + 1 + number) % 2**32, Flag.ACK, b"")


def cut(chance: random.Random, data: bytes) -> list[tuple[int, bytes]]:
    edges = sorted({0, len(data), *(chance.randrange(len(data)) for _ in range(chance.randint(0, 20)))})
    return [(a, data[a:b]) for a, b in zip(edges, edges[1:], strict=False)]


def stream_of(segments) -> tuple[bytes, int]:
    """The bytes of the client's stream with gaps as question marks, and the count of missing bytes."""
    streams = Streams()
    chunks = [pair for one in segments for pair in streams.add(one)] + list(streams.finish())
    whole = b"".join(
        b"?" * chunk.length if chunk.data is None else chunk.data for flow, chunk in chunks if flow == UP
    )
    ends = [chunk.offset + chunk.length for flow, chunk in chunks if flow == UP]
    starts = [chunk.offset for flow, chunk in chunks if flow == UP]
    assert starts == [0, *ends[:-1]] or not starts  # in order, without gap or overlap
    return whole, streams.missing


class TestOrder:
    @given(seeds, st.integers(0, 2**32 - 1))
    def test_in_any_order_and_across_the_wrap_of_the_sequence_numbers(self, seed, isn):
        chance = random.Random(seed)
        pieces = [segment(at, data, isn=isn) for at, data in cut(chance, DATA)]
        chance.shuffle(pieces)
        assert stream_of([syn(isn), *pieces]) == (DATA, 0)

    @given(seeds)
    def test_retransmitted_and_overlapping(self, seed):
        chance = random.Random(seed)
        pieces = [segment(at, data) for at, data in cut(chance, DATA)]
        for _ in range(10):
            a, b = sorted(chance.sample(range(len(DATA) + 1), 2))
            pieces.append(segment(a, DATA[a:b]))
        chance.shuffle(pieces)
        assert stream_of([syn(), *pieces]) == (DATA, 0)

    def test_of_conflicting_copies_the_first_stands(self):
        assert stream_of([syn(), segment(0, b"first"), segment(0, b"other!")]) == (b"first!", 0)

    def test_the_first_segment_may_come_last(self):
        assert stream_of([syn(), segment(3, b"def"), segment(0, b"abc")]) == (b"abcdef", 0)

    def test_a_keep_alive_probe_adds_nothing(self):
        probe = segment(2, b"\x00")
        assert stream_of([syn(), segment(0, b"abc"), probe, segment(3, b"def")]) == (b"abcdef", 0)

    def test_a_connection_seen_from_its_middle_starts_where_it_was_seen(self):
        assert stream_of([segment(5000, b"abc"), segment(5003, b"def")]) == (b"abcdef", 0)

    def test_a_syn_that_carries_data(self):
        assert stream_of([Segment(0, UP, 7, 0, Flag.SYN, b"abc"), segment(3, b"def", isn=7)]) == (
            b"abcdef",
            0,
        )

    def test_several_connections_do_not_mix(self):
        other = Flow(Endpoint("127.0.0.1", 40001), SERVER)
        streams = Streams()
        segments = [segment(0, b"a"), Segment(0, other, 50, 0, Flag.ACK, b"x"), segment(1, b"b")]
        found = [(flow, chunk.data) for one in segments for flow, chunk in streams.add(one)]
        assert found == [(UP, b"a"), (other, b"x"), (UP, b"b")]


class TestGaps:
    @given(seeds)
    def test_every_lost_byte_is_counted_and_none_is_skipped(self, seed):
        chance = random.Random(seed)
        pieces = cut(chance, DATA)
        lost = {at for at, _ in pieces if chance.random() < 0.3}
        expected = b"".join(b"?" * len(data) if at in lost else data for at, data in pieces)
        kept = [segment(at, data) for at, data in pieces if at not in lost]
        whole, missing = stream_of([syn(), *kept, acknowledged(len(DATA))])
        assert whole == expected
        assert missing == sum(len(data) for at, data in pieces if at in lost)

    def test_what_the_peer_acknowledged_and_we_never_saw_is_missing_at_once(self):
        streams = Streams()
        for one in (syn(), segment(0, b"abc"), segment(6, b"ghi")):
            list(streams.add(one))
        chunks = [(chunk.length, chunk.data) for _, chunk in streams.add(acknowledged(9))]
        assert chunks == [(3, None), (3, b"ghi")]

    def test_what_is_only_late_is_not_missing(self):
        late = [syn(), segment(0, b"abc"), segment(6, b"ghi"), acknowledged(3), segment(3, b"def")]
        assert stream_of(late) == (b"abcdefghi", 0)

    def test_the_acknowledgement_of_a_fin_is_no_missing_byte(self):
        fin = segment(3, b"", flags=Flag.FIN | Flag.ACK)
        assert stream_of([syn(), segment(0, b"abc"), fin, acknowledged(4)]) == (b"abc", 0)
        assert bytes_missing([syn(), segment(0, b"abc"), fin, acknowledged(4)]) == 0


REQUEST = b"GET /auctions HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n"


class TestMessages:
    @given(seeds)
    def test_a_message_has_the_times_of_its_first_and_its_last_byte(self, seed):
        chance = random.Random(seed)
        pieces = cut(chance, REQUEST)
        segments = [segment(at, data, time_ns=100 + number) for number, (at, data) in enumerate(pieces)]
        (message,) = messages([syn(), *segments], server_port=5000)
        assert message.unit.raw == REQUEST
        assert (message.first_ns, message.last_ns) == (100, 99 + len(pieces))

    def test_keep_alive_gives_one_message_for_each_request(self):
        found = messages([syn(), segment(0, REQUEST * 3)], server_port=5000)
        assert [(m.start, m.end) for m in found] == [
            (n * len(REQUEST), (n + 1) * len(REQUEST)) for n in range(3)
        ]

    def test_another_port_is_nobodys_business(self):
        assert messages([syn(), segment(0, REQUEST)], server_port=6000) == ()

    def test_a_port_used_again_is_another_connection(self):
        first = [syn(10), segment(0, REQUEST, isn=10)]
        again = [syn(77777), segment(0, REQUEST, isn=77777)]
        assert [m.start for m in messages([*first, *again], server_port=5000)] == [0, 0]


@pytest.mark.parametrize("count", [2000])
def test_many_pieces_in_reverse_order_come_out_whole(count):
    data = bytes(count)
    pieces = [segment(at, data[at : at + 1]) for at in reversed(range(count))]
    assert stream_of([syn(), *pieces]) == (data, 0)


class TestStreams:
    def test_a_hole_that_nobody_acknowledged_is_a_gap_at_the_end(self):
        assert stream_of([syn(), segment(0, b"abc"), segment(6, b"ghi")]) == (b"abc???ghi", 3)

    def test_a_port_used_again_before_anything_was_said(self):
        reassembler = Reassembler(5000)
        assert reassembler.add(syn(10)) == [] and reassembler.add(syn(77)) == []
        reassembler.add(segment(0, REQUEST, isn=77))
        (message,) = [*reassembler.add(segment(len(REQUEST), b"", isn=77)), *reassembler.finish()] or [None]
        assert message is None or message.unit.raw == REQUEST

    def test_what_was_held_back_when_a_port_is_used_again_is_shown_and_the_hole_before_it_told(self):
        reassembler = Reassembler(5000)
        made = [syn(10), segment(0, REQUEST, isn=10), segment(200, b"late", isn=10), syn(77_777)]
        found = [message for one in made for message in reassembler.add(one)]
        assert [message.unit.raw for message in found] == [REQUEST, b"late"]
        assert reassembler.missing == 200 - len(REQUEST)

    def test_segments_of_another_port_are_passed_over(self):
        assert Reassembler(6000).add(segment(0, REQUEST)) == []

    def test_nothing_in_order_changes_nothing(self):
        stream = Stream()
        stream.extend(np.array([], np.int64), np.array([], np.int64))
        stream.note(np.array([5]))
        assert stream.next == 0 and stream.waits
