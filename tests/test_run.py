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


def test_the_reference_captures_findings_are_data_after_the_clients_close(run):
    """python-engineio's client closes its WebSocket before its queue is empty; each finding says which frame."""
    told = str(run.findings())
    assert "5 findings" in told and told.count("RFC 6455 §5.5.1") == 5 and "bytes explained" in told
    assert len(Reader(run.findings().html).find("tr")) == 6
