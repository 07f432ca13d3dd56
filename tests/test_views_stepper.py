"""The stepper as a widget: what is sent, what is stored, and what stands where it cannot run."""

from __future__ import annotations

import json

import pytest

from tests import builders
from utils.records import Level
from utils.views import html, text
from utils.views.plain import journey_json
from utils.views.stepper import stepper


@pytest.fixture
def journey():
    return builders.bid_journey()


def test_the_whole_journey_is_in_the_page_before_the_first_click(journey):
    widget = stepper(journey, Level.ESSENTIAL, at=7)
    state = json.loads(json.dumps(widget.get_state(["journey", "level", "at"])))
    assert state["journey"] == json.loads(json.dumps(journey_json(journey)))
    assert (state["level"], state["at"]) == (2, 6)


def test_where_no_widget_runs_the_same_steps_stand_as_html_and_text(journey):
    data, _ = stepper(journey)._repr_mimebundle_()
    assert data["text/html"] == html.steps(journey, Level.LIBRARY).html
    assert data["text/plain"] == text.journey_text(journey, Level.LIBRARY, times=False)
    assert "application/vnd.jupyter.widget-view+json" in data


def test_two_of_them_read_the_same(journey):
    one, other = stepper(journey), stepper(journey)
    assert repr(one) == repr(other) == str(one)
    assert "0x" not in repr(one)


def test_a_page_cannot_be_changed_under_the_readers_hands(journey):
    with pytest.raises(Exception, match="read-only"):
        stepper(journey).journey = {}


def test_an_opener_is_asked_for_each_excerpt(journey):
    widget = stepper(journey, opener=lambda excerpt: f"/lab/tree/{excerpt.path}")
    assert "/lab/tree/socketio/client.py" in json.dumps(widget.journey)
