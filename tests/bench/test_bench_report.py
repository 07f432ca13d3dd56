"""A long and busy recording is reported in bounded memory: beyond the recording itself, little is held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.busy import CALLS, PACKETS

pytestmark = pytest.mark.bench

ROOT = Path(__file__).resolve().parents[2]

#: The peak while it is written, against what the recording alone takes.
MOST_MEMORY = 4


def test_a_recording_of_100_000_calls_and_20_000_packets(tmp_path, capsys):
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.busy", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=280,
    )  # fmt: skip
    calls, packets, took, held, peak, size = map(float, done.stdout.split())
    with capsys.disabled():
        print(
            f"\n{calls:,.0f} calls, {packets:,.0f} packets: {took} s, "
            f"{peak / 1024:.0f} MiB at the peak, {held / 1024:.0f} before, {size:,.0f} bytes"
        )
    assert calls >= CALLS and packets >= PACKETS
    assert peak <= MOST_MEMORY * held
    # What happened a hundred times is told once.
    assert size < 2_000_000
