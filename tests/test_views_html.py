"""Static HTML: the same facts as the text, and no script, style sheet or foreign markup."""

from __future__ import annotations

import re

import pytest

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.records import Level, StepKind
from utils.views import html, text, wording
from utils.wire.units import Side

#: What the static views are made of; anything else came from data.
ELEMENTS = {"section", "p", "b", "span", "details", "summary", "code", "time", "div", "a", "pre"}
ELEMENTS |= {"table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption"}


@pytest.mark.parametrize("level", Level)
def test_every_step_stands_there_in_order_with_the_words_of_the_text_view(level):
    journey = builders.bid_journey()
    view = html.steps(journey, level)
    read = Reader(view.html)
    shown = journey.at(level)
    assert len(read.find("details")) == len(shown)
    assert text.journey_heading(journey, level) in read.text
    place = 0
    for number, step in enumerate(shown, 1):
        place = read.text.index(f"{number}. {step.title}", place)
        for words in (wording.since(step.since_ns), text.moment(step), step.note):
            assert words in read.text[place:]
    assert str(view) == text.journey_text(journey, level)


def test_each_excerpt_reads_as_in_the_text_and_marks_its_line():
    journey = builders.bid_journey()
    read = Reader(html.steps(journey, Level.ALL).html)
    for step in journey.steps:
        assert "\n".join(text.excerpt_lines(step)) in read.text
    excerpts = [step for step in journey.steps if step.excerpt]
    assert len(re.findall(r"^  → \d+", read.text, re.MULTILINE)) == len(excerpts)


def test_each_proved_link_is_there():
    journey = builders.bid_journey()
    linked = [step.link.url for step in journey.steps if step.link and step.link.url]
    read = Reader(html.steps(journey, Level.ALL).html)
    assert [found["href"] for found in read.find("a")] == linked


def test_a_messages_bytes_are_drawn_once_and_pointed_to_from_elsewhere():
    journey = builders.bid_journey()
    read = Reader(html.steps(journey).html)
    assert len(read.find("figure")) == 3
    wire = next(n for n, s in enumerate(journey.at(Level.LIBRARY), 1) if s.kind is StepKind.WIRE)
    assert f"see step {wire}" in read.text


@pytest.mark.parametrize("mark", [None, (2, 9), (14, 15)])
def test_a_message_shows_the_same_bytes_and_spans_as_the_text(mark):
    message = builders.event_message("bid", [1, "two"], side=Side.SERVER)
    view = html.message(message, mark)
    read = Reader(view.html)
    plain = str(view)
    assert plain == text.message_text(message, mark)
    # The text view's brackets around marked bytes stand where the page has spaces.
    rows = plain.split("\n\n")[0].splitlines()[2:]
    dump = [" ".join((re.sub(r"[][]", " ", row[:57]) + row[57:]).split()) for row in rows]
    drawn = [" ".join(line.split()) for line in read.text.splitlines()]
    assert [row for row in dump if row not in drawn] == []
    for span in message.unit.explain():
        for words in (span.label, span.value, span.meaning, span.clause):
            assert wording.visible(words) in read.text
    marked = [found for found in read.find("span") if "underline" in found.get("style", "")]
    assert bool(marked) == (mark is not None)


def test_a_fault_is_shown():
    message = builders.broken_message()
    assert message.unit.faults[0].expected in Reader(html.message(message).html).text


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    journey, message = builders.hostile_journey(payload), builders.hostile_message(payload)
    usual = Reader(
        html.steps(builders.hostile_journey("x")).html + html.message(builders.hostile_message("x")).html
    )
    read = Reader(html.steps(journey).html + html.message(message).html)
    links = {("a", name) for name in ("", "href", "target", "rel", "style")}
    assert read.forms <= usual.forms | links
    assert {tag for tag, _ in read.elements} <= ELEMENTS
    assert read.open == [] and read.declarations == []
    assert all(found["href"].startswith("https://") for found in read.find("a"))
    assert wording.visible(payload) in read.text
