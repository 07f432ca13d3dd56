"""The auction house: what may happen to lots and bids, each in one transaction.

A method that returns has committed; one that raises Refused has changed
nothing.  Of two bids at the same moment for one lot the second is judged
against the first, whichever thread, process or machine they came through.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lab_server.database import Bid, Lot, reading, writing
from lab_server.rules import Refused, Standing, judge


def unix_milliseconds() -> int:
    """The time by this machine's clock, in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class BidView:
    """An accepted bid, as everybody may see it."""

    number: int
    bidder: str
    cents: int
    placed_at: int

    def as_json(self) -> dict[str, Any]:
        """The bid as it travels."""
        return {
            "number": self.number,
            "bidder": self.bidder,
            "cents": self.cents,
            "placed_at": self.placed_at,
        }


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot and its highest bid, as everybody may see them."""

    id: int
    title: str
    description: str
    closes_at: int
    closed: bool
    opening_cents: int
    increment_cents: int
    minimum_cents: int
    highest: BidView | None
    has_picture: bool

    def as_json(self) -> dict[str, Any]:
        """The lot as it travels."""
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "closes_at": self.closes_at,
            "closed": self.closed,
            "opening_cents": self.opening_cents,
            "increment_cents": self.increment_cents,
            "minimum_cents": self.minimum_cents,
            "highest": self.highest.as_json() if self.highest else None,
            "has_picture": self.has_picture,
        }


@dataclass(frozen=True, slots=True)
class NewLot:
    """What the auctioneer says about a lot that is to be opened."""

    title: str
    description: str
    opening_cents: int
    increment_cents: int
    open_for_seconds: int
    picture: bytes | None = None
    picture_type: str | None = None


class House:
    """Lots and bids on one database.  Every method may be called from any thread."""

    def __init__(self, engine: Engine, *, now: Callable[[], int] = unix_milliseconds) -> None:
        self.engine = engine
        self.now = now
        self._writing = writing(engine)
        self._reading = reading(engine)
        # SQLite knows one writer at a time and lets the others poll for their turn; inside
        # one process a lock hands the turn on at once.  PostgreSQL locks by row: no need.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    # ── bids ─────────────────────────────────────────────────────────────────

    def place_bid(self, bid_id: str, lot_id: int, bidder: str, cents: int) -> BidView:
        """Accept a bid, or raise Refused.  The same bid again returns the same view."""
        try:
            return self._place_bid(bid_id, lot_id, bidder, cents)
        except IntegrityError:
            # Another process recorded this id between our look and our insert: look again.
            return self._place_bid(bid_id, lot_id, bidder, cents)

    def _place_bid(self, bid_id: str, lot_id: int, bidder: str, cents: int) -> BidView:
        with self._write() as session:
            lot = _locked(session, lot_id)
            known = session.get(Bid, bid_id)
            if known is not None:
                if (known.lot_id, known.bidder, known.cents) != (lot_id, bidder, cents):
                    raise Refused("reused_id", "This bid's id belongs to another bid.")
                return _view_bid(known)
            highest = _highest(session, lot_id)
            # The clock is read under the lock: whoever waited for it may have waited too long.
            now = self.now()
            judge(_standing(lot, highest), bidder, cents, now)
            number = highest.number + 1 if highest else 1
            bid = Bid(id=bid_id, lot_id=lot_id, number=number, bidder=bidder, cents=cents, placed_at=now)
            session.add(bid)
            session.flush()
            return _view_bid(bid)

    # ── looking ──────────────────────────────────────────────────────────────

    def lots(self) -> list[LotView]:
        """All lots, those that close first in front; closed ones last, the latest first."""
        latest = select(Bid.lot_id, func.max(Bid.number).label("number")).group_by(Bid.lot_id).subquery()
        query = (
            select(Lot, Bid)
            .outerjoin(latest, latest.c.lot_id == Lot.id)
            .outerjoin(Bid, (Bid.lot_id == Lot.id) & (Bid.number == latest.c.number))
        )
        with Session(self._reading) as session:
            views = [_view_lot(lot, highest) for lot, highest in session.execute(query).all()]
        return sorted(views, key=lambda lot: (lot.closed, -lot.closes_at if lot.closed else lot.closes_at))

    def lot(self, lot_id: int, *, after: int = 0) -> tuple[LotView, list[BidView]]:
        """A lot and its bids numbered above ``after``, oldest first.  Raises Refused if unknown."""
        with Session(self._reading) as session:
            lot = session.get(Lot, lot_id) or _unknown(lot_id)
            query = select(Bid).where(Bid.lot_id == lot_id, Bid.number > after).order_by(Bid.number)
            bids = [_view_bid(bid) for bid in session.scalars(query)]
            return _view_lot(lot, _highest(session, lot_id)), bids

    def picture(self, lot_id: int) -> tuple[bytes, str] | None:
        """A lot's picture and its media type, or None.  Raises Refused for an unknown lot."""
        with Session(self._reading) as session:
            lot = session.get(Lot, lot_id) or _unknown(lot_id)
            if lot.picture is None or lot.picture_type is None:
                return None
            return lot.picture, lot.picture_type

    # ── the auctioneer's hand ────────────────────────────────────────────────

    def open_lot(self, new: NewLot) -> LotView:
        """Put a lot up for sale, from now on."""
        with self._write() as session:
            return _view_lot(self._add(session, new), None)

    def open_if_none_is(self, lots: Sequence[NewLot]) -> bool:
        """Open ``lots`` unless some lot is open; whether they were."""
        with self._write() as session:
            if self.engine.dialect.name == "postgresql":
                # No row to lock stands for "no lot"; processes that start together take turns.
                session.execute(select(func.pg_advisory_xact_lock(4)))
            standing_open = select(Lot.id).where(~Lot.closed, Lot.closes_at > self.now()).limit(1)
            if session.scalar(standing_open) is not None:
                return False
            for new in lots:
                self._add(session, new)
            return True

    def set_closing_time(self, lot_id: int, closes_at: int) -> LotView:
        """Let an open lot close at another time.  Raises Refused if it has closed."""
        with self._write() as session:
            lot = _locked(session, lot_id)
            highest = _highest(session, lot_id)
            if not _standing(lot, highest).is_open(self.now()):
                raise Refused("closed", "This lot is closed.", closes_at=lot.closes_at)
            lot.closes_at = closes_at
            session.flush()
            return _view_lot(lot, highest)

    def set_picture(self, lot_id: int, picture: bytes, picture_type: str) -> None:
        """Give a lot a picture.  Raises Refused for an unknown lot."""
        with self._write() as session:
            lot = _locked(session, lot_id)
            lot.picture, lot.picture_type = picture, picture_type

    def close_due(self) -> list[LotView]:
        """Close every lot whose time has come; return those that *this* call closed.

        Of several processes that call it, one gets each lot: so a closing is
        announced once.
        """
        closed = []
        due = select(Lot.id).where(~Lot.closed, Lot.closes_at <= self.now()).order_by(Lot.id)
        with Session(self._reading) as session:
            waiting = session.scalars(due).all()
        for lot_id in waiting:
            with self._write() as session:
                lot = _locked(session, lot_id)
                if not lot.closed and lot.closes_at <= self.now():
                    lot.closed = True
                    session.flush()
                    closed.append(_view_lot(lot, _highest(session, lot_id)))
        return closed

    # ── inside ───────────────────────────────────────────────────────────────

    @contextmanager
    def _write(self) -> Iterator[Session]:
        # Leaving the block commits, and only then does the caller's "return" happen.
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def _add(self, session: Session, new: NewLot) -> Lot:
        lot = Lot(
            title=new.title,
            description=new.description,
            opening_cents=new.opening_cents,
            increment_cents=new.increment_cents,
            closes_at=self.now() + 1000 * new.open_for_seconds,
            closed=False,
            picture=new.picture,
            picture_type=new.picture_type,
        )
        session.add(lot)
        session.flush()
        return lot


def _unknown(lot_id: int) -> Lot:
    raise Refused("unknown_lot", f"There is no lot {lot_id}.")


def _locked(session: Session, lot_id: int) -> Lot:
    # The lot's row is the lock for everything about the lot.  (SQLite needs none: the
    # transaction has the whole database.)
    return session.get(Lot, lot_id, with_for_update=True) or _unknown(lot_id)


def _highest(session: Session, lot_id: int) -> Bid | None:
    return session.scalar(select(Bid).where(Bid.lot_id == lot_id).order_by(Bid.number.desc()).limit(1))


def _standing(lot: Lot, highest: Bid | None) -> Standing:
    return Standing(
        opening_cents=lot.opening_cents,
        increment_cents=lot.increment_cents,
        closes_at=lot.closes_at,
        closed=lot.closed,
        highest_cents=highest.cents if highest else None,
        leader=highest.bidder if highest else None,
    )


def _view_bid(bid: Bid) -> BidView:
    return BidView(bid.number, bid.bidder, bid.cents, bid.placed_at)


def _view_lot(lot: Lot, highest: Bid | None) -> LotView:
    return LotView(
        id=lot.id,
        title=lot.title,
        description=lot.description,
        closes_at=lot.closes_at,
        closed=lot.closed,
        opening_cents=lot.opening_cents,
        increment_cents=lot.increment_cents,
        minimum_cents=_standing(lot, highest).minimum_cents,
        highest=_view_bid(highest) if highest else None,
        has_picture=lot.picture_type is not None,
    )
