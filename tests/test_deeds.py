"""What an application did is found, each thing once, with the line that did it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scenarios.plays import PLAYS
from utils import lab
from utils.deeds import border, registered
from utils.deeds.finding import Kind
from utils.errors import InputError
from utils.records import Recording
from utils.run import Run
from utils.wire.units import Side

RECORDINGS = [*(play.name for play in PLAYS), "report_now", "report_then"]


def names(run, kind):
    return [deed.name for deed in run.deeds.told if deed.kind is kind]


@pytest.fixture(scope="module", params=RECORDINGS)
def run(request):
    return lab.replay(request.param)


def test_every_deed_has_a_name_of_its_own_and_a_journey_by_it(run):
    told = run.deeds.told
    assert len({deed.name for deed in told}) == len(told) > 0
    for deed in told:
        assert run.journey(deed.name).steps, deed.name


def test_an_applications_function_is_on_the_way_of_its_deed(run):
    for deed in run.deeds.told:
        if deed.call is not None:
            steps = run.journey(deed.name).steps
            assert any((one.process, one.call) == (deed.call.process, deed.call.id) for one in steps), (
                deed.name
            )


def test_every_event_on_the_wire_is_in_some_deed(run):
    events = {packet.event for _, packet in run.messages.socketio() if packet.event is not None}
    told = {deed.event for deed in run.deeds.told}
    assert events <= told


def test_every_page_is_in_some_deed(run):
    asked = sum(deed.times for deed in run.deeds.told if deed.kind is Kind.PAGE)
    requests = [
        m
        for m in run.messages
        if m.unit.summary.startswith(("GET /", "POST /")) and "EIO=" not in m.unit.summary
    ]
    assert asked == len(requests)


@pytest.fixture(scope="module")
def now():
    return lab.replay("report_now")


class TestTheReportsApplication:
    def test_what_it_registered_is_what_it_says(self, now):
        known = now.deeds.registered
        assert known.seen
        assert [(one.event, one.namespace, one.function) for one in known.handlers] == [
            ("replace old value", "/", "replace_old_value")
        ]
        assert [route.rule for route in known.routes] == ["/auctions"]
        assert now.deeds.handled(known.handlers[0]) and known.routes[0] in now.deeds.asked

    def test_its_four_lines_are_four_deeds(self, now):
        assert names(now, Kind.BUILT) == ["construct", "route", "on", "serve"]
        assert names(now, Kind.PAGE) == ["GET /auctions"]
        assert names(now, Kind.EVENT) == ['event "replace old value"']
        assert names(now, Kind.EMIT) == ['emit "replaced values" in create_app.<locals>.replace_old_value']

    def test_each_is_counted(self, now):
        pages = now.deeds.named("GET /auctions")
        assert pages.times == len([m for m in now.messages if m.unit.summary.startswith("GET /auctions")]) > 1


def test_what_was_registered_and_never_called_is_known():
    deeds = lab.replay("opening").deeds
    lonely = {one.event for one in deeds.registered.handlers if not deeds.handled(one)}
    assert {"bid", "join", "*"} <= lonely
    assert {route.rule for route in deeds.registered.routes} - {route.rule for route in deeds.asked} >= {
        "/healthz"
    }


def test_a_recording_that_began_later_does_not_pretend_to_know():
    assert not lab.replay("one_bid").deeds.registered.seen


def test_an_acknowledgement_is_told_as_one():
    deeds = lab.replay("answers").deeds
    assert "acknowledgement to heard" in {deed.name for deed in deeds.told}


def test_of_messages_that_one_read_brought_each_is_told_as_what_it_led_to():
    run = lab.replay("three_words")
    deed = run.deeds.named('event "say"')
    assert deed.times == 3 and deed.cause == run.events("say", Side.CLIENT)[0]


def test_what_passed_between_two_who_left_no_trace_is_told_where_a_traced_process_met_it():
    run = lab.replay("killed_server")
    deed = run.deeds.named('emit "bids placed" from elsewhere')
    first = run.events("bids placed")[0]
    assert deed.cause != first and run.clients[deed.cause.flow.destination.port] == "alice"
    with pytest.raises(InputError, match="sent or received"):
        run._journeys.of(first)


def test_without_calls_the_wire_alone_is_told():
    run = lab.replay("one_bid")
    bare = Run(replace(run.recording, traces=()))
    told = {deed.name for deed in bare.deeds.told}
    assert {'event "replace old value"', 'emit "replaced values"', "open", "upgrade"} <= told
    assert not any(deed.functions for deed in bare.deeds.told)


def test_an_event_without_a_handler_and_one_from_elsewhere_are_told_as_such():
    run = lab.replay("one_bid")
    # The application's own frames are taken out of the trace: then nobody seen here asked for the broadcast.
    traces = tuple(
        replace(trace, calls=tuple(call for call in trace.calls if "replace_old_value" not in call.code.name))
        for trace in run.recording.traces
    )
    traces = tuple(
        replace(
            trace,
            calls=tuple(
                replace(call, site=None) if call.site and "replace_old_value" in call.site.code.name else call
                for call in trace.calls
            ),
        )
        for trace in traces
    )
    other = Run(Recording(run.recording.meta, run.recording.segments, traces))
    told = {deed.name for deed in other.deeds.told}
    assert {'event "replace old value" without a handler', 'emit "replaced values" from elsewhere'} <= told


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ("/lots/<int:number>", "/lots/7", True),
        ("/lots/<int:number>", "/lots/7/more", False),
        ("/lots/<int(max=3):number>", "/lots/2", True),
        ("/files/<path:name>", "/files/a/b.txt", True),
        ("/a.b", "/axb", False),
        ("/", "/", True),
    ],
)
def test_a_route_is_known_by_its_rule(rule, path, matches):
    assert registered.Route(rule, "", (), None).matches("GET", path) is matches


def test_the_function_of_a_line_is_read_off_the_source(tmp_path):
    file = tmp_path / "shop.py"
    file.write_text("@on('a')\n@also\ndef first(): ...\n\nsocketio.on_event('b', handlers.second)\nx = 1\n")
    found = [registered.function_at(str(file), line) for line in range(1, 7)]
    assert found == ["first", "first", "first", None, "handlers.second", None]
    assert registered.function_at(str(tmp_path / "no.py"), 1) is None


def test_a_cut_or_foreign_argument_is_no_text():
    (trace,) = [trace for trace in lab.replay("report_now").recording.traces if trace.process == "server"]
    call = trace.calls[0]
    assert border.text_argument(replace(call, arguments={"event": "'a'… (9 in all)"}), "event") is None
    assert border.text_argument(replace(call, arguments={"event": "<Thing>"}), "event") is None
    assert border.text_argument(replace(call, arguments={"event": json.dumps("a")}), "event") == "a"
