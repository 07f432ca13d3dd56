"""The auction house: what may happen to lots and bids, each in one transaction.

A method that returns has committed; one that raises Refused has changed
nothing.  Of two bids at the same moment for one lot the second is judged
against the first, whichever thread, process or machine they came through.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from lab_server.database import bids, lots, reading, writing
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
        return asdict(self)


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
        return asdict(self)


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


@dataclass(slots=True)
class _Offer:
    """A bid on its way, and what came of it."""

    bid_id: str
    lot_id: int
    bidder: str
    cents: int
    outcome: BidView | Exception | None = None

    def answer(self) -> BidView:
        """The accepted bid.  Raises what kept it from being accepted."""
        if isinstance(self.outcome, BidView):
            return self.outcome
        assert self.outcome is not None
        raise self.outcome


class House:
    """Lots and bids on one database.  Every method may be called from any thread."""

    def __init__(self, engine: Engine, *, now: Callable[[], int] = unix_milliseconds) -> None:
        self.engine = engine
        self.now = now
        self._writing = writing(engine)
        self._reading = reading(engine)
        # SQLite knows one writer at a time and lets the others poll for their turn; inside
        # one process a lock hands the turn on at once.  PostgreSQL locks by row: no need.
        self._takes_turns = engine.dialect.name == "sqlite"
        self._turn = threading.Lock() if self._takes_turns else nullcontext()
        self._waiting: deque[_Offer] = deque()
        #: Calls a function that waits for the disk; whoever must not wait with it sets another one.
        self.aside: Callable[[Callable[..., None], tuple[Any, ...]], object] = _at_once

    # ── bids ─────────────────────────────────────────────────────────────────

    def place_bid(self, bid_id: str, lot_id: int, bidder: str, cents: int) -> BidView:
        """Accept a bid, or raise Refused.  The same bid again returns the same view."""
        offer = _Offer(bid_id, lot_id, bidder, cents)
        if self._takes_turns:
            self._waiting.append(offer)
            with self._turn:
                # The disk is waited for once for all who came while the one before was waited for.
                if offer.outcome is None:
                    self._place_all_that_wait()
        else:
            try:
                self._place([offer])
            except IntegrityError:
                # Another process recorded this id between our look and our insert: look again.
                self._place([offer])
        return offer.answer()

    def _place_all_that_wait(self) -> None:
        offers = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._place(offers)
        except Exception as error:
            # Nothing was committed: nobody is told otherwise.
            for offer in offers:
                offer.outcome = error

    def _place(self, offers: Sequence[_Offer]) -> None:
        """Judge all in one transaction; what came of them is known when it is committed.

        Of bids that came together the lower is judged first: then both can stand.
        """
        with self._writing.connect() as connection:
            self.aside(self._judge_and_commit, (connection, sorted(offers, key=lambda offer: offer.cents)))

    def _judge_and_commit(self, connection: Connection, offers: Sequence[_Offer]) -> None:
        with connection.begin():
            outcomes = [self._judged(connection, offer) for offer in offers]
        for offer, outcome in zip(offers, outcomes, strict=True):
            offer.outcome = outcome

    def _judged(self, transaction: Connection, offer: _Offer) -> BidView | Refused:
        try:
            lot = _locked(transaction, offer.lot_id)
            known = transaction.execute(select(bids).where(bids.c.id == offer.bid_id)).one_or_none()
            if known is not None:
                if (known.lot_id, known.bidder, known.cents) != (offer.lot_id, offer.bidder, offer.cents):
                    raise Refused("reused_id", "This bid's id belongs to another bid.")
                return _view_bid(known)
            highest = _highest(transaction, offer.lot_id)
            # The clock is read under the lock: whoever waited for it may have waited too long.
            now = self.now()
            judge(_standing(lot, highest), offer.bidder, offer.cents, now)
        except Refused as refused:  # before anything was written
            return refused
        placed = BidView(highest.number + 1 if highest else 1, offer.bidder, offer.cents, now)
        row = {"id": offer.bid_id, "lot_id": offer.lot_id, **asdict(placed)}
        transaction.execute(insert(bids).values(row))
        return placed

    # ── looking ──────────────────────────────────────────────────────────────

    def lots(self) -> list[LotView]:
        """All lots, those that close first in front; closed ones last, the latest first."""
        last = (
            select(bids.c.lot_id, func.max(bids.c.number).label("number")).group_by(bids.c.lot_id).subquery()
        )
        latest = select(bids).join(last, (bids.c.lot_id == last.c.lot_id) & (bids.c.number == last.c.number))
        with self._reading.begin() as transaction:
            highest = {bid.lot_id: _view_bid(bid) for bid in transaction.execute(latest)}
            views = [_view_lot(lot, highest.get(lot.id)) for lot in transaction.execute(_LOT)]
        return sorted(views, key=lambda lot: (lot.closed, -lot.closes_at if lot.closed else lot.closes_at))

    def lot(self, lot_id: int, *, after: int = 0) -> tuple[LotView, list[BidView]]:
        """A lot and its bids numbered above ``after``, oldest first.  Raises Refused if unknown."""
        missed = select(bids).where(bids.c.lot_id == lot_id, bids.c.number > after).order_by(bids.c.number)
        with self._reading.begin() as transaction:
            lot = _found(transaction.execute(_LOT.where(lots.c.id == lot_id)), lot_id)
            history = [_view_bid(bid) for bid in transaction.execute(missed)]
            return _view_lot(lot, _highest(transaction, lot_id)), history

    def picture(self, lot_id: int) -> tuple[bytes, str] | None:
        """A lot's picture and its media type, or None.  Raises Refused for an unknown lot."""
        query = select(lots.c.picture, lots.c.picture_type).where(lots.c.id == lot_id)
        with self._reading.begin() as transaction:
            lot = _found(transaction.execute(query), lot_id)
        return (lot.picture, lot.picture_type) if lot.picture_type else None

    # ── the auctioneer's hand ────────────────────────────────────────────────

    def open_lot(self, new: NewLot) -> LotView:
        """Put a lot up for sale, from now on."""
        with self._write() as transaction:
            return _view_lot(_locked(transaction, self._add(transaction, new)), None)

    def open_if_none_is(self, lots_to_open: Sequence[NewLot]) -> bool:
        """Open these lots unless some lot is open; whether they were."""
        with self._write() as transaction:
            if self.engine.dialect.name == "postgresql":
                # No row to lock stands for "no lot"; processes that start together take turns.
                transaction.execute(select(func.pg_advisory_xact_lock(4)))
            is_open = ~lots.c.closed & (lots.c.closes_at > self.now())
            if transaction.scalar(select(lots.c.id).where(is_open).limit(1)) is not None:
                return False
            for new in lots_to_open:
                self._add(transaction, new)
            return True

    def set_closing_time(self, lot_id: int, closes_at: int) -> LotView:
        """Let an open lot close at another time.  Raises Refused if it has closed."""
        with self._write() as transaction:
            lot = _locked(transaction, lot_id)
            highest = _highest(transaction, lot_id)
            if not _standing(lot, highest).is_open(self.now()):
                raise Refused("closed", "This lot is closed.", closes_at=lot.closes_at)
            return _view_lot(_changed(transaction, lot_id, closes_at=closes_at), highest)

    def set_picture(self, lot_id: int, picture: bytes, picture_type: str) -> None:
        """Give a lot a picture.  Raises Refused for an unknown lot."""
        with self._write() as transaction:
            _changed(transaction, lot_id, picture=picture, picture_type=picture_type)

    def close_due(self) -> list[LotView]:
        """Close every lot whose time has come; return those that *this* call closed.

        Of several processes that call it, one gets each lot: so a closing is
        announced once.
        """
        closed = []
        due = select(lots.c.id).where(~lots.c.closed, lots.c.closes_at <= self.now()).order_by(lots.c.id)
        with self._reading.begin() as transaction:
            waiting = transaction.scalars(due).all()
        for lot_id in waiting:
            with self._write() as transaction:
                lot = _locked(transaction, lot_id)
                if not lot.closed and lot.closes_at <= self.now():
                    lot = _changed(transaction, lot_id, closed=True)
                    closed.append(_view_lot(lot, _highest(transaction, lot_id)))
        return closed

    # ── inside ───────────────────────────────────────────────────────────────

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        # Leaving the block commits, and only then does the caller's "return" happen.
        with self._turn, self._writing.begin() as transaction:
            yield transaction

    def _add(self, transaction: Connection, new: NewLot) -> int:
        values = asdict(new)
        closes_at = self.now() + 1000 * values.pop("open_for_seconds")
        added = insert(lots).values(closes_at=closes_at, closed=False, **values).returning(lots.c.id)
        return int(transaction.execute(added).scalar_one())


#: A lot without its picture, which is large and mostly not wanted.
_LOT = select(*(column for column in lots.c if column.name != "picture"))


def _at_once(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    work(*arguments)


def _found(result: CursorResult[Any], lot_id: int) -> Row[Any]:
    row = result.one_or_none()
    if row is None:
        raise Refused("unknown_lot", f"There is no lot {lot_id}.")
    return row


def _locked(transaction: Connection, lot_id: int) -> Row[Any]:
    # The lot's row is the lock for everything about the lot.  (On SQLite "for update" says
    # nothing: there the transaction has the whole database.)
    return _found(transaction.execute(_LOT.where(lots.c.id == lot_id).with_for_update()), lot_id)


def _changed(transaction: Connection, lot_id: int, **values: Any) -> Row[Any]:
    transaction.execute(update(lots).where(lots.c.id == lot_id).values(**values))
    return _locked(transaction, lot_id)


def _highest(transaction: Connection, lot_id: int) -> BidView | None:
    query = select(bids).where(bids.c.lot_id == lot_id).order_by(bids.c.number.desc()).limit(1)
    bid = transaction.execute(query).one_or_none()
    return None if bid is None else _view_bid(bid)


def _standing(lot: Row[Any], highest: BidView | None) -> Standing:
    return Standing(
        opening_cents=lot.opening_cents,
        increment_cents=lot.increment_cents,
        closes_at=lot.closes_at,
        closed=lot.closed,
        highest_cents=highest.cents if highest else None,
        leader=highest.bidder if highest else None,
    )


def _view_bid(bid: Row[Any]) -> BidView:
    return BidView(bid.number, bid.bidder, bid.cents, bid.placed_at)


def _view_lot(lot: Row[Any], highest: BidView | None) -> LotView:
    return LotView(
        id=lot.id,
        title=lot.title,
        description=lot.description,
        closes_at=lot.closes_at,
        closed=lot.closed,
        opening_cents=lot.opening_cents,
        increment_cents=lot.increment_cents,
        minimum_cents=_standing(lot, highest).minimum_cents,
        highest=highest,
        has_picture=lot.picture_type is not None,
    )
