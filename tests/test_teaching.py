"""The teacher's page, Binder, the dev container and the citation name what is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tools import bootstrap

ROOT = Path(__file__).resolve().parent.parent
TEACHING = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def test_the_plan_names_the_notebooks_that_are_there_in_their_order():
    table = re.findall(r"^\| `(\d\d_\w+)` \|", TEACHING, re.MULTILINE)
    assert table == sorted(table)
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(table)
    assert set(re.findall(r"`(\d\d_\w+)`", TEACHING)) <= set(table)


def test_each_command_of_the_plan_is_one():
    named = set(re.findall(r"make (\w+)", TEACHING))
    assert {"lab", "student", "slides", "book"} <= named <= set(bootstrap.COMMANDS)


def test_each_link_of_the_plan_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEACHING):
        assert target.startswith("http") or (ROOT / "docs" / target).exists(), target


@pytest.mark.parametrize("plan", ["Fifty minutes", "Three hours"])
def test_the_minutes_of_a_plan_follow_each_other_to_its_end(plan):
    part = TEACHING.split(f"## {plan}")[1].split("\n## ")[0]
    times = [(int(begin), int(end)) for begin, end in re.findall(r"^\| (\d+)–(\d+) \|", part, re.MULTILINE)]
    assert times[0][0] == 0 and times[-1][1] == {"Fifty minutes": 50, "Three hours": 180}[plan]
    assert all(one[1] == other[0] for one, other in pairwise(times))


class TestBinder:
    def test_it_installs_the_project_with_its_pins(self):
        lines = (ROOT / ".binder" / "requirements.txt").read_text().split("\n")
        constraints = next(line.removeprefix("-c ") for line in lines if line.startswith("-c "))
        assert (ROOT / ".binder" / constraints).resolve() == ROOT / "constraints.txt"
        assert "--editable ." in lines

    def test_its_python_is_one_that_the_project_supports(self):
        version = (ROOT / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-")
        assert tuple(map(int, version.split("."))) >= bootstrap.OLDEST

    def test_it_starts_what_it_is_told_to_in_replay(self):
        show = "import os; print(os.environ['SOCKETIO_LAB_MODE'], os.environ['JUPYTER_CONFIG_PATH'])"
        told = subprocess.run(
            [ROOT / ".binder" / "start", sys.executable, "-c", show],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT / "notebooks",
        )
        assert told.stdout.split() == ["replay", str(ROOT / "jupyter")]

    def test_the_image_is_prepared_and_looked_at_once(self):
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            [ROOT / ".binder" / "postBuild"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PATH": programs},
        )
        assert done.returncode == 0, done.stderr
        assert "replace old value" in done.stdout


class TestDevContainer:
    def test_it_is_built_and_set_up_with_what_is_there(self):
        told = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
        assert (ROOT / ".devcontainer" / told["build"]["dockerfile"]).is_file()
        assert told["postCreateCommand"].removeprefix("make ") in bootstrap.COMMANDS
        interpreter = told["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
        assert interpreter.endswith(str(Path(bootstrap.VENV).name + "/bin/python"))

    def test_it_has_every_package_that_the_tests_need(self):
        packages = re.search(r"packages=\(([^)]*)\)", (ROOT / ".ci" / "run").read_text())
        dockerfile = (ROOT / ".devcontainer" / "Dockerfile").read_text()
        assert packages and set(packages[1].split()) | {"nodejs", "npm"} <= set(dockerfile.split())


def test_the_citation_agrees_with_the_project():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
    assert cited["cff-version"] == "1.2.0" and cited["title"].startswith(project["name"])
    for wanted in ("message", "authors", "abstract"):
        assert cited[wanted]
