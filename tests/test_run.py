"""What a run answers from a capture alone: without calls, without a server."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from tests.markup_reader import Reader
from utils import lab
from utils.errors import InputError
from utils.records import Level, TransferKind
from utils.run import Run
from utils.views.view import MERMAID
from utils.wire.units import Side

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


class TestWrongQuestions:
    """Whatever a notebook asks for wrongly, one error names what there is."""

    @pytest.mark.parametrize("level", ["essential", 0, 4, None])
    def test_a_level_that_is_none_is_answered_with_those_that_are(self, opening, level, tmp_path):
        for ask in (
            lambda: opening.stepper("route", level=level),
            lambda: opening.page("route", tmp_path / "page.html", level=level),
        ):
            with pytest.raises(InputError, match=r"Level\.LIBRARY, Level\.ESSENTIAL, Level\.ALL"):
                ask()
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("at", [0, -1, 10**6])
    def test_a_step_that_is_not_there_is_answered_with_their_number(self, opening, at):
        count = len(opening.journey("route").at(Level.LIBRARY))
        with pytest.raises(InputError, match=f"it has {count} steps"):
            opening.stepper("route", at=at)
        assert opening.stepper("route", at=count)

    @pytest.mark.parametrize("window", [{"start": 0}, {"start": -3}, {"most": -1}])
    def test_no_table_of_packets_begins_before_the_first(self, run, window):
        with pytest.raises(InputError, match="count messages from 1"):
            run.packets(**window)

    def test_a_client_that_is_not_there_is_answered_with_those_that_are(self, run):
        with pytest.raises(InputError, match="alice, bob"):
            lab.replay("one_bid").upgrade("carol")
        with pytest.raises(InputError, match="nobody in it has a name"):
            run.messages_of("alice")


class TestCheck:
    """Every byte is asked of who was traced; of who was not, only how many there were."""

    def test_a_client_that_was_not_traced_is_counted_apart(self):
        recording = lab.replay("one_bid").recording
        alone = Run(replace(recording, traces=(recording.trace("server"),)))
        report = alone.check()
        from_clients = sum(len(m.unit.raw) for m in alone.messages if m.side is Side.CLIENT)
        assert report.whole and report.sent_elsewhere == from_clients
        assert report.received_elsewhere == report.data_bytes - from_clients
        assert f"not traced: who sent {from_clients:,}, who got" in str(report)

    def test_a_traced_end_still_answers_for_each_byte(self):
        recording = lab.replay("one_bid").recording
        server = recording.trace("server")
        sends = [one for one in server.transfers if one.kind is TransferKind.SEND and one.length]
        cut = tuple(one for one in server.transfers if one is not sends[-1])
        alone = Run(replace(recording, traces=(replace(server, transfers=cut),)))
        assert not alone.check().whole

    def test_where_all_were_traced_nobody_is_elsewhere(self):
        report = lab.replay("one_bid").check()
        assert report.whole and not report.sent_elsewhere and not report.received_elsewhere
        assert "not traced" not in str(report)

    def test_where_nobody_was_traced_nothing_is_whole(self, run):
        assert not run.check().whole and "not traced" in str(run.check())
