"""Results on standard output; progress only late, only on standard error, only for a terminal."""

from __future__ import annotations

import io
import json
import sys

import click
from click.testing import CliRunner

from utils.cli import console
from utils.cli.console import Failure, examples, progress
from utils.errors import InputError


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_quiet_when_piped(monkeypatch):
    monkeypatch.setattr(console, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", piped := io.StringIO())
    with progress("Reading"):
        pass
    assert piped.getvalue() == ""


def test_progress_shows_what_goes_on_where_a_terminal_looks_on(monkeypatch):
    monkeypatch.setattr(console, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    seen = False
    with progress("Reading"):
        for _ in range(3000):
            seen = "Reading" in terminal.getvalue()
            if seen:
                break
            import time

            time.sleep(0.01)
    assert seen


def test_quick_work_shows_no_progress(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress("Reading"):
        pass
    assert terminal.getvalue() == ""


def test_a_failure_is_coloured_for_a_terminal_only():
    plain, terminal = io.StringIO(), Terminal()
    failure = Failure(InputError("no"))
    failure.show(plain)
    failure.show(terminal)
    assert plain.getvalue() == "Error: no\n"
    assert "Error: no" in terminal.getvalue()


def test_json_is_one_document_with_every_character():
    @click.command()
    def command():
        console.as_json({"ü": [1, None]})

    assert json.loads(CliRunner().invoke(command).stdout) == {"ü": [1, None]}


def test_notes_are_no_part_of_the_result():
    @click.command()
    def command():
        console.note("wrote it")

    done = CliRunner().invoke(command)
    assert (done.stdout, done.stderr) == ("", "wrote it\n")


def test_examples_keep_their_lines():
    @click.command(epilog=examples("socketio-lab one", "socketio-lab two"))
    def command():
        pass

    assert (
        "Examples:\n    socketio-lab one\n    socketio-lab two"
        in CliRunner().invoke(command, ["--help"]).output
    )
