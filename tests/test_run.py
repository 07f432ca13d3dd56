"""What a run answers from a capture alone: without calls, without a server."""

from __future__ import annotations

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
    if path.parent.name != "report_then":
        assert told.startswith("0 findings") and "bytes explained" in told
        return
    # The second client's answer is cut off by the recording's end.
    assert "1 finding " in told and "RFC 6455 §5" in told and "Expected a WebSocket frame." in told
    assert len(Reader(view.html).find("tr")) == 2
