"""The command line as a whole: quick help, whole help, one message and one status for each kind of error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from utils.cli import main
from utils.cli.console import Status
from utils.errors import (
    CaptureFileError,
    CaptureRightsError,
    EnvironmentLack,
    InputError,
    LabError,
    ProcessError,
)

ROOT = Path(__file__).resolve().parent.parent


def commands():
    context = click.Context(main.group)
    return {name: main.group.get_command(context, name) for name in main.COMMANDS}


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "utils.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        **options,
    )


def test_the_help_names_every_command_and_its_own_first_line():
    shown = CliRunner().invoke(main.group, ["--help"])
    assert shown.exit_code == 0
    for name, command in commands().items():
        assert command.help.partition("\n")[0] == main.COMMANDS[name]
        assert f"  {name} " in shown.output
        assert main.COMMANDS[name] in shown.output


def test_every_file_of_a_command_is_in_the_table():
    holding = {
        path.stem
        for path in (ROOT / "utils" / "cli").glob("*.py")
        if "\ndef command(" in path.read_text() or "\ncommand = " in path.read_text()
    }
    assert holding == set(main.COMMANDS)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_a_command_s_help_has_examples_that_are_commands(name):
    shown = CliRunner().invoke(main.group, [name, "--help"])
    assert shown.exit_code == 0
    examples = shown.output.partition("Examples:\n")[2].strip().splitlines()
    assert examples
    assert all(line.split()[:2] == ["socketio-lab", name] for line in examples)


def test_the_help_imports_nothing_heavy():
    """What makes --help quick: neither a command's module nor what it stands on is imported."""
    code = (
        "import sys\n"
        "from utils.cli.main import group\n"
        "group.main(['--help'], standalone_mode=False)\n"
        "heavy = {'scapy', 'matplotlib', 'IPython', 'flask', 'socketio', 'numpy', 'pydantic', 'rich'}\n"
        "found = {name for name in sys.modules if name.partition('.')[0] in heavy}\n"
        "found |= {name for name in sys.modules if name.startswith('utils.') and name not in\n"
        "          {'utils.errors', 'utils.cli', 'utils.cli.main', 'utils.cli.console'}}\n"
        "sys.exit(', '.join(sorted(found)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError, Status.INPUT),
        (CaptureFileError, Status.INPUT),
        (EnvironmentLack, Status.LACK),
        (CaptureRightsError, Status.LACK),
        (ProcessError, Status.PROCESS),
        (LabError, Status.FOUND),
    ],
)
def test_an_error_of_the_lab_is_one_message_and_a_status(monkeypatch, error, status):
    @click.command()
    def broken():
        raise error("it broke", why="it was old", next_step="buy a new one")

    monkeypatch.setattr(main.Lazy, "get_command", lambda *_: broken)
    done = CliRunner().invoke(main.group, ["doctor"])
    assert done.exit_code == status
    assert done.stdout == ""
    assert done.stderr == "Error: it broke\n  Why: it was old\n  Next: buy a new one\n"


def test_an_interrupt_is_a_status_and_no_traceback(monkeypatch):
    @click.command()
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(main.Lazy, "get_command", lambda *_: interrupted)
    done = CliRunner().invoke(main.group, ["doctor"])
    assert (done.exit_code, done.stdout) == (Status.INTERRUPTED, "")


def test_an_unknown_command_is_a_usage_error():
    done = run("dance")
    assert done.returncode == Status.USAGE
    assert "No such command 'dance'" in done.stderr
    assert done.stdout == ""


def test_it_is_the_entry_point_and_tells_its_version():
    import tomllib

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"socketio-lab": "utils.cli.main:main"}
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("socketio-lab ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_commands(shell):
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)(main.group, {}, "socketio-lab", "_SOCKETIO_LAB_COMPLETE")
    assert {item.value for item in completion.get_completions([], "")} >= set(main.COMMANDS)
    assert {item.value for item in completion.get_completions(["diff"], "report_")} == {
        "report_then",
        "report_now",
    }


def test_it_works_in_a_folder_with_modules_of_the_same_names(tmp_path):
    """A user's folder may hold a ``utils`` of its own: the entry point's path does not begin there."""
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from utils.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "doctor", "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("["), done.stderr
