"""The server's port and what is missing, told from columns as from the segments one by one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traffic import disturbed, said, segments
from utils.records import Endpoint, Flag, Flow, Segment
from utils.streams import overview
from utils.streams.overview import Servers, bytes_missing, servers

CLIENT, SERVER = Endpoint("127.0.0.1", 40_000), Endpoint("127.0.0.1", 5000)
UP = Flow(CLIENT, SERVER)


OTHER = Flow(CLIENT, Endpoint("127.0.0.1", 80))
ASKS = b"GET / HTTP/1.1\r\n\r\n"


def said_on(flow, data, at=1):
    return Segment(at, flow, 2, 0, Flag.ACK, data)


class TestServers:
    def test_they_are_those_that_requests_were_sent_to_the_one_that_is_opened_most_first(self):
        opened = [Segment(0, flow, 1, 0, Flag.SYN, b"") for flow in (OTHER, UP, UP)]
        assert servers([*opened, said_on(OTHER, ASKS), said_on(UP, ASKS)]) == Servers((5000, 80))

    def test_whoever_was_asked_nothing_is_named_among_the_others(self):
        opened = [Segment(0, flow, 1, 0, Flag.SYN, b"") for flow in (UP, UP, OTHER)]
        assert servers([*opened, said_on(OTHER, ASKS)]) == Servers((80,), (5000,))

    def test_without_a_request_it_is_the_one_that_most_connections_were_opened_to(self):
        opened = [Segment(0, flow, 1, 0, Flag.SYN, b"") for flow in (UP, UP, OTHER)]
        assert servers(opened) == Servers((5000,), (80,))

    def test_without_an_opening_the_requests_tell(self):
        made = [said_on(UP.reverse, b"HTTP/1.1 200 OK\r\n\r\n")]
        assert servers([*made, said_on(UP, b"POST / HTTP/1.1\r\n\r\n", at=2)]) == Servers((5000,))

    def test_a_request_of_which_little_was_kept_tells_as_well(self):
        assert servers([said_on(UP.reverse, b"HTTP/1.1 2"), said_on(UP, b"GET /socket.i")]).ports == (5000,)

    @pytest.mark.parametrize("data", [b"GET lost", b"HEADING /x", b"GETTING /it done"])
    def test_what_only_begins_like_a_request_is_none(self, data):
        ends = [Endpoint("127.0.0.1", 40_000 + n) for n in range(3)]
        made = [Segment(0, Flow(SERVER, end), 1, 0, 0, data) for end in ends]
        assert servers(made) == Servers((5000,))

    def test_without_either_it_is_the_port_in_common(self):
        ends = [Endpoint("127.0.0.1", 40_000 + n) for n in range(3)]
        assert servers([Segment(0, Flow(end, SERVER), 1, 0, 0, b"\x81\0") for end in ends]).ports == (5000,)

    def test_of_nothing_there_is_none(self):
        assert servers([]) == Servers(())


class TestMissing:
    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.02, 0.2]), st.integers(0, 60))
    def test_columns_tell_what_the_streams_tell(self, seed, share, first):
        chance = random.Random(seed)
        made = [one for client in (50_001, 50_002) for one in segments(said(chance, 40), client)]
        made = disturbed(chance, made, share)[first:]
        assert bytes_missing(made) == overview._missing(made)

    @pytest.mark.parametrize("last", [1, 2, 3])
    def test_a_lost_end_is_told_by_the_acknowledgement(self, last):
        made = list(segments(said(random.Random(3), 40)))
        lost = [one for one in made if one.payload][-last:]
        kept = [one for one in made if one not in lost]
        tail = [one for one in lost if one.flow == lost[-1].flow]
        missing = sum(len(one.payload) for one in lost)
        ends = [
            Segment(9, one.flow.reverse, 1, (one.sequence + len(one.payload)) % 2**32, Flag.ACK, b"")
            for one in lost
        ]
        assert bytes_missing([*kept, *ends]) == missing and tail

    def test_a_whole_capture_is_judged_by_its_columns(self, monkeypatch):
        monkeypatch.setattr(overview, "_missing", lambda made: pytest.fail("one by one"))
        assert bytes_missing(segments(said(random.Random(1), 100))) == 0


def test_what_is_missing_is_counted_over_all_connections_between_two_ports():
    flow = Flow(Endpoint("127.0.0.1", 40001), Endpoint("127.0.0.1", 5000))
    ack = int(Flag.ACK)
    made = [
        Segment(1, flow, 9, 0, Flag.SYN, b""),
        Segment(2, flow, 10, 0, ack, b"abc"),
        Segment(3, flow, 20, 0, ack, b"def"),
        Segment(4, flow, 7009, 0, Flag.SYN, b""),
        Segment(5, flow, 7010, 0, ack, b"abc"),
        Segment(6, flow, 7015, 0, ack, b"def"),
    ]
    assert bytes_missing(made) == 7 + 2
