"""Requests are equally long, tell their number, and are what a server expects."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from utils.load import standard, texts
from utils.load.values import Workload


@given(st.integers(texts.FIRST, 99_999_999))
def test_a_request_is_an_event_that_asks_for_an_acknowledgement_with_its_number(number):
    said = texts.request(Workload(size=7), number, texts.payload(7))
    event, argument = json.loads(said[10:])
    assert said[:2] == b"42" and int(said[2:10]) == number
    assert (event, len(argument)) == ("echo", 7)


def test_bids_outbid_each_other_in_turn_and_are_equally_long():
    said = [texts.request(standard.BIDS, number, "") for number in range(texts.FIRST, texts.FIRST + 10)]
    bids = [json.loads(one[10:])[1] for one in said]
    assert len({bid["id"] for bid in bids}) == len(bids)
    assert all(later["cents"] > bid["cents"] for bid, later in pairwise(bids))
    assert all(later["bidder"] != bid["bidder"] for bid, later in pairwise(bids))


@given(st.integers(0, 5000), st.integers(0, 9))
def test_a_payload_is_as_long_as_asked_and_the_same_for_the_same_seed(size, seed):
    text = texts.payload(size, seed)
    assert len(text.encode()) == size
    assert text == texts.payload(size, seed)
    assert json.loads(f'"{text}"') == text


def test_a_greeting_may_go_without_an_acknowledgement():
    assert texts.event("join", '{"lot":1}') == b'42["join",{"lot":1}]'
