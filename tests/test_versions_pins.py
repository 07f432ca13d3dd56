"""The versions that the walkthrough was checked with are those of constraints.txt."""

from __future__ import annotations

from importlib.metadata import version

from utils.versions import pins


def test_each_library_of_the_stack_is_pinned_by_whatever_spelling():
    assert pins.pin("Flask-SocketIO") == pins.pin("flask_socketio") is not None
    assert pins.pin("no such library") is None
    assert version("wsproto") and pins.pin("wsproto")


def test_lines_that_pin_nothing_are_passed_over(tmp_path):
    path = tmp_path / "constraints.txt"
    path.write_text(
        "# a word\n\nflask==3.1.3  # and another\nh11>=0.16\n-e .\nA_B==1 ; python_version > '3'\n"
    )
    assert pins.pins(path) == {"flask": "3.1.3", "a-b": "1"}


def test_without_the_file_there_are_none(tmp_path):
    assert pins.pins(tmp_path / "constraints.txt") == {}
