"""The tables, and an engine that keeps a promise once it has been made.

What is committed survives a kill at any instant: SQLite writes ahead (WAL) and
waits for the disk (``synchronous=FULL``); PostgreSQL does so by itself.  A
writing transaction takes its lock when it begins, never half way.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url

#: How long a transaction waits for another one's lock, in seconds.
LOCK_PATIENCE = 10


metadata = MetaData()

#: Things for sale.  A lot's price is not stored here: the bids are the truth.
lots = Table(
    "lots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String(80), nullable=False),
    Column("description", String(400), nullable=False),
    Column("opening_cents", BigInteger, nullable=False),
    Column("increment_cents", BigInteger, nullable=False),
    Column("closes_at", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("picture", LargeBinary),
    Column("picture_type", String(20)),
)

#: Accepted bids.  ``id`` is chosen by the bidder's client, once for each bid: whoever sends the
#: same bid again, because no answer came, does not bid twice.  ``number`` counts the bids of one
#: lot from 1, without gaps: whoever knows the last number that it saw knows what it has missed.
bids = Table(
    "bids",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("lot_id", ForeignKey("lots.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("bidder", String(40), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    UniqueConstraint("lot_id", "number"),
)


def connect(url: str) -> Engine:
    """An engine for ``url``, with the tables in place.

    ``sqlite:///file`` and ``postgresql+psycopg://...`` are supported; a plain
    ``postgresql://`` is taken to mean the latter.  Raises
    sqlalchemy.exc.SQLAlchemyError if the database cannot be used.
    """
    address = make_url(url)
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 10}
    if address.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": LOCK_PATIENCE, "check_same_thread": False}
    else:
        options["connect_args"] = {"options": f"-c lock_timeout={LOCK_PATIENCE}s"}
    engine = create_engine(address, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _make_durable)
        event.listen(engine, "begin", _begin_with_the_lock)
    with writing(engine).begin() as connection:
        _create_tables(connection)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine, whose transactions are going to write."""
    return engine.execution_options(auction_writes=True)


def reading(engine: Engine) -> Engine:
    """The same engine, whose transactions see one state of the world, unchanging."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def _create_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Several processes may start at once; "create if absent" alone can collide in PostgreSQL.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(3)")
    metadata.create_all(connection)


def _make_durable(connection: sqlite3.Connection, _record: Any) -> None:
    # From here on SQLAlchemy says BEGIN, not the driver, which would say it too late.
    connection.isolation_level = None
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # The one statement for which SQLite does not wait: of processes that start together on
    # a new file, all but one are told "locked".  The file keeps the mode.
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_with_the_lock(connection: Connection) -> None:
    # A transaction that reads first and asks for the write lock later can find that
    # what it read has changed: then SQLite can only fail it.
    writes = connection.get_execution_options().get("auction_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
