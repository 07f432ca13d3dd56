"""Departures from the protocols, connection by connection, each at its message."""

from __future__ import annotations

from tests import builders
from utils.records import Endpoint
from utils.streams.departures import departures


def no_json(port):
    """An event with a number that JSON does not have, on a connection of its own."""
    return builders.event_message(data={"cents": float("nan")}, client=Endpoint("127.0.0.1", port))


def test_what_keeps_to_the_rules_is_not_told():
    assert departures(builders.bid_messages()) == []


def test_each_is_told_at_its_message_in_the_order_of_time():
    found = departures([no_json(40007), builders.event_message(), no_json(40008)])
    assert [place for place, _ in found] == [0, 2]
    assert all("NaN" in finding.got for _, finding in found)
