"""One command sets the project up: once, whole, one at a time; and each fault is one line with its remedy.

The set-up is run for real, with venv and pip, on a small project in a
temporary folder: it needs nothing from the network, and builds itself with a
backend of its own, which a test can hold in the middle of its work.
"""

from __future__ import annotations

import ast
import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import eventually
from tools import bootstrap, tasks

ROOT = Path(__file__).resolve().parent.parent

#: Seconds: a venv with pip takes five on a free machine.
DEADLINE = 180

posix = pytest.mark.skipif(os.name == "nt", reason="scripts with a #! line are POSIX")

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["tools"]

[project]
name = "small"
version = "1"
optional-dependencies = {{ test = [] }}
dependencies = [{dependencies}]
"""

BACKEND = '''\
"""Builds the small project; waits while there is a file called "hold"."""
import os, time, tomllib, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with open("builds.log", "a") as log:
        log.write("built\\n")
    while os.path.exists("hold"):
        time.sleep(0.02)
    with open("pyproject.toml", "rb") as file:
        needs = tomllib.load(file)["project"]["dependencies"]
    metadata = "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\nProvides-Extra: test\\n"
    metadata += "".join("Requires-Dist: %s\\n" % need for need in needs)
    wheel = "Wheel-Version: 1.0\\nGenerator: backend\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    name = "small-1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        archive.writestr("small.pth", os.getcwd())
        archive.writestr("small-1.dist-info/METADATA", metadata)
        archive.writestr("small-1.dist-info/WHEEL", wheel)
        archive.writestr("small-1.dist-info/RECORD", "")
    return name
'''

#: What the small project does once it is set up.
TASKS = "import sys, importlib.metadata as m; print(sys.prefix, m.version('small'), *sys.argv[1:], sep='|')"


class SmallProject:
    """A project that tools/bootstrap.py sets up, and a PATH on which only what a test puts there is found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        for each in (folder / "tools", folder / "lab_server", self.programs):
            each.mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "bootstrap.py", folder / "tools")
        (folder / "tools" / "tasks.py").write_text(TASKS)
        (folder / "tools" / "backend.py").write_text(BACKEND)
        (folder / "constraints.txt").write_text("")
        self.needs()

    def needs(self, *dependencies: str) -> None:
        (self.folder / "pyproject.toml").write_text(
            PROJECT.format(dependencies=str(list(dependencies))[1:-1])
        )

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def start(self, *arguments: str, before: str = "") -> subprocess.Popen[str]:
        """Start the set-up; ``before`` is code that makes the Python another than it is."""
        run = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
        script = str(self.folder / "tools" / "bootstrap.py")
        command = [sys.executable, *(["-c", f"{before}; {run}"] if before else []), script, *arguments]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        environment = {
            **kept,
            "PATH": str(self.programs),
            # An index that is never reached.
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
            "PIP_RETRIES": "1",
        }
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=self.folder.parent,
        )

    def call(self, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, before=before)
        try:
            out, err = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @property
    def builds(self) -> int:
        log = self.folder / "builds.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    @property
    def stamp(self) -> Path:
        return self.folder / ".venv" / "socketio-lab.stamp"


def one_line(said: str) -> str:
    """What was said, which must be one line that names the project."""
    lines = said.splitlines()
    assert len(lines) == 1 and lines[0].startswith("socketio-lab: "), said
    return lines[0]


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    pytest.importorskip(
        "ensurepip", reason="venv cannot be used without it (on Debian: apt install python3-venv)"
    )
    return SmallProject(tmp_path / "a project with a space")


@pytest.fixture(scope="class")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallProject]:
    """A project that is set up, for one class: their order is the workers' affair."""
    pytest.importorskip(
        "ensurepip", reason="venv cannot be used without it (on Debian: apt install python3-venv)"
    )
    project = SmallProject(tmp_path_factory.mktemp("made") / "small")
    done = project.call("setup")
    assert done.returncode == 0, done.stdout + done.stderr
    yield project


class TestTheSetUp:
    def test_the_command_runs_in_the_projects_own_environment_with_its_arguments(self, made):
        done = made.call("test", "-k", "wire or views")
        prefix, version, *arguments = done.stdout.strip().split("|")
        assert Path(prefix).samefile(made.folder / ".venv")
        assert (version, arguments) == ("1", ["test", "-k", "wire or views"])

    def test_a_second_call_does_and_says_nothing(self, made):
        builds, written = made.builds, made.stamp.stat().st_mtime_ns
        done = made.call("setup")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert (made.builds, made.stamp.stat().st_mtime_ns) == (builds, written)

    @pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
    def test_it_is_brought_up_to_date_when_what_it_is_made_from_changes(self, made, name):
        builds = made.builds
        with (made.folder / name).open("a") as file:
            file.write("# changed\n")
        assert made.call("setup").returncode == 0
        assert made.builds == builds + 1

    def test_an_unknown_command_is_told_the_commands(self, made):
        done = made.call("tset")
        assert done.returncode == 2 and "|".join(bootstrap.COMMANDS) in done.stderr

    @posix
    def test_one_that_was_killed_is_waited_for_and_made_good(self, project):
        hold = project.folder / "hold"
        hold.touch()
        first = project.start("setup")
        try:
            eventually(lambda: project.builds == 1)
        finally:
            first.kill()  # its pip lives on, and still writes
            first.communicate(timeout=DEADLINE)
        half_made = project.folder / ".venv" / "half-made"
        half_made.touch()
        second = project.start("setup")
        try:
            assert second.stdout is not None
            assert "waiting" in one_line(second.stdout.readline())
            assert project.builds == 1
            hold.unlink()
            _, said = second.communicate(timeout=DEADLINE)
        finally:
            hold.unlink(missing_ok=True)
            second.kill()
        assert second.returncode == 0, said
        assert project.builds == 2 and not half_made.exists()
        assert project.call("test").stdout.endswith("|1|test\n")

    @posix
    def test_two_at_once_make_one(self, made):
        hold, builds = made.folder / "hold", made.builds
        hold.touch()
        (made.folder / "constraints.txt").write_text("# two at once\n")
        both = [made.start("setup"), made.start("setup")]
        try:
            eventually(lambda: made.builds == builds + 1)
        finally:
            hold.unlink()
            said = [process.communicate(timeout=DEADLINE) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert made.builds == builds + 1


class TestWhatIsLacking:
    def test_without_network_the_environment_stays_as_it_was(self, made):
        pyproject = (made.folder / "pyproject.toml").read_text()
        made.needs("a-package-that-is-not-here")
        try:
            done = made.call("setup")
        finally:
            (made.folder / "pyproject.toml").write_text(pyproject)
        assert done.returncode == 1
        assert "check the network, then call again" in one_line(done.stderr)
        again = made.call("setup")
        assert (again.returncode, again.stdout) == (0, ""), "it was made anew, though nothing had changed"

    def test_without_the_venv_module_the_package_to_install_is_named(self, project):
        done = project.call("setup", before="import sys; sys.modules['ensurepip'] = None")
        assert done.returncode == 1
        assert "apt install python3-venv" in one_line(done.stderr)

    def test_an_old_python_says_which_is_needed(self, project):
        done = project.call("setup", before="import sys; sys.version_info = (3, 8, 10, 'final', 0)")
        assert done.returncode == 1
        assert "this is Python 3.8, and 3.11 or newer is needed" in one_line(done.stderr)

    @posix
    def test_an_old_python_goes_on_with_a_newer_one_that_really_runs(self, made):
        made.program("python3.13", "echo 'a place holder of a version manager' >&2; exit 127")
        made.program("python3.12", f'exec "{sys.executable}" "$@"')
        done = made.call("test", before="import sys; sys.version_info = (3, 8, 10, 'final', 0)")
        first, second = done.stdout.splitlines()
        assert "this is Python 3.8; going on with" in first
        assert second.endswith("|1|test")

    def test_a_full_disk_is_told_before_anything_is_written(self, monkeypatch, tmp_path):
        monkeypatch.setattr(bootstrap, "VENV", str(tmp_path / ".venv"))
        monkeypatch.setattr(bootstrap, "ROOM", shutil.disk_usage(bootstrap.ROOT).total + 1)
        with pytest.raises(bootstrap.Trouble, match="make room, then call again"):
            bootstrap.make_environment(fresh=True)
        assert not (tmp_path / ".venv").exists()

    @posix
    @pytest.mark.parametrize(
        ("npm", "said"),
        [(None, "apt install npm"), ("echo npm error code ENOTFOUND; exit 1", "check the network")],
    )
    def test_without_the_browser_client_all_else_is_set_up(self, made, npm, said):
        lock = made.folder / "lab_server" / "package-lock.json"
        lock.write_text("{}")
        if npm:
            made.program("npm", npm)
        try:
            done = made.call("setup")
            assert done.returncode == 0
            assert said in one_line(done.stdout.splitlines()[-1])
            assert made.call("lab").stdout.count("\n") == 1, "the note comes once, not at every start"
        finally:
            lock.unlink()
            (made.programs / "npm").unlink(missing_ok=True)

    @pytest.mark.skipif(shutil.which("make") is None, reason="make is missing")
    def test_make_without_any_python_says_so(self):
        done = subprocess.run(
            ["make", "setup", "PYTHON="], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode and "apt install python3 python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("error: Failed to write to `x`\n  Caused by: No space left on device (os error 28)", "disk is full"),
        ("[Errno 122] Disk quota exceeded: '/home/x'", "disk is full"),
        ("npm error code ENOTFOUND\nnpm error errno ENOTFOUND", "could not be fetched"),
        ("NewConnectionError('Failed to establish a new connection: [Errno -3]')", "could not be fetched"),
        ("error: Failed to fetch: `x`\n  Caused by: dns error", "could not be fetched"),
        ("[WinError 10061] connection refused", "could not be fetched"),
        ("[Errno 13] Permission denied: '/project/.venv/lib'", "may not write"),
        ("Command '['x', '-m', 'ensurepip']' returned non-zero exit status 1.", "no ensurepip"),
    ],
)
def test_what_pip_uv_and_npm_say_is_understood(said, cause):
    understood, remedy = bootstrap.diagnosis(said)
    assert cause in understood and remedy


def test_what_is_not_understood_is_not_guessed():
    assert bootstrap.diagnosis("ERROR: No matching distribution found for flask>=99") == (None, None)
    assert bootstrap.diagnosis("", errno.ENOSPC)[0] == "the disk is full"


def test_even_an_old_python_can_read_the_set_up():
    text = (ROOT / "tools" / "bootstrap.py").read_bytes().decode("ascii")
    ast.parse(text, feature_version=(3, 4))


def test_the_commands_are_the_same_everywhere():
    rule = re.search(r"^(setup .*):$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule and set(rule[1].split()) == set(bootstrap.COMMANDS)
    assert set(bootstrap.COMMANDS) == {"setup", *tasks.TASKS}


def test_every_command_that_the_readme_names_exists():
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`?\bmake ([a-z]+)(?=`|\s{2,}#|\s*$)", text, re.MULTILINE))
    named |= set(re.findall(r"tools/bootstrap\.py ([a-z]+)", text))
    assert {"lab", "test"} <= named <= {*bootstrap.COMMANDS, "constraints"}
