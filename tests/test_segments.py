"""Segments as columns are the segments that they were made of, in every way of looking."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.traffic import said, segments
from utils.records import Endpoint, Flag, Flow, Segment
from utils.streams.segments import Segments

ends = st.builds(Endpoint, st.sampled_from(["127.0.0.1", "::1"]), st.integers(0, 65535))
some = st.lists(
    st.builds(
        Segment,
        st.integers(0, 2**63 - 1),
        st.builds(Flow, ends, ends),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 255),
        st.binary(max_size=20),
    ),
    max_size=12,
)


@given(some)
def test_what_goes_in_comes_out(made):
    columns = Segments.of(made)
    assert list(columns) == made == [columns[place] for place in range(len(made))]
    assert columns == made and columns[2:5] == made[2:5] and Segments.of(columns) is columns


@given(some)
def test_by_time_those_of_one_stamp_stay_as_they_were(made):
    assert list(Segments.of(made).by_time()) == sorted(made, key=lambda one: one.time_ns)


@given(some, st.integers(0, 65535))
def test_each_connection_to_a_port_is_given_once_whole_and_in_order(made, port):
    columns = Segments.of(made)
    connections = [[made[place] for place in places.tolist()] for places in columns.connections({port})]
    wanted = [one for one in made if port in (one.flow.source.port, one.flow.destination.port)]
    assert sorted(one.time_ns for found in connections for one in found) == sorted(
        one.time_ns for one in wanted
    )
    for found in connections:
        assert len({frozenset(one.flow) for one in found}) == 1
        assert found == [one for one in made if frozenset(one.flow) == frozenset(found[0].flow)]


def test_what_the_tap_made_up_stays_marked():
    flow = Flow(Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2))
    (one,) = Segments.of([Segment(1, flow, 2, 3, Flag.PSH, b"x", True)])
    assert one.synthetic


def test_a_segment_costs_forty_bytes_beside_its_payload():
    made = list(segments(said(random.Random(1), 1000)))
    columns = Segments.of(made)
    assert columns.rows.nbytes == 40 * len(made)
    assert len(columns.data) == sum(len(one.payload) for one in made)


def test_they_are_no_other_thing():
    found = Segments.of(segments(said(random.Random(1), 10)))
    assert found != 5 and repr(found) == f"<{len(found)} segments of 2 flows>"
