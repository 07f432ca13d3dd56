"""A verdict: a sign and a word; heard as well as seen; nothing in it acts."""

from __future__ import annotations

import pytest

from tests import hostile
from tests.markup_reader import Reader
from utils.views import palette, wording
from utils.views.verdicts import State, Verdict, verdict

WRONG = Verdict(State.WRONG, "54", "53", "one is missing", "run.packets()")


@pytest.mark.parametrize("state", State)
def test_the_state_is_told_in_words_in_the_text_and_in_the_page(state):
    view = verdict(Verdict(state, got="53"))
    assert str(view).startswith(state.words)
    assert state.words in Reader(view.html).text
    assert state.words[0] in "✓✗…" and state.words[2:].isascii()


@pytest.mark.parametrize("state", State)
def test_its_words_can_be_read_on_their_ground(state):
    assert palette.contrast(state.tone.light, palette.LIGHT_INK) >= 4.5


def test_what_is_right_is_one_line():
    view = verdict(Verdict(State.RIGHT, got="53"))
    assert str(view) == "✓ right: 53"
    assert Reader(view.html).text == "✓ right 53"


def test_what_is_wrong_says_what_was_expected_what_came_and_where_to_look():
    view = verdict(WRONG)
    assert str(view).splitlines() == [
        "✗ not yet",
        "expected  54",
        "got       53",
        "note      one is missing",
        "look      run.packets()",
    ]
    read = Reader(view.html)
    assert read.open == []
    for word in WRONG[1:]:
        assert word in read.text


def test_names_and_values_stand_in_a_list_that_a_screen_reader_knows():
    read = Reader(verdict(WRONG).html)
    assert len(read.find("dl")) == 1 and len(read.find("dt")) == len(read.find("dd")) == 4


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    usual = Reader(verdict(WRONG).html)
    view = verdict(Verdict(State.WRONG, payload, payload, payload, payload))
    read = Reader(view.html)
    assert {tag for tag, _ in read.elements} - {"wbr"} == {tag for tag, _ in usual.elements} - {"wbr"}
    assert wording.visible(payload).strip() in read.text
    assert all(c == "\n" or wording.visible(c) == c for c in str(view))
