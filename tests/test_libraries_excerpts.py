"""An excerpt says what the file says, holds the line that is asked for, and marks what it leaves out."""

from __future__ import annotations

import queue
from pathlib import Path

import flask_socketio
import pytest

from utils import libraries
from utils.records import Code


def code_of(function) -> Code:
    raw = function.__code__
    return Code(raw.co_filename, raw.co_qualname, raw.co_firstlineno)


def test_it_shows_the_signature_and_the_current_line():
    code = code_of(flask_socketio.emit)
    last = libraries.function_lines(code)[1]
    shown = libraries.excerpt(code, last)
    numbers = [line[0] for line in shown.lines if line]
    assert code.first_line in numbers and last in numbers


@pytest.mark.parametrize(
    "function",
    [flask_socketio.emit, flask_socketio.SocketIO.on, flask_socketio.SocketIO.__init__, queue.Queue.put],
)
def test_every_line_can_be_current_within_the_bound_and_says_what_the_file_says(function):
    code = code_of(function)
    text = Path(code.filename).read_text().splitlines()
    first, last = libraries.function_lines(code)
    for line in range(first, last + 1):
        shown = libraries.excerpt(code, line)
        pairs = [pair for pair in shown.lines if pair]
        assert len(pairs) <= libraries.EXCERPT_LINES + 2  # the empty lines between statements
        assert line in [number for number, _ in pairs]
        assert all(text[number - 1].rstrip() == content for number, content in pairs)
        assert [number for number, _ in pairs] == sorted({number for number, _ in pairs})


def test_a_jump_between_lines_is_marked_as_a_gap():
    shown = libraries.excerpt(code_of(flask_socketio.SocketIO.on))
    for before, after in zip(shown.lines, shown.lines[1:], strict=False):
        if before and after:
            assert after[0] == before[0] + 1


def test_an_unreadable_file_has_no_excerpt():
    assert libraries.excerpt(Code("/nowhere/at/all.py", "f", 1), 1) is None
