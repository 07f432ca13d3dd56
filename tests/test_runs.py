"""Many segments at once give what they give one by one, however they come and whatever they carry."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traffic import disturbed, said, segments
from tests.wire_bytes import framed
from utils.records import Endpoint, Flag, Flow, Segment
from utils.streams.dissection import messages
from utils.streams.reassembly import Reassembler
from utils.wire.units import Side

PORT = 5000
seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from([0.0, 0.01, 0.1])


def one_by_one(made):
    reassembler = Reassembler(PORT)
    found = [message for segment in made for message in reassembler.add(segment)]
    return sorted(found + reassembler.finish(), key=lambda message: message.last_ns)


def by_columns_too(made):
    """The messages, which both ways have given."""
    columns = messages(made, server_port=PORT)
    told = [(message, message.unit.explain()) for message in columns]
    assert told == [(message, message.unit.explain()) for message in one_by_one(made)]
    return [message for message, _ in told]


class TestBothWays:
    @settings(max_examples=60, deadline=None)
    @given(seeds, st.booleans(), shares, shares, shares)
    def test_give_the_same(self, seed, deflated, fragments, odd, disorder):
        chance = random.Random(seed)
        made = list(segments(said(chance, 150, deflated=deflated, fragments=fragments, odd=odd)))
        by_columns_too(disturbed(chance, made, disorder))

    @settings(max_examples=20, deadline=None)
    @given(seeds, shares)
    def test_of_several_connections_interleaved(self, seed, disorder):
        chance = random.Random(seed)
        made = [
            one
            for client in (50_001, 50_002, 50_003)
            for one in segments(said(chance, 80, deflated=client == 50_002, odd=0.02), client)
        ]
        by_columns_too(disturbed(chance, sorted(made, key=lambda one: one.time_ns), disorder))

    @settings(max_examples=20, deadline=None)
    @given(seeds, st.integers(0, 200))
    def test_of_a_connection_seen_from_its_middle(self, seed, first):
        chance = random.Random(seed)
        made = list(segments(said(chance, 150, deflated=seed % 2 == 0)))
        by_columns_too(made[first:])

    @settings(max_examples=20, deadline=None)
    @given(seeds)
    def test_of_segments_whose_stamps_are_out_of_order(self, seed):
        chance = random.Random(seed)
        made = list(segments(said(chance, 100)))
        by_columns_too([Segment(chance.randrange(10), *fields(one)[1:]) for one in made])

    def test_of_a_port_that_is_used_again(self):
        made = [one for _ in range(2) for one in segments(said(random.Random(2), 60))]
        again = [Segment(one.time_ns, one.flow, (one.sequence + 9) % 2**32, *fields(one)[3:]) for one in made]
        by_columns_too(made + again)

    def test_of_a_port_that_speaks_with_itself(self):
        one = Endpoint("127.0.0.1", PORT)
        made = [Segment(n, Flow(one, one), n, 0, Flag.ACK, b"\x81\x012") for n in range(0, 300, 3)]
        by_columns_too(made)

    def test_of_a_connection_in_which_only_the_server_speaks(self):
        handshake = list(said(random.Random(1), 0))
        told = [(Side.SERVER, framed(f'42["news",{number}]', client=False)) for number in range(60)]
        assert len(by_columns_too(list(segments([*handshake, *told])))) == len(handshake) + 60

    def test_of_a_server_that_speaks_alone(self):
        made = list(segments(said(random.Random(1), 200)))
        opening = [one for one in made if one.flow.destination.port == PORT][:4]
        by_columns_too([*opening, *(one for one in made[8:] if one.flow.source.port == PORT)])

    def test_of_compressed_messages_that_nobody_agreed_on(self):
        made = list(segments(said(random.Random(1), 100)))
        packed = list(segments(said(random.Random(1), 100, deflated=True)))
        by_columns_too(made[:6] + packed[6:])

    def test_of_a_late_segment_before_a_long_run(self):
        made = list(segments(said(random.Random(1), 200)))
        late = made.pop(60)
        by_columns_too([*made[:150], late, *made[150:]])

    def test_of_nothing(self):
        assert messages([], server_port=PORT) == ()

    def test_of_a_single_byte(self):
        flow = Flow(Endpoint("127.0.0.1", 50_001), Endpoint("127.0.0.1", PORT))
        (found,) = by_columns_too([Segment(1, flow, 1, 0, Flag.ACK, b"\x81")])
        assert found.unit.raw == b"\x81"


def fields(one: Segment):
    return one.time_ns, one.flow, one.sequence, one.acknowledgment, one.flags, one.payload


class TestRuns:
    """That the columns are really taken: otherwise everything above would hold without them."""

    @pytest.mark.parametrize("deflated", [False, True])
    def test_almost_no_segment_goes_the_ordinary_way(self, monkeypatch, deflated):
        added = []
        plain = Reassembler.add
        monkeypatch.setattr(Reassembler, "add", lambda self, one: added.append(one) or plain(self, one))
        made = list(segments(said(random.Random(1), 1000, deflated=deflated, fragments=0.02)))
        assert len(messages(made, server_port=PORT)) > 1000
        assert len(added) < 10

    def test_a_lost_segment_costs_only_its_neighbours(self, monkeypatch):
        added = []
        plain = Reassembler.add
        monkeypatch.setattr(Reassembler, "add", lambda self, one: added.append(one) or plain(self, one))
        made = list(segments(said(random.Random(1), 1000)))
        del made[500]
        messages(made, server_port=PORT)
        assert len(added) < 60
