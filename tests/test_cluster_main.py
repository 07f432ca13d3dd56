"""One command starts a cluster, and a signal stops all of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import psutil
import pytest
import requests
from click.testing import CliRunner

from tests.waiting import eventually
from utils.cluster.__main__ import main


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number):
    command = [sys.executable, "-m", "utils.cluster", "run", "--servers", "2", "lab_server"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = ""
    while "Ctrl-C" not in told:
        line = running.stdout.readline()
        assert line, told
        told += line
    assert {"server 1", "server 2", "Redis", "nginx"} <= {line[:10].strip() for line in told.splitlines()}
    url = re.search(r"http://\S+", told)[0]
    assert requests.get(f"{url}/healthz", timeout=30).json()
    children = psutil.Process(running.pid).children(recursive=True)
    os.kill(running.pid, number)
    assert running.wait(30) == 0
    running.stdout.close()
    eventually(lambda: not any(child.is_running() for child in children), "the end of all of it")


def test_what_cannot_be_started_is_one_clear_error(monkeypatch, tmp_path):
    from utils.cluster import programs

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_MORE_FOLDERS", ())
    result = CliRunner().invoke(main, ["run", "lab_server"])
    assert result.exit_code == 1 and "apt install redis-server" in result.output


def test_measurements_are_kept(monkeypatch, tmp_path):
    from utils.cluster import measuring

    made = measuring.Measurements({"cores": "1"}, (), ())
    monkeypatch.setattr(measuring, "measure", lambda module, say: made)
    path = tmp_path / "x.json"
    assert CliRunner().invoke(main, ["measure", str(path)]).exit_code == 0
    assert measuring.load(path) == made
