"""Two recordings side by side: the text of the notebook's diff, JSON, and diff's own status."""

from __future__ import annotations

import json

from click.testing import CliRunner

from utils import lab
from utils.cli import main
from utils.wire.units import Side


def run(*arguments):
    return CliRunner().invoke(main.group, ["diff", *arguments])


def test_it_says_what_the_notebook_shows_and_that_there_is_a_difference():
    done = run("report_then", "report_now", "route")
    assert done.exit_code == 1
    wholes, _, rest = done.stdout.partition("\n\n")
    assert rest == lab.diff("report_then", "report_now", "route").text + "\n"
    sizes = {line.rsplit(maxsplit=2)[0]: line.split()[-2:] for line in wholes.splitlines()}
    then, now = (lab.replay(name) for name in ("report_then", "report_now"))
    assert sizes["calls of the server"] == [
        f"{len(one.recording.trace('server').calls):,}" for one in (then, now)
    ]
    sent = [sum(len(one.unit.raw) for one in run.messages if one.side is Side.SERVER) for run in (then, now)]
    assert sizes["bytes of the server"] == [f"{size:,}" for size in sent]


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
