"""The text view is the truth that the other views are held against."""

from __future__ import annotations

import re

import pytest

from tests import builders, hostile
from utils.records import Level, StepKind
from utils.views import text, wording
from utils.wire.units import Side


def test_a_table_is_aligned_and_ends_no_line_in_a_space():
    drawn = text.table([["a", "1", "x"], ["bbb", "22", ""]], right=frozenset({1}))
    assert drawn == "a     1  x\nbbb  22"
    assert text.table([]) == ""


def test_a_journey_tells_each_thread_and_each_step_in_order():
    journey = builders.bid_journey()
    told = text.journey_text(journey, Level.ALL)
    heading, *lines = told.splitlines()
    assert heading == 'event "replace old value" · 53 steps (all) · live, traced'
    numbers = [int(found[1]) for line in lines if (found := re.match(r" +(\d+)  [+-]\d", line))]
    assert numbers == list(range(1, 54))
    places = [line for line in lines if line and not line.startswith(" ")]
    assert places[:3] == ["client · MainThread", "client · _write_loop", "wire · alice → server"]
    assert places[-1] == "bob · _read_loop"


def test_a_level_shows_fewer_steps_and_says_so():
    told = text.journey_text(builders.bid_journey(), Level.LIBRARY)
    assert "32 of 53 steps (libraries)" in told.splitlines()[0]
    assert "Packet.encode" not in told


def test_a_steps_line_holds_its_time_library_function_and_place():
    journey = builders.bid_journey()
    step = journey.steps[0]
    line = text.journey_text(journey).splitlines()[3]
    columns = re.split(r" {2,}", line.strip())
    library = f"{step.library.name} {step.library.version}"
    assert columns == ["1", "+0.000 ms", "610 µs", library, "Client.emit", wording.file_line(step.excerpt)]


def test_without_times_nothing_measured_is_left():
    journey = builders.bid_journey()
    assert not re.search(r"\d (ns|µs|ms|s)\b", text.journey_text(journey, Level.ALL, times=False))


def test_a_step_is_told_whole():
    journey = builders.bid_journey()
    number = next(n for n, step in enumerate(journey.at(Level.LIBRARY), 1) if step.title == "emit")
    step = journey.at(Level.LIBRARY)[number - 1]
    lines = text.step_text(journey, number).splitlines()
    assert lines[0] == f"Step {number} of 32 · call · server · _handle_event_internal"
    assert lines[1] == "emit"
    assert lines[2] == "at +1.900 ms, took 980 µs"
    assert lines[3] == f"{wording.library(step.library)} ({step.library.licence})"
    assert "  broadcast = True" in lines
    assert step.link.proved and f"  {step.link.url}" in lines
    current = [line for line in lines if line.startswith("  → ")]
    assert [line.split()[1] for line in current] == [str(step.excerpt.current)]


@pytest.mark.parametrize("number", [0, 33])
def test_a_step_that_is_not_there_is_named(number):
    with pytest.raises(IndexError, match=f"step {number} of 32"):
        text.step_text(builders.bid_journey(), number)


def test_an_unproved_link_says_so():
    wire = next(step for step in builders.bid_journey().steps if step.kind is StepKind.WIRE)
    assert text.link_sentence(wire) == "no proved link: read the installed file"


def test_a_message_is_told_byte_by_byte():
    message = builders.event_message("bid", [1], side=Side.SERVER)
    assert text.message_text(message, (2, 9)).splitlines()[:4] == [
        f"{message.unit.summary} · 15 bytes · this step: bytes 2–8",
        "offset  hex                                               text",
        """   0     81 0d[34 32 5b 22 62 69 64]22 2c 5b 31 5d 5d     ··42["bid",[1]]""",
        "",
    ]


def test_each_span_of_a_message_has_a_line_and_the_marked_ones_an_arrow():
    message = builders.event_message("bid", [1], side=Side.SERVER)
    spans = message.unit.explain()
    lines = text.message_text(message, (2, 9)).split("\n\n")[1].splitlines()
    assert len(lines) == len(spans)
    for span, line in zip(spans, lines, strict=True):
        assert span.label in line and span.clause in line and span.layer.value in line
        assert ("→" in line) == (span.start < 9 and span.end > 2)


def test_what_is_hidden_of_a_long_message_is_counted():
    message = builders.event_message(data="x" * 4000, side=Side.SERVER)
    told = text.message_text(message)
    hidden = len(message.unit.raw) - 1024
    assert f"· {hidden:,} bytes not shown" in told.splitlines()[0]
    assert wording.GAP in told


def test_a_fault_is_told_with_what_was_expected():
    message = builders.broken_message()
    fault = message.unit.faults[0]
    where = f"✗ byte {fault.offset} (of all that the server sent, {message.unit.start + fault.offset})"
    assert f"{where}: expected {fault.expected}, got" in text.message_text(message)


def test_packets_stand_one_a_line_by_name():
    lines = text.packets_text(builders.bid_messages(), builders.CLIENTS).splitlines()
    assert lines[0].split() == ["#", "time", "from", "to", "layer", "what", "bytes"]
    assert [line.split()[3:6] for line in lines[1:]] == [
        ["alice", "server", "WebSocket"],
        ["server", "alice", "WebSocket"],
        ["server", "bob", "WebSocket"],
    ]
    assert text.packets_text([]).split() == lines[0].split()


@hostile.each_payload
def test_no_hostile_text_reaches_a_terminal_unescaped(payload):
    journey = builders.hostile_journey(payload)
    messages = [builders.hostile_message(payload)]
    told = [
        text.journey_text(journey),
        text.step_text(journey, 1),
        text.packets_text(messages, {40001: payload}),
    ]
    for one in told:
        assert all(c == "\n" or wording.visible(c) == c for c in one)
    # And none of them breaks a line: a row stays a row.
    assert len(told[2].splitlines()) == 2
    assert wording.visible(payload)[:40] in told[1]
