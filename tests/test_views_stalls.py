"""Stalls as a table: four moments a line, and who is proved to have waited."""

from __future__ import annotations

from tests.markup_reader import Reader
from utils.records import Endpoint, Flow
from utils.streams.stalls import Stall
from utils.views.stalls import stalls

FLOW = Flow(Endpoint("127.0.0.1", 80), Endpoint("127.0.0.1", 5000))
MS = 1_000_000


def test_each_moment_counts_from_the_packet_before():
    view = stalls([Stall(FLOW, 96, 5 * MS, 46 * MS, 47 * MS, 6 * MS)], lambda flow: "server → alice")
    assert view.text.splitlines()[0] == (
        "1 packet waited for an acknowledgement, 41.0 ms in the middle; "
        "of 1 the program had handed over the bytes before"
    )
    for cell in ("server → alice", "96", "+1.000 ms", "+41.000 ms", "+42.000 ms"):
        assert cell in view.text and cell in Reader(view.html).text


def test_what_was_not_recorded_is_said():
    assert "not recorded" in stalls([Stall(FLOW, 96, 0, 1, 2)], str).text


def test_none_is_said_too():
    view = stalls([], str)
    assert view.text == "0 packets waited for an acknowledgement"
    assert not Reader(view.html).find("table") and view.text in Reader(view.html).text
