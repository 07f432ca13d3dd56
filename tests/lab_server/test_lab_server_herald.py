"""The first bid is told at once, and those close behind it together, in the order of their numbers."""

from __future__ import annotations

import threading
from typing import Any

from lab_server.herald import PAUSE, Herald
from lab_server.house import BidView


class Socketio:
    """What the herald asks of Flask-SocketIO: it says so, and waits until it is let go on."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.slept: list[float] = []
        self.tasks: list[threading.Thread] = []
        self.go_on = threading.Event()

    def emit(self, event: str, news: dict[str, Any], to: str) -> None:
        self.told.append((event, [bid["number"] for bid in news["bids"]], to))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert self.go_on.wait(30)

    def start_background_task(self, target: Any, *arguments: Any) -> None:
        self.tasks.append(threading.Thread(target=target, args=arguments))
        self.tasks[-1].start()


def bid(number: int) -> BidView:
    return BidView(number, "Ada", 1000 * number, 0)


def test_a_bid_alone_is_not_deferred() -> None:
    herald = Herald(Socketio())  # type: ignore[arg-type]
    assert not herald.defers(1, bid(1))
    assert not herald.defers(2, bid(1))  # another lot has a room of its own


def test_bids_close_behind_are_told_once_and_in_order() -> None:
    socketio = Socketio()
    herald = Herald(socketio)  # type: ignore[arg-type]
    herald.defers(1, bid(1))
    assert all(herald.defers(1, bid(number)) for number in (3, 2, 4))
    socketio.go_on.set()
    for task in socketio.tasks:
        task.join(30)
    assert socketio.told == [("bids placed", [2, 3, 4], "lot 1")]
    assert len(socketio.tasks) == 1 and 0 < socketio.slept[0] <= PAUSE


def test_from_many_threads_each_bid_is_told_exactly_once() -> None:
    socketio = Socketio()
    socketio.go_on.set()
    herald = Herald(socketio)  # type: ignore[arg-type]
    at_once: list[int] = []

    def bidder(first: int) -> None:
        for number in range(first, first + 200):
            if not herald.defers(1, bid(number)):
                at_once.append(number)

    bidders = [threading.Thread(target=bidder, args=(200 * n,)) for n in range(4)]
    for each in bidders:
        each.start()
    for each in bidders:
        each.join(30)
    for task in socketio.tasks:
        task.join(30)
    later = [number for _, numbers, _ in socketio.told for number in numbers]
    assert sorted(at_once + later) == list(range(800))
