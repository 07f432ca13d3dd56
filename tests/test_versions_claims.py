"""The report's claims are computed: true in its own versions where it read the source, and nowhere by decree."""

from __future__ import annotations

import pytest

from utils import lab
from utils.errors import InputError
from utils.versions.claims import CLAIMS, EVENT, Evidence


def evidence(name):
    run = lab.replay(name)
    return Evidence.of(run.recording, run.messages, run.journey(EVENT))


@pytest.fixture(scope="module")
def then():
    return {claim.said: claim.check(evidence("report_then")) for claim in CLAIMS}


@pytest.fixture(scope="module")
def now():
    return {claim.said: claim.check(evidence("report_now")) for claim in CLAIMS}


PLACES = [claim.said for claim in CLAIMS if " on line " in claim.said]


@pytest.mark.parametrize("said", PLACES)
def test_each_line_number_is_right_in_the_reports_versions_and_wrong_in_todays(then, now, said):
    assert then[said].holds
    assert not now[said].holds
    assert "lines" in now[said].found


def test_what_the_report_took_for_something_else(then, now):
    for found in (then, now):
        assert not found["socketio.on() is a class"].holds
        assert "method" in found["socketio.on() is a class"].found
        assert not found["emit(...) in the handler is that method"].holds
        assert not found["a page begins with the WebSocket handshake"].holds
        assert "transport=polling" in found["a page begins with the WebSocket handshake"].found
        assert not found["Flask, which the title names, has it too"].holds


def test_what_holds_in_both(then, now):
    for found in (then, now):
        assert found["SocketIO is a class"].holds
        assert found["it sends to every connected client"] == (True, "sent to 2 of 2 connected")


def test_each_claim_is_told_apart():
    assert len({claim.said for claim in CLAIMS}) == len(CLAIMS) == 11
    assert len(PLACES) == 4


def test_a_section_of_the_report_can_be_asked_for_alone():
    whole, on = (str(lab.claims("report_now", about=about)) for about in (None, "on"))
    assert [claim.said for claim in CLAIMS if f"\n{claim.said}\n" in on] == [
        claim.said for claim in CLAIMS if claim.about == "on"
    ]
    assert all(f"\n{claim.said}\n" in whole for claim in CLAIMS)
    with pytest.raises(InputError, match="no section about 'join'"):
        lab.claims("report_now", about="join")


def test_a_recording_without_sources_is_refused():
    run = lab.replay("one_bid")
    with pytest.raises(InputError, match="keeps no sources"):
        Evidence.of(run.recording, run.messages, run.journey(run.first_event()))
