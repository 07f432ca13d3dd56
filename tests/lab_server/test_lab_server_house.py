"""The auction house, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
import threading
import traceback
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from lab_server.database import connect, lots
from lab_server.house import House, NewLot
from lab_server.rules import Refused
from tests.waiting import eventually

SEXTANT = NewLot("Sextant", "", opening_cents=1000, increment_cents=50, open_for_seconds=60)


class Now:
    """A clock that stands still until it is moved."""

    milliseconds = 1_000_000

    def __call__(self) -> int:
        return self.milliseconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def house(database: str, now: Now) -> Iterator[House]:
    house = House(connect(database), now=now)
    yield house
    house.engine.dispose()


@pytest.fixture
def lot(house: House) -> int:
    return house.open_lot(SEXTANT).id


def fresh_id() -> str:
    return str(uuid.uuid4())


def test_a_bid_stands_and_counts(house: House, lot: int) -> None:
    first = house.place_bid(fresh_id(), lot, "Ada", 1000)
    second = house.place_bid(fresh_id(), lot, "Grace", 1100)
    assert (first.number, second.number) == (1, 2)
    view, bids = house.lot(lot)
    assert view.highest == second
    assert view.minimum_cents == 1150
    assert bids == [first, second]


def test_a_refused_bid_changes_nothing(house: House, lot: int) -> None:
    house.place_bid(fresh_id(), lot, "Ada", 1000)
    before = house.lot(lot)
    for bidder, cents in (("Ada", 2000), ("Grace", 1049)):
        with pytest.raises(Refused):
            house.place_bid(fresh_id(), lot, bidder, cents)
    assert house.lot(lot) == before


def test_the_same_bid_again_is_the_same_bid(house: House, lot: int) -> None:
    id = fresh_id()
    placed = house.place_bid(id, lot, "Ada", 1000)
    house.place_bid(fresh_id(), lot, "Grace", 1100)
    assert house.place_bid(id, lot, "Ada", 1000) == placed
    assert len(house.lot(lot)[1]) == 2


def test_the_same_bid_again_is_known_after_the_lot_has_closed(house: House, lot: int, now: Now) -> None:
    id = fresh_id()
    placed = house.place_bid(id, lot, "Ada", 1000)
    now.milliseconds += 60_000
    assert house.place_bid(id, lot, "Ada", 1000) == placed


@pytest.mark.parametrize("change", ["lot", "bidder", "cents"])
def test_an_id_belongs_to_one_bid(house: House, lot: int, change: str) -> None:
    other = house.open_lot(SEXTANT).id
    bid = {"bid_id": fresh_id(), "lot_id": lot, "bidder": "Ada", "cents": 1000}
    house.place_bid(**bid)
    key, value = {"lot": ("lot_id", other), "bidder": ("bidder", "Eve"), "cents": ("cents", 9000)}[change]
    with pytest.raises(Refused) as refused:
        house.place_bid(**{**bid, key: value})
    assert refused.value.code == "reused_id"


def test_an_unknown_lot_is_refused_everywhere(house: House) -> None:
    for request in (
        lambda: house.place_bid(fresh_id(), 77, "Ada", 1000),
        lambda: house.lot(77),
        lambda: house.picture(77),
        lambda: house.set_closing_time(77, 1),
        lambda: house.set_picture(77, b"", "image/png"),
    ):
        with pytest.raises(Refused) as refused:
            request()
        assert refused.value.code == "unknown_lot"


def test_bids_are_taken_until_the_closing_time_and_not_at_it(house: House, lot: int, now: Now) -> None:
    now.milliseconds += 59_999
    house.place_bid(fresh_id(), lot, "Ada", 1000)
    now.milliseconds += 1
    with pytest.raises(Refused) as refused:
        house.place_bid(fresh_id(), lot, "Grace", 1100)
    assert refused.value.code == "closed"


def test_who_waits_for_the_lock_is_judged_by_the_time_when_he_gets_it(
    house: House, lot: int, now: Now
) -> None:
    """A bid that came before the closing time, but whose turn comes after it, is too late."""
    answers: list[str] = []

    def late() -> None:
        try:
            house.place_bid(fresh_id(), lot, "Grace", 5000)
        except Refused as refused:
            answers.append(refused.code)

    thread = threading.Thread(target=late)
    with house._write() as transaction:  # another bid holds the lock ...
        transaction.execute(select(lots).where(lots.c.id == lot).with_for_update())
        thread.start()
        eventually(
            lambda: house._waiting if house.engine.dialect.name == "sqlite" else is_in(thread, "_locked")
        )
        now.milliseconds += 60_000  # ... and meanwhile the time is up
    thread.join(30)
    assert answers == ["closed"]


def is_in(thread: threading.Thread, function: str) -> bool:
    """Whether a function of that name is under way in ``thread``."""
    frame = sys._current_frames().get(thread.ident or 0)
    return any(each.f_code.co_name == function for each, _ in traceback.walk_stack(frame))


def test_of_bids_at_the_same_moment_exactly_one_wins(house: House, lot: int) -> None:
    bidders, rounds = 8, 25
    start = threading.Barrier(bidders)
    outcomes: list[list[str]] = [[] for _ in range(rounds)]

    def bid(name: str) -> None:
        for round in range(rounds):
            start.wait(30)
            try:
                house.place_bid(fresh_id(), lot, name, 1000 + 50 * round)
            except Refused as refused:
                outcomes[round].append(refused.code)
            else:
                outcomes[round].append("won")

    threads = [threading.Thread(target=bid, args=(f"Bidder {n}",)) for n in range(bidders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for round in outcomes:
        # A loser is told that it bid too low; last round's winner, should it lose, may also hear
        # that it leads already, if it came before the new winner.
        assert round.count("won") == 1, outcomes
        assert len(round) == bidders
        assert set(round) <= {"won", "too_low", "own_lead"}
    numbers = [bid.number for bid in house.lot(lot)[1]]
    assert numbers == list(range(1, rounds + 1))


def test_one_bid_sent_many_times_at_once_is_recorded_once(house: House, lot: int) -> None:
    id, start, seen = fresh_id(), threading.Barrier(8), []

    def send() -> None:
        start.wait(30)
        seen.append(house.place_bid(id, lot, "Ada", 1000))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert house.lot(lot)[1] == [seen[0]]


def test_one_id_on_two_lots_at_once_is_accepted_for_one(house: House, lot: int) -> None:
    """The lots' locks do not exclude each other; the id's uniqueness does."""
    other = house.open_lot(SEXTANT).id
    for _ in range(20):
        id, start, codes = fresh_id(), threading.Barrier(2), []
        cents = max(house.lot(each)[0].minimum_cents for each in (lot, other))
        name = f"Bidder {id[:8]}"

        def send(
            lot_id: int, id: str = id, start: threading.Barrier = start, codes: list[str] = codes,
            cents: int = cents, name: str = name,
        ) -> None:  # fmt: skip
            start.wait(30)
            try:
                house.place_bid(id, lot_id, name, cents)
                codes.append("won")
            except Refused as refused:
                codes.append(refused.code)

        threads = [threading.Thread(target=send, args=(each,)) for each in (lot, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(codes) == ["reused_id", "won"]


def test_who_knows_a_number_gets_what_came_after(house: House, lot: int) -> None:
    placed = [house.place_bid(fresh_id(), lot, "AB"[n % 2], 1000 + 50 * n) for n in range(5)]
    assert house.lot(lot, after=3)[1] == placed[3:]
    assert house.lot(lot, after=5)[1] == []


def test_a_lot_closes_once(house: House, lot: int, now: Now) -> None:
    house.place_bid(fresh_id(), lot, "Ada", 1000)
    assert house.close_due() == []
    now.milliseconds += 60_000
    (closed,) = house.close_due()
    assert closed.closed
    assert closed.highest is not None
    assert closed.highest.bidder == "Ada"
    assert house.close_due() == []


def test_of_several_processes_one_closes_a_lot(database: str, house: House, lot: int, now: Now) -> None:
    now.milliseconds += 60_000
    houses = [House(connect(database), now=now) for _ in range(4)]
    start, closed = threading.Barrier(4), []

    def close(house: House) -> None:
        start.wait(30)
        closed.extend(house.close_due())

    threads = [threading.Thread(target=close, args=(each,)) for each in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for each in houses:
        each.engine.dispose()
    assert [view.id for view in closed] == [lot]


def test_the_closing_time_can_be_moved_while_the_lot_is_open(house: House, lot: int, now: Now) -> None:
    assert house.set_closing_time(lot, now() + 5).closes_at == now() + 5
    now.milliseconds += 5
    with pytest.raises(Refused):
        house.set_closing_time(lot, now() + 1000)


def test_lots_that_close_first_come_first_and_closed_ones_last(house: House, now: Now) -> None:
    def opened(seconds: int) -> int:
        return house.open_lot(NewLot("A", "", 1, 1, seconds)).id

    past, later, soon = opened(1), opened(90), opened(30)
    now.milliseconds += 1000
    house.close_due()
    assert [view.id for view in house.lots()] == [soon, later, past]


def test_the_house_opens_its_lots_only_when_none_is_open(house: House, now: Now) -> None:
    assert house.open_if_none_is([SEXTANT, SEXTANT])
    assert not house.open_if_none_is([SEXTANT])
    now.milliseconds += 60_000
    assert house.open_if_none_is([SEXTANT])
    assert len(house.lots()) == 3


def test_a_picture_is_kept_with_its_type(house: House, lot: int) -> None:
    assert house.picture(lot) is None
    house.set_picture(lot, b"\x89PNG...", "image/png")
    assert house.picture(lot) == (b"\x89PNG...", "image/png")
    assert house.lot(lot)[0].has_picture


def test_sums_beyond_32_bits_are_kept_exactly(house: House, lot: int) -> None:
    house.place_bid(fresh_id(), lot, "Ada", 99_999_999_999)
    assert house.lot(lot)[1][0].cents == 99_999_999_999


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_bids_that_come_together_are_committed_together_the_lower_first(house: House, lot: int) -> None:
    commits: list[int] = []
    arrived = threading.Event()
    ordinary = house.aside

    def slowly(work: Any, arguments: Any) -> None:
        commits.append(len(arguments[1]))
        if len(commits) == 1:
            assert arrived.wait(30)
        ordinary(work, arguments)

    house.aside = slowly
    placed: dict[int, Any] = {}
    first, *others = (
        threading.Thread(
            target=lambda cents=cents: placed.update(
                {cents: house.place_bid(fresh_id(), lot, f"B{cents}", cents)}
            )
        )
        for cents in (1000, 1300, 1100, 1200)
    )
    first.start()
    eventually(lambda: commits == [1], "the first bid is being committed")
    for each in others:
        each.start()
    eventually(lambda: len(house._waiting) == 3, "the others wait")
    arrived.set()
    for each in (first, *others):
        each.join(30)
    assert commits == [1, 3]
    assert [placed[cents].number for cents in (1000, 1100, 1200, 1300)] == [1, 2, 3, 4]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_if_the_commit_fails_nobody_is_told_that_it_succeeded(house: House, lot: int) -> None:
    def broken(work: Any, arguments: Any) -> None:
        raise OperationalError("COMMIT", {}, OSError("the disk is full"))

    ordinary, house.aside = house.aside, broken
    message = (fresh_id(), lot, "Ada", 1000)
    with pytest.raises(OperationalError):
        house.place_bid(*message)
    house.aside = ordinary
    assert house.lot(lot)[1] == []
    assert house.place_bid(*message).number == 1
