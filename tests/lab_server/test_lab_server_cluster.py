"""The promise, beyond one process: a server of several is killed under load, and no acknowledged bid is lost.

Bidders come through nginx, and send a bid without an answer again, with the same id; onlookers
reconnect by themselves, and ask for what they missed.  LAB_SERVER_KILLS says how many times; the
full run is ``-m soak`` with 100.
"""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import Any

import pytest
import requests
import socketio
from bidders import DEADLINE, soak
from socketio.exceptions import BadNamespaceError
from test_lab_server_durability import LOT, Bidder, assert_kept, rows_of

from tests.waiting import eventually
from utils.capture.rights import Mode
from utils.cluster.cluster import Cluster, Plan

SERVERS = 3
BIDDERS = 8
ONLOOKERS = 3


class Onlooker:
    """python-socketio's own client: it reconnects by itself, and joins again with the last number that it knows."""

    def __init__(self, url: str) -> None:
        self.bids: dict[int, dict[str, Any]] = {}
        self.reconnects = -1
        self._lock = threading.Lock()
        self._websockets: list[Any] = []
        self._http = requests.Session()
        self._http.trust_env = False
        self.client = socketio.Client(
            http_session=self._http,
            websocket_extra_options={"http_no_proxy": ["127.0.0.1"]},
            reconnection_delay=0.05,
            reconnection_delay_max=0.2,
        )
        self.client.on("connect", self._connected)
        self.client.on("bids placed", self._heard)
        self.client.connect(url, wait_timeout=DEADLINE, retry=True)

    @property
    def last(self) -> int:
        """The number up to which it knows every bid."""
        with self._lock:
            return next(n for n in range(len(self.bids) + 1) if n + 1 not in self.bids)

    def catch_up(self) -> None:
        """Join, and be told what it does not know."""
        self.client.emit("join", {"lot": LOT, "after": self.last}, callback=self._told)

    def close(self) -> None:
        self.client.reconnection = False
        self.client.disconnect()
        self._http.close()
        for websocket in self._websockets:
            # One that was reset keeps its socket open in websocket-client.
            if websocket.sock is not None:
                websocket.sock.close()

    def _connected(self) -> None:
        self.reconnects += 1
        self._websockets.append(self.client.eio.ws)
        self._go_on()

    def _go_on(self) -> None:
        """Catch up; if that connection has gone, too, the next one begins with it."""
        with suppress(BadNamespaceError):
            self.catch_up()

    def _told(self, answer: dict[str, Any]) -> None:
        self._know(answer["bids"])

    def _heard(self, news: dict[str, Any]) -> None:
        self._know(news["bids"])
        if news["bids"][-1]["number"] > self.last:
            self._go_on()  # it has missed something

    def _know(self, bids: list[dict[str, Any]]) -> None:
        with self._lock:
            for bid in bids:
                assert self.bids.setdefault(bid["number"], bid) == bid


def bid_while_servers_are_killed(database: str, kills: int) -> None:
    chance, stop = random.Random(kills), threading.Event()
    plan = Plan("lab_server", ("--log-level", "warning"), SERVERS, database=database, traced=False)
    cluster = Cluster.start(plan, Mode("tap", "nothing is recorded"))
    crowd = [Bidder(f"Bidder {number}", lambda: cluster.url, stop) for number in range(BIDDERS)]
    onlookers: list[Onlooker] = []

    def count() -> int:
        return sum(len(each.acknowledged) for each in crowd)

    def wait_for(more: int) -> None:
        enough = count() + more
        eventually(lambda: count() >= enough, "bidding")

    try:
        onlookers += [Onlooker(cluster.url) for _ in range(ONLOOKERS)]
        for each in crowd:
            each.start()
        for _ in range(kills):
            wait_for(chance.randint(1, 60))
            stop.wait(chance.uniform(0, 0.02))  # anywhere between two bids, or in one
            name = f"server {chance.randint(1, SERVERS)}"
            cluster.kill(name)
            wait_for(1)  # the others go on without it
            cluster.revive(name)
        wait_for(20)
        stop.set()
        for each in crowd:
            each.join(DEADLINE)
        assert [each for each in crowd if each.is_alive() or each.failure] == []
        assert cluster.database is not None
        recorded = {row.id: row for row in rows_of(cluster.database.url)}
        for each in onlookers:
            # A client that saw the last bid missed nothing; one that did not asks, as one that comes back does.
            eventually(lambda: each.client.connected, "the connection")  # noqa: B023 - at once
            each.catch_up()
            eventually(lambda: each.last == len(recorded), "all bids")  # noqa: B023
    finally:
        stop.set()
        for each in onlookers:
            each.close()
        for each in crowd:
            each.join(DEADLINE)
        cluster.stop()

    acknowledged = {id: bid for each in crowd for id, bid in each.acknowledged.items()}
    lost, unknown = acknowledged.keys() - recorded.keys(), recorded.keys() - acknowledged.keys()
    print(
        f"{database}: {kills} kills of {SERVERS} servers, {len(acknowledged)} bids acknowledged, {len(lost)} lost, "
        f"{len(unknown)} doubled, {sum(each.resent for each in crowd)} sent again, "
        f"{sum(each.refusals for each in crowd)} refused, onlookers reconnected "
        f"{sum(each.reconnects for each in onlookers)} times"
    )
    assert_kept(acknowledged, recorded)
    for each in onlookers:
        assert {n: bid["cents"] for n, bid in each.bids.items()} == {
            row.number: row.cents for row in recorded.values()
        }


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_acknowledged_bid_is_lost_when_a_server_of_several_is_killed(database: str) -> None:
    bid_while_servers_are_killed(database, kills=soak("KILLS", 2))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_hundred_kills_of_servers_under_load(database: str) -> None:
    bid_while_servers_are_killed(database, kills=soak("KILLS", 100))
