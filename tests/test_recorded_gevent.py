"""An application on gevent, recorded unchanged: greenlets are threads, and every journey is whole."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from utils import lab
from utils.load.subjects import gevent_python
from utils.records import HandOffKind, StepKind

pytestmark = pytest.mark.network

ROOT = Path(__file__).resolve().parent.parent
PLAYS = ROOT / "tests" / "apps" / "plays.py"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gevent")

    @functools.cache
    def once(play, *words, mode="tap"):
        command = [
            sys.executable,
            str(ROOT / "utils" / "processes" / "boot.py"),
            "utils.cli.main",
            "record",
            "--json",
        ]
        done = subprocess.run(
            [*command, "--mode", mode, "--scenario", f"{PLAYS}:{play}", str(gevent_python()), *words],
            cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return lab.load(folder / json.loads(done.stdout)["recording"])

    return once


def handlers(module):
    code = f"import sys; sys.argv[1:] = [{module!r}]; from tests.apps.registered import main; main()"
    done = subprocess.run(
        [gevent_python(), "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=True
    )  # fmt: skip
    return {tuple(each) for each in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("play", "words", "module"),
    [
        ("ticker", ("-m", "tests.apps.ticker"), "tests.apps.ticker:app"),
        ("bare", ("-m", "tests.apps.bare_on_gevent"), "tests.apps.bare:app"),
    ],
)
def test_no_handler_is_missed_and_every_byte_has_its_line(recorded, play, words, module):
    run = recorded(play, *words)
    trace = run.recording.trace("server")
    assert trace.faults == trace.lost == 0
    wanted = handlers(module)
    assert wanted
    assert wanted <= {
        (Path(call.code.filename.rpartition(":")[2]).name, call.code.name) for call in trace.calls
    }
    report = run.check()
    assert report.whole, report


def test_the_journey_of_an_event_goes_from_the_client_through_the_greenlets_and_back(recorded):
    run = recorded("ticker", "-m", "tests.apps.ticker")
    steps = run.journey("order").steps
    titles = [step.title for step in steps]
    wire = [step.message.unit.packets[0].socketio.event for step in steps if step.kind is StepKind.WIRE]
    assert wire[0] == "order" and {"filled", "price"} <= set(wire)
    order = [
        titles.index(name)
        for name in ("SimpleClient.call", "Event.set → Base.receive", "Greenlet.start → Greenlet.run", "order", "SimpleQueue.put → SimpleQueue.get")
    ]  # fmt: skip
    assert order == sorted(order)
    threads = {step.thread for step in steps if step.process == "server"}
    assert len(threads) >= 5  # the reader, the socket's, the handler's, and a writer for each client


def test_work_is_handed_on_in_every_way(recorded):
    trace = recorded("ticker", "-m", "tests.apps.ticker").recording.trace("server")
    assert {handoff.kind for handoff in trace.handoffs} == set(HandOffKind)
    by_id = {call.id: call for call in trace.calls}
    for handoff in trace.handoffs:
        assert by_id[handoff.given].thread != by_id[handoff.taken].thread
        assert handoff.given_ns <= handoff.taken_ns
