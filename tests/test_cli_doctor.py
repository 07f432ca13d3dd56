"""The self-check by the command line: its words, its JSON, its status."""

from __future__ import annotations

import json

from click.testing import CliRunner

from utils import selfcheck
from utils.cli.doctor import command
from utils.views.tables import Check, checks


def test_it_prints_the_self_check():
    done = CliRunner().invoke(command)
    assert done.output == checks(selfcheck.check()).text + "\n"
    assert done.exit_code == (0 if all(row.ok for row in selfcheck.check()) else 1)


def test_what_is_to_be_mended_makes_the_status_1(monkeypatch):
    rows = [Check("Python", "3.9", False, "install 3.11"), Check("h11", "0.16.0", True, "not to be told")]
    monkeypatch.setattr(selfcheck, "check", lambda: rows)
    done = CliRunner().invoke(command)
    assert done.exit_code == 1 and "install 3.11" in done.output
    done = CliRunner().invoke(command, ["--json"])
    assert done.exit_code == 1
    assert json.loads(done.output) == [
        {"name": "Python", "found": "3.9", "ok": False, "remedy": "install 3.11"},
        {"name": "h11", "found": "0.16.0", "ok": True, "remedy": ""},
    ]
