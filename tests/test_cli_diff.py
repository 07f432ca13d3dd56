"""Two recordings side by side: the text of the notebook's diff, JSON, and diff's own status."""

from __future__ import annotations

import json

from click.testing import CliRunner

from utils import lab
from utils.cli import main


def run(*arguments):
    return CliRunner().invoke(main.group, ["diff", *arguments])


def test_it_says_what_the_notebook_shows_and_that_there_is_a_difference():
    done = run("report_then", "report_now", "route")
    assert done.exit_code == 1
    assert done.stdout == lab.diff("report_then", "report_now", "route").text + "\n"


def test_a_recording_does_not_differ_from_itself():
    done = run("one_bid", "one_bid")
    assert done.exit_code == 0, done.output


def test_for_a_program_each_step_has_its_fate():
    done = run("report_then", "report_now", "route", "--json")
    found = json.loads(done.stdout)
    assert found["journey"] == "route"
    assert found["versions"][0]["Flask"] != found["versions"][1]["Flask"]
    assert {step["fate"] for step in found["steps"]} >= {"changed", "moved"}
    assert len(found["steps"]) == sum(
        line[:1] in "=≈≠~-+"
        for line in lab.diff("report_then", "report_now", "route").text.splitlines()
        if line[:1].strip()
    )


def test_a_journey_that_is_not_there_is_an_error_that_names_those_that_are():
    done = run("one_bid", "one_bid", "nothing such")
    assert done.exit_code == 3
    assert "'broadcast out'" in done.stderr
