"""``--until``: a time is known by its form, an event by its name; the first that comes ends it."""

from __future__ import annotations

import threading

import click
import pytest
from click.testing import CliRunner

from utils import lab
from utils.cli import main
from utils.cli.until import Until, WhenType


def when(text):
    return WhenType().convert(text, None, None)


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("0.2s", 0.2), ("1.5m", 90), ("2 h", 7200)])
def test_a_number_is_a_time(text, seconds):
    assert when(text) == seconds


@pytest.mark.parametrize("text", ["bid", "game over", "s", "30 seconds", "-1", "٣0 bids"])
def test_everything_else_is_an_event(text):
    assert when(text) == text


@pytest.mark.parametrize("text", ["", "0", "0.0s"])
def test_what_would_record_nothing_is_refused(text):
    with pytest.raises(click.BadParameter):
        when(text)


def test_it_says_what_ends_the_recording():
    assert str(Until()) == "Ctrl-C"
    assert str(Until((90.0, "bid", 30.0))) == "Ctrl-C, 30 s or the event 'bid'"


def test_without_anything_it_waits_for_the_application():
    looks = iter([None, None, 0])
    assert Until().wait(lambda seconds: next(looks)) == ""


def test_an_event_is_seen_among_others_and_waits_for_the_silence_after_it(monkeypatch):
    monkeypatch.setattr("utils.cli.until.QUIET", 0.05)
    messages = lab.replay("one_bid").messages
    bid = lab.replay("one_bid").first_event()
    until, never = Until((bid, "no such event")), threading.Event()
    for number in range(len(messages)):
        until.show(messages[number : number + 1], 0, 0)
    assert until.wait(lambda seconds: never.wait(0.01) or None) == f"the event {bid!r} was seen"
    other = Until(("no such event", 0.05))
    other.show(messages, 0, 0)
    assert other.wait(lambda seconds: never.wait(0.01) or None) == "0.05 s are over"


def test_a_wire_that_is_never_silent_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("utils.cli.until.PATIENCE", 0.05)
    run = lab.replay("one_bid")
    until = Until((run.first_event(),))

    def look(seconds):
        until.show(run.messages, 0, 0)

    assert until.wait(look) == f"the event {run.first_event()!r} was seen"


def test_the_help_says_it_with_an_example():
    said = CliRunner().invoke(main.group, ["record", "--help"]).output
    assert "--until WHEN" in said and "--until 'game over' --until 5m" in said
