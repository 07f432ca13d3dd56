"""JupyterLab is opened at the first notebook of a checkout, or what to do is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from utils.cli import lab, main

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def become(monkeypatch):
    called = []
    monkeypatch.setattr(lab, "_become", called.append)
    return called


def test_it_goes_on_as_the_task_of_the_checkout(become, monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    done = CliRunner().invoke(main.group, ["lab", "--no-browser", "--port", "8890"])
    assert done.exit_code == 0, done.output
    assert become == [
        [sys.executable, str(ROOT / "tools" / "tasks.py"), "lab", "--no-browser", "--port", "8890"]
    ]


def test_from_elsewhere_it_is_the_checkout_that_it_was_installed_from(become, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main.group, ["lab"]).exit_code == 0
    assert become[0][1] == str(ROOT / "tools" / "tasks.py")


def test_without_a_checkout_it_says_what_to_do(become, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "site-packages" / "utils" / "cli" / "lab.py"))
    done = CliRunner().invoke(main.group, ["lab"])
    assert done.exit_code == 4 and not become
    assert "clone" in done.stderr
