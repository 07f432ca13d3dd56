"""The tables, and an engine that keeps a promise once it has been made.

What is committed survives a kill at any instant: SQLite writes ahead (WAL) and
waits for the disk (``synchronous=FULL``); PostgreSQL does so by itself.  A
writing transaction takes its lock when it begins, never half way.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: How long a transaction waits for another one's lock, in seconds.
LOCK_PATIENCE = 10


class Base(DeclarativeBase):
    """The declarative base of the two tables."""


class Lot(Base):
    """A thing for sale.  Its price is not stored here: the bids are the truth."""

    __tablename__ = "lots"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(400))
    opening_cents: Mapped[int] = mapped_column(BigInteger)
    increment_cents: Mapped[int] = mapped_column(BigInteger)
    closes_at: Mapped[int] = mapped_column(BigInteger)
    closed: Mapped[bool] = mapped_column(default=False)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    picture_type: Mapped[str | None] = mapped_column(String(20))


class Bid(Base):
    """An accepted bid.

    ``id`` is chosen by the bidder's client, once for each bid: whoever sends
    the same bid again, because no answer came, does not bid twice.  ``number``
    counts the bids of one lot from 1, without gaps: whoever knows the last
    number that it saw knows what it has missed.
    """

    __tablename__ = "bids"
    __table_args__ = (UniqueConstraint("lot_id", "number"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("lots.id"))
    number: Mapped[int]
    bidder: Mapped[str] = mapped_column(String(40))
    cents: Mapped[int] = mapped_column(BigInteger)
    placed_at: Mapped[int] = mapped_column(BigInteger)


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
    with engine.begin() as connection:
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
    Base.metadata.create_all(connection)


def _make_durable(connection: Any, _record: Any) -> None:
    # From here on SQLAlchemy says BEGIN, not the driver, which would say it too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_with_the_lock(connection: Connection) -> None:
    # A transaction that reads first and asks for the write lock later can find that
    # what it read has changed: then SQLite can only fail it.
    writes = connection.get_execution_options().get("auction_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
