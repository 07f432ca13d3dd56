"""The messages of a capture, looked at one by one, in slices, and as Socket.IO packets only."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traffic import disturbed, said, segments
from utils.streams.dissection import messages

PORT = 5000


def made_of(seed: int, **options):
    return messages(segments(said(random.Random(seed), 300, **options)), server_port=PORT)


@pytest.mark.parametrize("deflated", [False, True])
def test_every_way_of_looking_shows_the_same(deflated):
    found = made_of(1, deflated=deflated, fragments=0.05, odd=0.05)
    whole = list(found)
    assert whole == [found[place] for place in range(len(found))] == list(found[:])
    assert list(found[10:20:3]) == whole[10:20:3] and found[-1] == whole[-1]
    assert found == tuple(whole) and found != whole[1:]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.0, 0.1]))
def test_the_packets_are_those_of_the_units(seed, deflated, share):
    chance = random.Random(seed)
    made = list(segments(said(chance, 200, deflated=deflated, fragments=0.05, odd=0.1)))
    found = messages(disturbed(chance, made, share), server_port=PORT)
    units = [
        (place, packet.socketio)
        for place, message in enumerate(found)
        for packet in message.unit.packets
        if packet.socketio is not None
    ]
    assert repr(list(found.socketio())) == repr(units)  # so that NaN equals NaN


def test_what_is_looked_at_is_not_kept():
    found = made_of(1)
    assert found[200] == found[200] and found[200] is not found[200]


def test_they_are_no_other_thing():
    found = made_of(1)
    assert found != 5 and repr(found) == f"<{len(found)} messages>"


def test_the_first_message_of_each_flow_is_found():
    made = [one for client in (50_001, 50_002) for one in segments(said(random.Random(1), 60), client)]
    found = messages(sorted(made, key=lambda one: one.time_ns), server_port=PORT)
    first = {}
    for message in found:
        first.setdefault(message.flow, message)
    assert found.first_of_each_flow() == list(first.values())
