"""A name that nothing has any more: said loudly, with what it may be called now."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.worlds import Process
from utils import lab, libraries
from utils.errors import InputError
from utils.records import Call, Code
from utils.versions import pins
from utils.versions.drift import missing

ROOT = Path(__file__).resolve().parents[1]

EMIT = Code("python-socketio:socketio/simple_client.py", "SimpleClient.emit", 112)


def called(*codes):
    return [Call(n, "client", 1, code, None, 0, n, n + 1) for n, code in enumerate(codes)]


@pytest.fixture
def version():
    return libraries.distribution("python-socketio").version


def said(name, *codes, versions=None, known=()):
    return str(missing(f"there is no {name}", name, called(*codes), versions or {}, known))


def test_the_nearest_names_are_told_with_their_library_version_and_line(version):
    told = said("SimpleClient.emitt", EMIT)
    assert f"SimpleClient.emit (python-socketio {version}, socketio/simple_client.py:112)" in told
    assert "level 3 of a stepper" in told


def test_the_end_of_a_qualified_name_is_compared_with_ends():
    told = said("emits", EMIT, Code(EMIT.filename, "Client.connect", 9))
    assert "SimpleClient.emit (" in told and "connect" not in told


def test_what_is_not_alike_is_not_told():
    assert "nearest" not in said("quite another thing", EMIT)


def test_another_version_than_the_checked_one_is_named():
    told = said("SimpleClient.emitt", EMIT, versions={"python-socketio": "99.1"})
    checked = pins.pin("python-socketio")
    assert f"recorded with python-socketio 99.1, and the walkthrough was checked with {checked}" in told
    assert "by its new name" in told


def test_other_things_that_can_be_asked_for_are_listed():
    told = said("bids", known=("open", "bid"))
    assert "those in it are 'open', 'bid'" in told


def test_where_nothing_ran_that_is_said():
    assert "no function ran in it" in said("bid")


def test_an_applications_own_functions_are_told_by_name():
    server = Process("server")
    server.call(1, "place_bid", 0, 1)
    assert "place_bid" in str(missing("x", "place_bids", server.trace.calls, {}))


@pytest.mark.parametrize("ask", ["stepper", "calls", "exceptions", "provenance", "waterfall", "frames"])
def test_each_verb_of_a_run_helps_in_the_same_way(ask, version):
    with pytest.raises(InputError, match=re.escape(f"SimpleClient.connect (python-socketio {version}")):
        getattr(lab.replay("one_bid"), ask)("SimpleClient.conect")


# ── a library that has really renamed something ──────────────────────────────

#: As a notebook does it, and then as a notebook goes on that was written before the change.
CELLS = """
from scenarios.plays import one_bid
from utils import lab
import socketio.server

print(hasattr(socketio.server.Server, "_handle_event"))
lab.start("lab_server", "--port", "0", "--lesson", "seed", mode="tap")
run = lab.record(one_bid)
print(run.received("replaced values")["bob"])
run.stepper("Server._handle_event")
"""

RENAMED = ("_handle_event", "_take_event")


@pytest.fixture
def upgraded(tmp_path) -> Path:
    """An environment in which python-socketio has another version, and calls a function by another name."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    packages, *_ = sorted(folder.glob("[Ll]ib*/**/site-packages"))  # lib64 leads to lib
    _copy(Path(sysconfig.get_path("purelib")), packages)
    for path in (packages / "socketio").glob("*.py"):
        text = path.read_text()
        changed = re.sub(rf"\b{RENAMED[0]}\b", RENAMED[1], text)
        if changed != text:
            path.unlink()  # the copy is a link
            path.write_text(changed)
    (facts,) = packages.glob("python_socketio-*.dist-info")
    metadata = (facts / "METADATA").read_text()
    (facts / "METADATA").unlink()
    (facts / "METADATA").write_text(re.sub(r"(?m)^Version: .*$", "Version: 99.1.0", metadata))
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def _copy(source: Path, target: Path) -> None:
    """All installed packages, linked where the file system allows: nothing is written twice."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    # What no recording needs, and takes the longest.
    unneeded = shutil.ignore_patterns(
        "__pycache__", "jupyter*", "playwright", "mypy*", "nb*", "debugpy", "babel", "PIL", "tests"
    )
    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True, ignore=unneeded)


def test_a_library_that_renamed_a_function_is_named_with_its_new_name_and_both_versions(upgraded):
    done = subprocess.run(
        [upgraded, "-c", CELLS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == ["False", "[[{'lot': 1, 'cents': 12500}]]"], done.stderr
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("utils.errors.InputError: there is no journey 'Server._handle_event'")
    assert re.search(r"Server\._take_event \(python-socketio 99\.1\.0, socketio/server\.py:\d+\)", error)
    checked = pins.pin("python-socketio")
    assert f"recorded with python-socketio 99.1.0, and the walkthrough was checked with {checked}" in error
