"""Programs that are found, and one clear error where they are not."""

from __future__ import annotations

import socket

import pytest

from utils import lab
from utils.cluster import programs
from utils.errors import EnvironmentLack


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine on which nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_MORE_FOLDERS", ())
    monkeypatch.setattr(programs, "_POSTGRESQL", tmp_path)


@pytest.mark.parametrize("program", programs.PACKAGES)
def test_what_is_missing_is_named_with_the_remedy(bare, program):
    with pytest.raises(EnvironmentLack) as raised:
        programs.find(program)
    assert f"apt install {programs.PACKAGES[program]}" in str(raised.value)
    assert "SOCKETIO_LAB_MODE=replay" in str(raised.value)


def test_a_cluster_says_it_before_anything_is_started_and_replay_still_works(bare, monkeypatch):
    with pytest.raises(EnvironmentLack, match="redis-server is not installed"):
        lab.start_cluster("lab_server", mode="tap")
    cluster = lab.start_cluster("lab_server", mode="replay")
    try:
        assert "nothing runs" in repr(cluster)

        def two_servers(session):
            pytest.fail("nothing is played in replay")

        assert lab.record(two_servers).recording.meta.name == "two_servers"
    finally:
        lab.stop()


def test_the_newest_postgresql_is_taken(bare, tmp_path):
    for version in ("9.6", "15", "x"):
        (tmp_path / version / "bin").mkdir(parents=True)
        program = tmp_path / version / "bin" / "initdb"
        program.touch(mode=0o755)
    assert programs.find("initdb") == tmp_path / "15" / "bin" / "initdb"


def test_a_free_port_can_be_taken():
    with socket.create_server(("127.0.0.1", programs.free_port())):
        pass
