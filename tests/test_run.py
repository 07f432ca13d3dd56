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


CLOSED = "After its Close frame a side sends no more data."
PAGE = "Inside a WebSocket there are frames, and nothing else."
HOSTILE = (
    "begins with the event's name",
    "Exceeds the limit",
    "Expected an Engine.IO packet type from 0 to 6.",
)
NO_NUMBER = "NaN, which JSON does not have"

#: What these recordings were played for: how many findings, and words of theirs.
PLAYED_FOR = {
    "upgrade_refused": (1, "The Connection field holds Upgrade."),
    "frames": (2, "no mask", "37 fa 21 3d in all of 8 frames"),
    "lost_events": (0,),
    "broken_close": (2, CLOSED, PAGE),
    "broken_close_cured": (1, CLOSED),
    "hostile_input": (4, *HOSTILE, "500 INTERNAL SERVER ERROR"),
    "hostile_input_cured": (3, *HOSTILE),
    "trusting": (3, NO_NUMBER, "server"),
    "trusting_cured": (1, NO_NUMBER),
    # The second client's answer is cut off by the recording's end.
    "report_then": (1, "RFC 6455 §5", "Expected a WebSocket frame."),
}


@pytest.mark.parametrize(
    "path", sorted(lab.captures().glob("*/packets.pcapng")), ids=lambda path: path.parent.name
)
def test_what_the_recordings_depart_from_is_told_and_every_byte_is_explained(path):
    """Today's stack departs from nothing; Werkzeug 2.2 answers inside the WebSocket that has just ended."""
    several = lab.load(path.parent).recording.meta.services  # a capture file alone does not tell them
    view = (lab.load(path.parent) if several else lab.read(path)).findings()
    told = str(view)
    count, *words = PLAYED_FOR.get(path.parent.name, (0, "bytes explained"))
    assert told.startswith(f"{count} finding{'' if count == 1 else 's'} ")
    assert [word for word in words if word not in told] == []
    assert len(Reader(view.html).find("tr")) == (count + 1 if count else 0)


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
