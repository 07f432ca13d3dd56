"""The clock: by a time that the test moves, so that nothing here waits."""

from __future__ import annotations

from typing import Any

import pytest
from bidders import ask, hear
from conftest import Served

from lab_server.app import Auction, create_auction
from lab_server.clock import COUNTDOWN, NAP, Clock
from lab_server.house import NewLot
from lab_server.settings import Settings
from tests.waiting import eventually


class Told:
    """Stands in for the announcing half of a SocketIO: it keeps what was announced."""

    def __init__(self, auction: Auction) -> None:
        self.server = auction.socketio.server
        self.news: list[tuple[str, Any]] = []

    def emit(self, event: str, message: dict[str, Any], **_options: Any) -> None:
        self.news.append((event, message.get("seconds", message["lot"])))


@pytest.fixture
def auction(tmp_path: Any) -> Any:
    auction = create_auction(Settings(database=f"sqlite:///{tmp_path / 'a.sqlite3'}"))
    yield auction
    auction.close()


def test_the_last_seconds_are_counted_and_the_lot_closed(auction: Auction) -> None:
    house, time = auction.house, [auction.house.now()]
    house.now = lambda: time[0]
    lot = house.open_lot(NewLot("A", "", 1, 1, open_for_seconds=12)).id
    told = Told(auction)
    clock = Clock(told, house)  # type: ignore[arg-type]
    end = time[0] + 13_000
    while time[0] < end:
        pause = clock.tick()
        assert 0 < pause <= NAP
        time[0] += max(1, round(pause * 1000))
    counted = [value for event, value in told.news if event == "countdown"]
    assert counted == list(range(COUNTDOWN, 0, -1))
    event, closed = told.news[-1]
    assert event == "lot closed"
    assert closed["id"] == lot
    assert len(told.news) == COUNTDOWN + 1


def test_a_lot_that_is_given_more_time_is_counted_again(auction: Auction) -> None:
    house, time = auction.house, [auction.house.now()]
    house.now = lambda: time[0]
    lot = house.open_lot(NewLot("A", "", 1, 1, open_for_seconds=3)).id
    told = Told(auction)
    clock = Clock(told, house)  # type: ignore[arg-type]
    clock.tick()
    house.set_closing_time(lot, time[0] + 60_000)
    clock.tick()
    house.set_closing_time(lot, time[0] + 3_000)
    time[0] += 1000
    clock.tick()
    assert told.news == [("countdown", 3), ("countdown", 2)]


def test_a_lot_that_is_to_close_soon_wakes_the_clock(served: Served, join_in: Any) -> None:
    ada = join_in()
    ask(ada, "join", {"lot": 1})
    token = {"token": served.auction.settings.auctioneer_token}
    ask(join_in(namespace="/auctioneer", auth=token), "close", {"lot": 1, "in_seconds": 1})
    assert hear(ada, "countdown") == {"lot": 1, "seconds": 1}
    assert hear(ada, "lot closed")["lot"]["id"] == 1


def test_a_database_out_of_reach_does_not_end_the_clock(
    served: Served, join_in: Any, monkeypatch: Any
) -> None:
    from sqlalchemy.exc import OperationalError

    calls = []

    def gone() -> Any:
        calls.append(1)
        raise OperationalError("SELECT 1", {}, Exception())

    ada = join_in()
    ask(ada, "join", {"lot": 1})
    with monkeypatch.context() as patch:
        patch.setattr(served.auction.house, "close_due", gone)
        served.auction.clock.wake()
        eventually(lambda: calls)
    served.auction.house.set_closing_time(1, served.auction.house.now())
    served.auction.clock.wake()
    assert hear(ada, "lot closed")["lot"]["id"] == 1
