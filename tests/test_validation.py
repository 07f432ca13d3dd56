"""The notebooks are held against their outputs in every way that packets can be seen, and again and again."""

from __future__ import annotations

import os
import sys

import pytest
from click.testing import CliRunner

from tools import validation
from tools.validation import Round, failed, load, refusal, validate

#: The smallest one that is in its new form: what is tried here is the way, not the notebook.
NOTEBOOK = "09_when_it_goes_wrong"


def test_a_round_says_what_came_of_it():
    done = Round("tap", True, 12.3, "...\n53 passed in 12.10s")
    assert str(done) == "tap     ✓ passed in 12 s  53 passed in 12.10s"
    assert failed([done, Round("live", False, 1, "")])[0].way == "live"
    assert "nothing was printed" in str(Round("live", False, 1, ""))


@pytest.mark.parametrize("way", ["tap", "replay"])
def test_what_needs_no_right_is_allowed_everywhere(way):
    assert refusal(way) is None


@pytest.mark.parametrize("way", ["live", "private"])
def test_what_a_system_refuses_is_told_in_a_clause(way):
    why = refusal(way)
    assert why is None or (len(why) > 20 and "\n" not in why)


def test_in_the_private_network_nobody_has_rights_outside():
    """Whoever is root does without: else the notebooks would see packets without the namespace."""
    before = validation._without_rights()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        question = "from utils.capture import rights; print(rights.choose_mode().name)"
        import subprocess

        done = subprocess.run([*before, sys.executable, "-c", question], capture_output=True, text=True)
        assert done.stdout.strip() == "tap"
    else:
        assert before == ()


def test_a_notebook_that_gives_something_else_fails(tmp_path, monkeypatch):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    (tmp_path / "notebooks").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "nbval_sanitize.cfg").write_text("")
    said = new_output("execute_result", {"text/plain": "3"}, execution_count=1)
    cell = new_code_cell("1 + 1", outputs=[said], execution_count=1)
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "notebooks" / "wrong.ipynb")
    monkeypatch.setattr(validation, "ROOT", tmp_path)
    done = validate("tap", ["wrong"], options=())
    assert not done.passed and "outputs differ" in done.report


class TestCommand:
    def test_says_of_each_round_how_it_went(self, monkeypatch):
        rounds = iter([Round("tap", True, 1, "ok"), Round("tap", False, 2, "the report")])
        monkeypatch.setattr(validation, "validate", lambda way, names: next(rounds))
        done = CliRunner().invoke(validation.main, ["--way", "tap", "--rounds", "2"])
        assert done.exit_code == 1
        assert "✓ passed" in done.output and "✗ failed" in done.output and "the report" in done.output
        assert done.output.endswith("2 rounds, 1 failed\n")

    def test_a_way_that_is_asked_for_and_refused_is_a_failure(self, monkeypatch):
        monkeypatch.setattr(validation, "refusal", lambda way: "no right")
        done = CliRunner().invoke(validation.main, ["--way", "live"])
        assert done.exit_code == 2 and "not here: no right" in done.output

    def test_where_none_is_allowed_nothing_was_validated(self, monkeypatch):
        monkeypatch.setattr(validation, "refusal", lambda way: "no right")
        assert CliRunner().invoke(validation.main, []).exit_code == 1


def test_the_machine_is_kept_busy_and_let_go():
    import psutil

    before = {child.pid for child in psutil.Process().children()}
    with load(2):
        assert len({child.pid for child in psutil.Process().children()} - before) == 2
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.skipif(refusal("private") is not None, reason="this system refuses a private network")
def test_a_notebook_runs_in_the_private_network():
    done = validate("private", [NOTEBOOK], options=())
    assert done.passed, done.report


@pytest.mark.soak
@pytest.mark.parametrize(("rounds", "busy"), [(50, 0), (25, 2)], ids=["in a row", "under load"])
def test_none_of_many_rounds_fails(rounds, busy):
    """R1: fifty in a row, and twenty-five while two loops keep the machine busy."""
    with load(busy):
        for number in range(rounds):
            done = validate("tap" if refusal("live") else "live")
            print(f"{number + 1} of {rounds}: {done}", flush=True)
            assert done.passed, done.report
            assert busy or done.seconds < 300
