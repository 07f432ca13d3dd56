"""What an application did, in small: every deed, and what nobody called."""

from __future__ import annotations

from tests.markup_reader import Reader
from utils import lab


def test_every_deed_and_every_registered_thing_is_in_both_forms():
    run = lab.replay("guestbook")
    view = run.application()
    page = Reader(view.html).text
    for deed in run.deeds.told:
        assert deed.name in view.text and deed.name in page
    for handler in run.deeds.registered.handlers:
        assert f"{handler.event} in {handler.namespace}" in view.text
    (lonely,) = [line for line in view.text.splitlines() if "never called" in line]
    assert "erase" in lonely and "scenarios/guestbook.py" in lonely


def test_what_is_not_known_to_be_registered_has_no_table():
    assert "What it registered" not in lab.replay("one_bid").application().text
