"""The protocol of bidders and onlookers, spoken by real clients over real sockets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import socketio
from bidders import ask, bid, hear
from conftest import Served

from lab_server.lessons import Lesson
from tests.waiting import eventually

Connect = Callable[..., socketio.SimpleClient]


def test_a_client_learns_of_the_lots(join_in: Connect, served: Served) -> None:
    answer = ask(join_in(), "lots")
    assert answer["ok"]
    assert answer["lots"] == [lot.as_json() for lot in served.auction.house.lots()]


def test_an_accepted_bid_is_acknowledged_and_told_to_the_lots_room(join_in: Connect) -> None:
    ada, grace, jo = join_in(), join_in(), join_in()
    ask(grace, "join", {"lot": 1})
    ask(jo, "join", {"lot": 2})
    answer = ask(ada, "bid", bid(1, "Ada", 12_000))
    assert answer["ok"]
    assert hear(grace, "bids placed") == {"lot": 1, "bids": [answer["bid"]]}
    # Jo follows another lot: the next bids that she hears of are that lot's.
    ask(ada, "bid", bid(2, "Ada", 4_500))
    assert hear(jo, "bids placed")["lot"] == 2


def test_a_rejected_bid_says_why_to_its_bidder_alone(join_in: Connect, served: Served) -> None:
    ada, grace = join_in(), join_in()
    ask(ada, "join", {"lot": 1})
    before = served.auction.house.lot(1)
    refused = ask(grace, "bid", bid(1, "Grace", 1))
    assert refused["error"]["code"] == "too_low"
    assert refused["error"]["minimum_cents"] == 12_000
    assert served.auction.house.lot(1) == before
    accepted = ask(grace, "bid", bid(1, "Grace", 12_000))
    # The first that Ada hears is the accepted bid; of the other nobody told her.
    assert hear(ada, "bids placed")["bids"] == [accepted["bid"]]


def test_a_bid_is_committed_before_it_is_acknowledged(join_in: Connect, served: Served) -> None:
    answer = ask(join_in(), "bid", bid(1, "Ada", 12_000))
    committed = served.auction.house.lot(1)[1]
    assert [each.as_json() for each in committed] == [answer["bid"]]


def test_a_bid_that_is_sent_again_gets_the_same_answer(join_in: Connect) -> None:
    ada, message = join_in(), bid(1, "Ada", 12_000)
    assert ask(ada, "bid", message) == ask(ada, "bid", message)
    assert len(ask(ada, "join", {"lot": 1})["bids"]) == 1


def test_who_comes_back_misses_nothing(join_in: Connect) -> None:
    ada, grace = join_in(), join_in()
    seen = ask(grace, "join", {"lot": 1})["bids"]
    ask(ada, "bid", bid(1, "Ada", 12_000))
    seen += hear(grace, "bids placed")["bids"]
    grace.disconnect()
    for number in range(4):
        ask(ada, "bid", bid(1, "AB"[number % 2], 13_000 + 1000 * number))
    again = join_in()
    seen += ask(again, "join", {"lot": 1, "after": seen[-1]["number"]})["bids"]
    ask(ada, "bid", bid(1, "Ada", 20_000))
    known = {each["number"]: each for each in seen}
    assert list(known) == [1, 2, 3, 4, 5]
    while 6 not in known:  # what was told late, because it came close behind another bid, is known already
        known |= {each["number"]: each for each in hear(again, "bids placed")["bids"]}
    assert list(known) == [1, 2, 3, 4, 5, 6]


def test_a_picture_comes_as_binary_to_who_joins(join_in: Connect, served: Served) -> None:
    ada = join_in()
    ask(ada, "join", {"lot": 1})
    assert (served.auction.house.picture(1)) == (hear(ada, "picture")["content"], "image/png")


def test_a_client_that_leaves_hears_no_more(join_in: Connect) -> None:
    ada = join_in()
    ask(ada, "join", {"lot": 1})
    ask(ada, "join", {"lot": 2})
    ask(ada, "leave", {"lot": 1})
    ask(ada, "bid", bid(1, "Ada", 12_000))
    ask(ada, "bid", bid(2, "Ada", 4_500))
    assert hear(ada, "bids placed")["lot"] == 2


def test_who_asks_for_an_unknown_lot_is_in_no_room(join_in: Connect, served: Served) -> None:
    assert ask(join_in(), "join", {"lot": 77})["error"]["code"] == "unknown_lot"
    rooms = served.auction.socketio.server.manager.rooms["/"]
    assert "lot 77" not in rooms


@pytest.mark.parametrize("event", ["nonsense", "replace old value", "message", "json"])
def test_an_unknown_event_is_answered(join_in: Connect, event: str) -> None:
    assert ask(join_in(), event, "x")["error"]["code"] == "unknown_event"


@pytest.mark.parametrize(
    "message", [None, [], "x", {"lot": "1"}, {"lot": 1, "after": -1}, {"lot": float("nan")}]
)
def test_a_message_that_is_not_one_is_answered_and_the_client_may_stay(
    join_in: Connect, message: Any
) -> None:
    ada = join_in()
    assert ada.call("join", message, timeout=30)["error"]["code"] == "invalid"
    assert ask(ada, "lots")["ok"]


def test_a_database_out_of_reach_is_said_and_the_same_bid_can_be_sent_again(
    join_in: Connect, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def gone(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("the disk is gone"))

    ada, message = join_in(), bid(1, "Ada", 12_000, id=str(uuid.uuid4()))
    with monkeypatch.context() as patch:
        patch.setattr(served.auction.house, "place_bid", gone)
        answer = ask(ada, "bid", message)
    assert answer["error"]["code"] == "unavailable"
    assert "disk" not in str(answer)
    assert ask(ada, "bid", message)["ok"]


def test_a_handler_that_fails_tells_no_secrets(
    join_in: Connect, served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a detail of ours")

    monkeypatch.setattr(served.auction.house, "lots", fail)
    answer = ask(join_in(), "lots")
    assert answer == {
        "ok": False,
        "error": {"code": "internal", "message": "The server failed; its log says how."},
    }
    assert "a detail of ours" in caplog.text


def test_a_client_that_is_connected_has_nothing_waiting(join_in: Connect, served: Served) -> None:
    """Nothing is emitted while a client connects (trap 6): it asks when it is ready."""
    ada = join_in()
    assert ask(ada, "lots")["ok"]
    assert ada.input_buffer == []
    eventually(lambda: len(served.auction.socketio.server.eio.sockets) == 1)


def test_the_seed_is_off_unless_the_lesson_is_on(serve: Callable[..., Served]) -> None:
    for lessons, registered in ((frozenset(), False), (frozenset({Lesson.SEED}), True)):
        handlers = serve(lessons=lessons).auction.socketio.server.handlers["/"]
        assert ("replace old value" in handlers) is registered
