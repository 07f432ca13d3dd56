"""An application that another environment's Python runs is told by that environment's versions, not by ours."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import venv

import pytest

from tests.markup_reader import Reader
from tests.test_cli_record import PATIENCE, PLAYS, ROOT, environment, ran, record, registered
from utils import lab
from utils.libraries import licences
from utils.report import write

pytestmark = pytest.mark.network

#: Of some years ago: other lines, other bytes, and nothing of ours beside them.
PINS = {
    "Flask": "3.0.3",
    "Flask-SocketIO": "5.3.6",
    "python-engineio": "4.9.1",
    "python-socketio": "5.11.4",
    "simple-websocket": "1.0.0",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def older(folder):
    """An environment with these versions, in which nothing of ours is installed."""
    venv.create(folder / "older", with_pip=False)
    install = [sys.executable, "-m", "pip", "--python", python_of(folder / "older"), "install", "--quiet"]
    subprocess.run([*install, *(f"{name}=={pin}" for name, pin in PINS.items())], check=True, timeout=300)
    return folder / "older"


def python_of(folder):
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


@pytest.fixture(scope="module")
def recorded(folder, older):
    words = [python_of(older), "-m", "tests.apps.chat"]
    found, _ = record(folder, "--scenario", f"{PLAYS}:chat", *words)
    return lab.load(folder / found["recording"])


def test_its_versions_are_stated_and_its_bytes_have_their_lines(recorded):
    meta = recorded.recording.meta
    assert {name: meta.versions[name] for name in PINS} == PINS
    assert importlib.metadata.version("Flask") != PINS["Flask"]
    assert recorded.check().whole
    # One handler wants the reason why a client went, and this version gives none: its call fails.
    assert registered("tests.apps.chat:app") - ran(recorded) == {("chat.py", "Chat.on_disconnect")}


def versions_of(steps):
    return {(step.library.name, step.library.version) for step in steps if step.library.name in PINS}


def test_each_process_is_told_by_the_versions_that_it_ran(recorded):
    """The client is ours; the two have libraries of one name."""
    steps = [step for step in recorded.journey("say").steps if step.library is not None]
    theirs = [step for step in steps if step.process == "server"]
    ours = [step for step in steps if step.process == "client"]
    assert versions_of(theirs) == set(PINS.items())
    assert versions_of(ours) == {
        (name, importlib.metadata.version(name)) for name in ("python-socketio", "python-engineio")
    }


def test_its_lines_are_read_in_its_own_files_and_linked_at_its_own_tags(recorded, older):
    (site,) = {path.parent for path in older.rglob("flask_socketio")}
    seen = 0
    for step in recorded.journey("say").steps:
        if step.process != "server" or step.library is None or step.library.name not in PINS:
            continue
        assert f"{step.library.version}/src/" in step.link.url
        if step.excerpt is not None:
            text = (site / step.excerpt.path).read_text().splitlines()
            assert all(text[number - 1].rstrip() == line for number, line in filter(None, step.excerpt.lines))
            seen += 1
    assert seen > 20


def test_its_licences_and_its_report_are_its_own(recorded):
    found = {(one.library.name, one.library.version): one for one in licences.used(recorded.recording)}
    assert set(PINS.items()) <= found.keys()
    assert all(found[pin].texts and not found[pin].unproved for pin in PINS.items())
    page = "".join(write.pieces(recorded, "html"))
    text = Reader(page).text
    assert all(pin in text for pin in PINS.values())
    assert "flask-socketio/src/tag/v5.3.6/" in page
    assert f"v{importlib.metadata.version('Flask-SocketIO')}" not in page


def test_what_is_loaded_equals_what_was_saved(recorded, tmp_path):
    recorded.save(tmp_path / "again")
    again = lab.load(tmp_path / "again")
    assert again.recording.traces == recorded.recording.traces
    assert again.recording.sources == recorded.recording.sources


def diff(folder, *words):
    command = [sys.executable, str(ROOT / "utils" / "processes" / "boot.py"), "utils.cli.main", "diff"]
    return subprocess.run(
        [*command, *map(str, words)], cwd=folder, env=environment(), capture_output=True, text=True, timeout=2 * PATIENCE, check=False
    )  # fmt: skip


def test_one_scenario_on_two_environments(older, tmp_path):
    words = ["--scenario", f"{PLAYS}:chat", "--json", "--", "python", "-m", "tests.apps.chat"]
    done = diff(tmp_path, older, sys.executable, "say", *words)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    left, right = found["versions"]
    assert {name: left[name] for name in PINS} == PINS
    assert {name: right[name] for name in PINS} == {name: importlib.metadata.version(name) for name in PINS}
    fates = {step["fate"] for step in found["steps"]}
    assert fates >= {"same", "moved", "changed"}
    # The client and its packets are the same ones.
    sent = [step for step in found["steps"] if step["left"] and step["left"]["kind"] == "wire"]
    assert sent[0]["fate"] == "same" and sent[0]["left"]["bytes"] == sent[0]["right"]["bytes"]
    one, other = found["wholes"]
    assert one["bytes of clients"] > 0 and one.keys() == other.keys()
    # Both are kept, and give the same answer once more.
    kept = [tmp_path / path for path in found["recordings"]]
    again = diff(tmp_path, *kept, "say", "--json")
    assert json.loads(again.stdout)["steps"] == found["steps"]


def test_an_environment_that_is_none_is_named(tmp_path):
    done = diff(tmp_path, "no-such-env", sys.executable, "--scenario", f"{PLAYS}:chat", "--", "chat:app")
    assert done.returncode == 3 and "there is no environment 'no-such-env'" in done.stderr


@pytest.mark.parametrize("words", [["--scenario", str(PLAYS)], ["--", "chat:app"]])
def test_scenario_and_application_go_together(tmp_path, words):
    done = diff(tmp_path, "a", "b", *words)
    assert done.returncode == 2 and "go together" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows reads no #! line")
def test_a_python_that_is_too_old_is_refused_in_one_clear_sentence(tmp_path):
    """Here one pretends to be: it starts what it is told to as if it were an older one."""
    pretender = tmp_path / "python3.9"
    pretender.write_text(
        f"#!{sys.executable}\n"
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "sys.version_info = (3, 9, 18, 'final', 0)\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    pretender.chmod(0o755)
    done = diff(
        tmp_path, pretender, sys.executable, "--scenario", f"{PLAYS}:chat", "--", "python", "-m", "tests.apps.chat"
    )  # fmt: skip
    assert done.returncode == 5
    assert "Why: it is Python 3.9.18; 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / "recordings").exists()
