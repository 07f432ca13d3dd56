"""The standard comparison from the command line: its table, its JSON, its file."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.test_load_values import measured, result, turn
from utils.cli import main
from utils.load import measuring, standard, values


@pytest.fixture
def asked(monkeypatch):
    """What was measured, by name; nothing is: what it costs is measured elsewhere."""
    names = []

    def measure(experiment, progress):
        names.append(experiment.name)
        progress(f"{experiment.name}: servers start")
        return measured(
            result("raw TCP", turn(0.1), floor=True, rate=None), result("echo", turn(1), rate=None)
        )

    monkeypatch.setattr(measuring, "measure", measure)
    return names


def run(*arguments):
    return CliRunner().invoke(main.group, ["bench", *arguments])


def test_without_a_name_it_is_the_whole_comparison(asked):
    done = run()
    assert done.exit_code == 0, done.output
    assert asked == [experiment.name for experiment in standard.STANDARD]
    assert done.stdout.count("How long?") == len(asked)
    assert "servers start" in done.stderr and "servers start" not in done.stdout


def test_a_floor_stands_beside_each_figure(asked):
    assert "10 ×" in run("stack").stdout
    assert asked == ["stack"]


def test_for_a_program_there_is_one_document(asked):
    (told,) = json.loads(run("stack", "--json").stdout)
    assert [figure["name"] for figure in told["figures"]] == ["raw TCP", "echo"]
    assert told["conditions"]["cores"] == 2


def test_results_can_be_kept(asked, tmp_path):
    path = tmp_path / "results.json"
    assert run("stack", "--save", str(path)).exit_code == 0
    assert values.load(path)[0].experiment.name == "made up"


def test_an_unknown_name_is_an_error_that_names_the_known_ones(asked):
    done = run("nothing such")
    assert done.exit_code == 3
    assert "transports" in done.stderr
    assert asked == []
