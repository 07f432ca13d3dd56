"""Servers run unchanged; gevent has an environment of its own, and what it lacks is said."""

from __future__ import annotations

import subprocess
import threading

import pytest

from utils.errors import EnvironmentLack
from utils.load import subjects
from utils.load.subjects import Running
from utils.load.values import Subject


def test_a_variable_without_a_value_is_a_fresh_secret(tmp_path):
    environment = (("LAB_SERVER_SECRET_KEY", ""), ("LAB_SERVER_DATABASE", "sqlite:///here.sqlite3"))
    servers = [Running(Subject("scenarios.floors", ("tcp",), environment=environment)) for _ in range(2)]
    try:
        assert servers[0].port != servers[1].port
        assert servers[0].cpu_ns() > 0
    finally:
        for server in servers:
            server.stop()
            server.stop()
            assert not server.folder.exists()


@pytest.mark.network
def test_the_environment_of_gevent_has_it_beside_everything_of_this_one():
    python = subjects.gevent_python()
    code = "import gevent, flask_socketio, socketio; print('both')"
    assert subprocess.run([python, "-c", code], capture_output=True, text=True).stdout == "both\n"
    assert subjects.gevent_python() == python


@pytest.mark.network
def test_two_who_make_it_at_a_time_get_one_that_is_whole(monkeypatch, tmp_path):
    monkeypatch.setattr(subjects, "_run", _run_offline)
    folder = tmp_path / "build" / "gevent"
    both = [threading.Thread(target=subjects._make, args=(folder,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert (folder / "pyvenv.cfg").is_file()
    assert list(folder.parent.iterdir()) == [folder]


def _run_offline(*command):
    """Everything but the installation."""
    if "install" not in command:
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_without_an_index_it_is_said_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(subjects, "ROOT", tmp_path)
    monkeypatch.setattr(
        subjects, "_make", lambda *_: subprocess.run(["false"], check=True, capture_output=True, text=True)
    )
    with pytest.raises(EnvironmentLack, match="connect to a package index once"):
        subjects.gevent_python.__wrapped__()
