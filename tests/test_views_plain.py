"""What the page is handed: JSON, worded as the text view words it, and nothing of this machine."""

from __future__ import annotations

import json

import pytest

from tests import builders, hostile
from utils.records import Level
from utils.views import text, wording
from utils.views.plain import journey_json


@pytest.fixture(scope="module")
def journey():
    return builders.bid_journey()


@pytest.fixture(scope="module")
def handed(journey):
    return json.loads(json.dumps(journey_json(journey)))


def test_every_step_is_there_with_its_level(journey, handed):
    assert [step["level"] for step in handed["steps"]] == [int(step.level) for step in journey.steps]
    assert [level["count"] for level in handed["levels"]] == [len(journey.at(level)) for level in Level]


def test_each_steps_words_are_those_of_the_text_view(journey, handed):
    for number, made in enumerate(handed["steps"], 1):
        told = text.step_text(journey, number, Level.ALL)
        for words in (made["kind"], made["place"], made["title"], made["moment"], made["note"]):
            assert words in told
        if made["library"] is not None:
            library = handed["libraries"][made["library"]]
            assert f"{library['label']} ({library['licence']})" in told
        for name, value in made["arguments"]:
            assert f"{name} = {value}" in told
        if made["source"] is not None:
            assert made["file"] in told and made["link_sentence"] in told
        if made["message"] is not None:
            assert made["heading"] in told


def test_each_source_holds_the_excerpts_lines(journey, handed):
    for step, made in zip(journey.steps, handed["steps"], strict=True):
        if step.excerpt:
            lines = handed["sources"][made["source"]]["lines"]
            joined = [line and (line[0], "".join(piece for _, piece in line[1])) for line in lines]
            assert joined == wording.source_lines(step.excerpt)
            assert made["current"] in [line[0] for line in lines if line]


def test_each_message_holds_its_bytes_and_spans(journey, handed):
    for step, made in zip(journey.steps, handed["steps"], strict=True):
        if step.message:
            message = handed["messages"][made["message"]]
            assert "".join(window["hex"] for window in message["windows"]) == step.message.unit.raw.hex()
            spans = [(span.start, span.end, span.label) for span in step.message.unit.explain()]
            assert [(span["start"], span["end"], span["label"]) for span in message["spans"]] == spans


def test_what_steps_share_stands_once(handed):
    assert len(handed["messages"]) == 3
    assert len(handed["lanes"]) == 10
    assert len({library["label"] for library in handed["libraries"]}) == len(handed["libraries"])


def test_no_path_of_this_machine_is_handed_on(journey, handed):
    told = json.dumps(handed)
    for step in journey.steps:
        if step.excerpt:
            assert step.excerpt.filename not in told


def test_an_opener_tells_where_an_installed_file_opens(journey):
    made = journey_json(journey, lambda excerpt: f"/lab/tree/{excerpt.path}")
    opened = [step["open"] for step in made["steps"] if step["source"] is not None]
    assert "/lab/tree/socketio/client.py" in opened
    assert {step["open"] for step in journey_json(journey)["steps"] if step["source"] is not None} == {None}


@hostile.each_payload
def test_no_payload_reaches_the_page_with_acting_characters(payload):
    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for inner in value.values():
                yield from texts(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from texts(inner)

    for one in texts(journey_json(builders.hostile_journey(payload))):
        assert wording.visible(one) == one
