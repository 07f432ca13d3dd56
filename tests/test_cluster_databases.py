"""The databases of a cluster: fresh, private, and gone with it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.waiting import eventually
from utils.cluster import databases
from utils.errors import ProcessError


def test_sqlite_is_a_file_in_the_clusters_folder(tmp_path):
    database = databases.sqlite(tmp_path)
    assert database.url == f"sqlite:///{tmp_path}/cluster.sqlite3"
    database.wait_until_ready()
    database.stop()


def test_postgresql_answers_on_its_socket_and_nowhere_else():
    with tempfile.TemporaryDirectory(prefix="lab-") as name:  # short: a socket's path has 107 bytes
        folder = Path(name)
        database = databases.postgresql(folder)
        database.wait_until_ready()
        try:
            with psycopg.connect(database.url) as connection:
                assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            process = psutil.Process(database.child.info["pid"])
        finally:
            database.stop()
        eventually(lambda: not process.is_running(), "its end")


def test_a_folder_that_cannot_hold_it_is_an_error(tmp_path):
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "data").mkdir()
    (tmp_path / "pg" / "data" / "something").touch()
    with pytest.raises((ProcessError, FileExistsError)):
        databases.postgresql(tmp_path)
