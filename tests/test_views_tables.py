"""Tables: heard as well as seen, a state in words."""

from __future__ import annotations

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.records import Level, StepKind
from utils.views import markup, tables, text, wording
from utils.views.tables import Check, checks, frames, packets


def test_a_table_has_a_caption_and_header_cells():
    read = Reader(packets(builders.bid_messages(), builders.CLIENTS).html)
    assert len(read.find("table")) == len(read.find("caption")) == 1
    assert len(read.find("th", scope="col")) == 7
    assert read.text.startswith("Packets: 3 messages")


def test_the_packets_table_says_what_the_text_says():
    messages = builders.bid_messages()
    view = packets(messages, builders.CLIENTS)
    said = Reader(view.html).words
    for row in text.packet_rows(messages, builders.CLIENTS):
        assert [cell for cell in row if cell not in said] == []
    assert text.packets_text(messages, builders.CLIENTS) in str(view)


def test_each_time_stands_in_an_element_of_its_own():
    assert len(Reader(packets(builders.bid_messages()).html).find("time")) == 3


def test_what_a_capture_missed_stands_in_the_caption():
    lost = wording.lost(1, 2000)
    view = packets(builders.bid_messages(), lost=lost)
    assert lost == "✗ the capture is not whole: 1 packet dropped, 2,000 bytes lost"
    assert lost in str(view).splitlines()[0] and lost in Reader(view.html).text
    assert wording.lost(0, 0) == "" and "whole" not in str(packets(builders.bid_messages()))


def test_times_count_from_where_they_are_told_to():
    view = packets(builders.bid_messages(), start_ns=builders.START_NS)
    assert "+0.700 ms" in str(view)


def test_no_packets_are_an_empty_table():
    assert str(packets([])).startswith("Packets: 0 messages")


def test_a_check_that_failed_shows_its_remedy():
    view = checks([Check("Python", "3.11", True), Check("capture", "no rights", False, "run as root")])
    assert str(view).splitlines()[1:] == [
        "state   what     found      what to do",
        "✓ ok    Python   3.11",
        "✗ mend  capture  no rights  run as root",
    ]
    assert "run as root" in Reader(view.html).text


def test_where_all_is_well_no_remedy_is_spoken_of():
    view = checks([Check("Python", "3.11", True, "never shown")])
    assert "what to do" not in str(view) + view.html
    assert "never shown" not in str(view) + view.html


def test_frames_are_counted_by_thread_and_library():
    journey = builders.bid_journey()
    view = frames(journey)
    rows = [line.rsplit(maxsplit=1) for line in str(view).splitlines()[2:]]
    calls = sum(step.kind is StepKind.CALL for step in journey.at(Level.ESSENTIAL))
    assert sum(int(number) for _, number in rows) == calls
    assert str(view).startswith(f"Calls: {calls}, in ")
    assert rows[0][0].split() == ["client", "MainThread", "python-socketio"]


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    messages = [builders.hostile_message(payload)]
    journey = builders.hostile_journey(payload)
    views = {
        "packets": (packets, messages, {40001: payload}),
        "checks": (checks, [Check(payload, payload, False, payload)]),
        "frames": (frames, journey),
    }
    plain = {
        "packets": (packets, [builders.hostile_message("x")], {40001: "x"}),
        "checks": (checks, [Check("x", "x", False, "x")]),
        "frames": (frames, builders.hostile_journey("x")),
    }
    for name, (make, *arguments) in views.items():
        view = make(*arguments)
        usual = Reader(plain[name][0](*plain[name][1:]).html)
        read = Reader(view.html)
        assert read.elements == usual.elements
        assert wording.visible(payload).strip() in read.text
        assert all(c == "\n" or wording.visible(c) == c for c in str(view))


def test_a_layers_chip_names_it():
    for message in (builders.http_message(), builders.event_message()):
        read = Reader(tables.html(tables.chip(message.unit.layer)))
        assert read.text == message.unit.layer.value


def test_a_column_without_a_name_has_no_header_that_says_nothing():
    read = Reader(markup.html(tables.table("Changes", ["", "left"], [["=", "a"]])))
    assert len(read.find("th", scope="col")) == 1
    assert len(read.find("td")) == 3
