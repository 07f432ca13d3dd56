"""What the engine promises: durability, one spelling of the URL, and starts that do not collide."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from lab_server.database import connect, writing


def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    engine.dispose()
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2 is FULL


def test_postgresql_waits_for_the_disk(postgresql: str) -> None:
    engine = connect(f"postgresql://auction@/postgres?host={postgresql}")
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert connection.scalar(text("SHOW fsync")) == "on"
    engine.dispose()


def test_a_writing_transaction_has_its_lock_from_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    engine, other = connect(url), connect(url)
    with other.connect() as impatient:
        impatient.exec_driver_sql("PRAGMA busy_timeout=0")
        impatient.rollback()
        with writing(engine).begin():
            with other.begin() as reader:  # readers are not kept waiting
                assert reader.scalar(text("SELECT count(*) FROM lots")) == 0
            with pytest.raises(OperationalError, match="locked"):
                impatient.execution_options(auction_writes=True).begin()
    engine.dispose()
    other.dispose()


def test_the_tables_outlive_the_engine(database: str) -> None:
    connect(database).dispose()
    engine = connect(database)
    assert {"lots", "bids"} <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_processes_that_start_together_do_not_collide(database: str) -> None:
    start, failures = threading.Barrier(6), []

    def open_it() -> None:
        start.wait(30)
        try:
            connect(database).dispose()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
