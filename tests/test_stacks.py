"""The report's recordings can be made anew, and the pins say what was recorded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from utils import lab, recording
from utils.run import Run
from utils.versions.claims import CLAIMS, EVENT, Evidence

ROOT = Path(__file__).resolve().parent.parent


def test_the_pins_are_the_versions_that_were_recorded():
    lines = (ROOT / "stacks" / "report.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {one.name: str(one.specifier).removeprefix("==") for one in wanted if one.specifier}
    recorded = lab.replay("report_then").recording.meta.versions
    assert {name: pins.get(name) for name in recorded if name != "CPython"} == {
        name: version for name, version in recorded.items() if name != "CPython"
    }


def test_a_visit_is_recorded_with_the_versions_of_this_python(tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "stacks.py"), "record", "visit", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    run = Run(recording.load(tmp_path / "visit"))
    evidence = Evidence.of(run.recording, run.messages, run.journey(EVENT))
    assert all(claim.check(evidence).found for claim in CLAIMS)
    # No path of this machine is in it.
    assert str(tmp_path) not in repr(run.recording.meta)
