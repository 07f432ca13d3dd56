"""What a run answers from a capture alone: without calls, without a server."""

from __future__ import annotations

import ast

import pytest

from tests.markup_reader import Reader
from utils import lab
from utils.errors import InputError
from utils.run import Run
from utils.views.view import MERMAID

ONE_BID = lab.captures() / "one_bid" / "packets.pcapng"


@pytest.fixture(scope="module")
def run() -> Run:
    return lab.read(ONE_BID)


def test_the_whole_ladder_has_a_rung_for_each_message(run):
    assert str(run.ladder()).count("▶") + str(run.ladder()).count("◀") == len(run.messages)
    source = run.mermaid().rich[MERMAID]
    assert source.count("->>") == len(run.messages) and source.startswith("sequenceDiagram")


def test_an_event_without_calls_is_the_messages_that_carry_it(run):
    carried = run.events("replaced values")
    assert len(carried) == 2
    assert str(run.packets(event="replaced values")).count("event") == 2
    assert run.mermaid("replaced values").rich[MERMAID].count("->>") == 2


def test_a_message_is_named_by_its_event_or_by_its_number(run):
    number = 1 + run.messages.index(run.events("replace old value")[0])
    assert str(run.bytes(number)) == str(run.bytes("replace old value"))
    assert str(run.inspect(number)) == str(run.inspect("replace old value"))


@pytest.mark.parametrize("which", [0, 34, -1, "no such event"])
def test_a_message_that_is_not_there_is_said_to_be_missing(run, which):
    with pytest.raises(InputError):
        run.bytes(which)
    if isinstance(which, str):
        with pytest.raises(InputError, match="replaced values"):
            run.ladder(which)


@pytest.mark.parametrize(
    "path", sorted(lab.captures().glob("*/packets.pcapng")), ids=lambda path: path.parent.name
)
def test_what_the_recordings_depart_from_is_told_and_every_byte_is_explained(path):
    """Today's stack departs from nothing; Werkzeug 2.2 answers inside the WebSocket that has just ended."""
    view = lab.read(path).findings()
    told = str(view)
    if path.parent.name == "upgrade_refused":  # it was played for this
        assert "1 finding " in told and "The Connection field holds Upgrade." in told
        return
    if path.parent.name == "frames":  # written by hand, to be seen
        assert (
            told.startswith("2 findings") and "no mask" in told and "37 fa 21 3d in all of 8 frames" in told
        )
        return
    if path.parent.name != "report_then":
        assert told.startswith("0 findings") and "bytes explained" in told
        return
    # The second client's answer is cut off by the recording's end.
    assert "1 finding " in told and "RFC 6455 §5" in told and "Expected a WebSocket frame." in told
    assert len(Reader(view.html).find("tr")) == 2


@pytest.fixture(scope="module")
def opening() -> Run:
    return lab.replay("opening")


class TestCalls:
    """What a function was handed, and by which line."""

    def test_each_header_of_the_page_has_the_line_that_asked_for_it(self, opening):
        view = opening.calls("send_header", "GET /auctions")
        found = opening.called("BaseHTTPRequestHandler.send_header", "GET /auctions")
        assert str(view).splitlines()[0] == f"BaseHTTPRequestHandler.send_header: {len(found)} calls"
        raw = opening.messages[1].unit.raw
        for call in found:
            name, value = (ast.literal_eval(call.arguments[part]) for part in ("keyword", "value"))
            assert f"{name}: {value}\r\n".encode() in raw

    def test_without_a_journey_all_calls_are_told(self, opening):
        assert len(opening.called("BaseServer.on", "construct")) == 3
        assert len(opening.called("send_header")) == len(opening.called("send_header", "GET /auctions"))

    def test_a_name_is_met_at_its_dots_only(self, opening):
        assert opening.called("header") == []
        with pytest.raises(InputError, match="header was not called in this recording"):
            opening.calls("header")
        with pytest.raises(InputError, match="in the journey 'GET /auctions'"):
            opening.calls("no_such_function", "GET /auctions")

    def test_the_upgrade_is_drawn_and_its_round_trips_counted(self):
        bid = lab.replay("one_bid")
        assert "7 · alice: 5 UPGRADE" in str(bid.upgrade("alice"))
        assert bid.round_trips("alice") == bid.round_trips("bob") == 4
