"""What a recording holds, by name."""

from __future__ import annotations

import pytest

from utils import lab
from utils.errors import InputError
from utils.journeys.causes import KINDS, Called, Causes
from utils.records import Call, Message, Transfer
from utils.tracing.scope import Scope


@pytest.fixture(scope="module")
def run():
    return lab.replay("one_bid")


def test_kinds_pages_and_events_are_named_in_this_order():
    names = lab.replay("opening").journeys
    assert names == ("construct", "route", "on", "serve", "GET /auctions")
    assert lab.replay("answers").journeys[-1] == "picture"


def test_a_name_stands_for_a_message_a_call_or_something_asked_of_a_socket(run):
    opening = lab.replay("opening")
    causes = Causes(opening.recording, opening.messages)
    assert isinstance(causes.find("construct"), Call)
    assert isinstance(causes.find("serve"), Transfer)
    assert isinstance(causes.find("GET /auctions"), Message)
    assert isinstance(causes.find("Flask.dispatch_request"), Call)
    assert isinstance(Causes(run.recording, run.messages).find("upgrade"), list)


def test_a_function_of_the_libraries_own_threads_is_a_journey_from_itself_on():
    run = lab.replay("heartbeat")
    told = run.journey("Socket._send_ping")
    assert told.steps[0].title == "Socket._send_ping"
    assert "Server.sleep" in {step.title for step in told.steps}
    # Of a client's function, the user's own line asked, by the outermost of the calls.
    assert run.journey("Client.connect").steps[0].title == "SimpleClient.connect"


def test_an_unknown_name_is_refused_with_those_that_are_there(run):
    with pytest.raises(InputError, match=r"'heartbeat'.*'open', 'upgrade'.*'replaced values'"):
        run.journey("heartbeat")


def test_every_view_takes_a_journeys_name():
    run = lab.replay("heartbeat")
    for view in (run.packets, run.frames, run.stepper, run.waterfall, run.ladder, run.bytes):
        assert str(view("heartbeat") if view != run.packets else view(event="heartbeat"))
    assert run.check("heartbeat").whole


def test_a_journey_without_bytes_says_so_when_it_is_asked_for_some():
    with pytest.raises(InputError, match="'construct' sends nothing"):
        lab.replay("opening").bytes("construct")


CALLED = [kind for kinds in KINDS.values() for kind in kinds if isinstance(kind, Called)]

#: Where a function stood in the versions of the report, whose sources are kept.
FORMERLY = {Called("flask/scaffold.py", "Scaffold.route"): "Flask:flask/scaffold.py"}


@pytest.mark.parametrize("called", [called for called in CALLED if called not in FORMERLY], ids=str)
def test_each_function_that_a_name_stands_for_exists(called):
    from tests.test_tracing_catalog import names_in, source_of

    assert called.name in names_in(source_of(called.path))
    assert Scope().relative(str(source_of(called.path))) == called.path


def test_a_function_that_stood_elsewhere_is_found_where_it_stood():
    kept = lab.replay("report_then").recording.sources.definitions
    assert set(FORMERLY) <= set(CALLED)
    assert all(called.name in kept[file] for called, file in FORMERLY.items())
