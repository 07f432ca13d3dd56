"""Bids against real servers, each in a process of its own, taken in turns.

The clients live in another process than the servers, and are never traced.
The one is python-socketio's, as the notebooks use it: what it measures is what
a user of the lab waits for.  The other is as thin as the protocols allow (one
WebSocket, no library of Socket.IO): what a tracer adds to the server shows
whole in it.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import socketio
import websocket

from utils.processes.child import Child

#: Bids against one server before it is the next one's turn.
TURN = 50

#: Seconds that an answer may take: a slow machine is no error.
PATIENCE = 60


class Bidder(Protocol):
    """One connected client."""

    def bid(self, number: int) -> int:
        """Nanoseconds from a bid until both its broadcast and its acknowledgement are here."""

    def close(self) -> None:
        """Leave."""


class Client:
    """A bidder with python-socketio's client."""

    def __init__(self, port: int) -> None:
        self._heard = threading.Event()
        self._client = socketio.Client(
            reconnection=False, websocket_extra_options={"http_no_proxy": ["127.0.0.1"]}
        )
        self._client.on("bid", lambda amount: self._heard.set())
        url = f"http://127.0.0.1:{port}"
        self._client.connect(url, transports=["websocket"], wait_timeout=PATIENCE)

    def bid(self, number: int) -> int:
        self._heard.clear()
        began = time.perf_counter_ns()
        answer = self._client.call("bid", number, timeout=PATIENCE)
        assert self._heard.wait(PATIENCE)
        needed = time.perf_counter_ns() - began
        assert answer == "accepted"
        return needed

    def close(self) -> None:
        self._client.disconnect()


class Thin:
    """A bidder that writes its packets by hand."""

    def __init__(self, port: int) -> None:
        address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        self._socket = websocket.create_connection(address, timeout=PATIENCE, http_no_proxy=["127.0.0.1"])
        self._expect("0{")
        self._socket.send("40")
        self._expect("40{")

    def bid(self, number: int) -> int:
        asked, told, answer = f'42{number}["bid",{number}]', f'42["bid",{number}]', f'43{number}["accepted"]'
        began = time.perf_counter_ns()
        self._socket.send(asked)
        self._expect(told)
        self._expect(answer)
        return time.perf_counter_ns() - began

    def close(self) -> None:
        self._socket.close()

    def _expect(self, beginning: str) -> None:
        while (said := self._socket.recv()) == "2":  # the heartbeat
            self._socket.send("3")
        assert said.startswith(beginning), said


def launched(folder: Path, name: str, arguments: Sequence[str]) -> Child:
    """An application under the launcher, once it listens."""
    log = folder / f"{name}.log"
    return Child.start("utils.tracing.launcher", arguments, name=name, log=log, deadline=60)


def medians(bidders: Mapping[str, Bidder], turns: int) -> dict[str, float]:
    """The p50 of the round trip of each, in ns, on a machine that others use, too.

    The turns are mixed, so that a busy moment meets all alike; each turn has its
    own p50, and of these the lower quartile is taken: a turn in which something
    else ran tells of that.
    """
    taken: dict[str, list[float]] = {name: [] for name in bidders}
    chance, number = random.Random(3), 0
    for turn in range(turns + 1):
        # In another order each time: whoever came after itself would find everything warm.
        for name, bidder in chance.sample(sorted(bidders.items()), len(bidders)):
            needed = [bidder.bid(number := number + 1) for _ in range(TURN)]
            if turn:  # the first turn warms up
                taken[name].append(statistics.median(needed))
    return {name: statistics.quantiles(found, n=4)[0] for name, found in taken.items()}
