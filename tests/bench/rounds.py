"""Bids against real servers, each in a process of its own, taken in turns.

The client is as thin as the protocols allow (one WebSocket, no library of
Socket.IO), lives in another process than the servers, and is never traced: so
what a round trip takes is the server's time, and what a tracer adds to it
shows whole.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import websocket

from utils.supervision import Child

#: Bids against one server before it is the next one's turn.
TURN = 50


class Bidder:
    """One connected client."""

    def __init__(self, port: int) -> None:
        address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        self._socket = websocket.create_connection(address, timeout=60, http_no_proxy=["127.0.0.1"])
        self._expect("0{")
        self._socket.send("40")
        self._expect("40{")

    def bid(self, number: int) -> int:
        """Nanoseconds from a bid until both its broadcast and its acknowledgement are here."""
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
    """The median round trip of each, in ns; the turns alternate, so that a busy moment meets all alike."""
    taken: dict[str, list[int]] = {name: [] for name in bidders}
    number = 0
    for turn in range(turns + 1):
        for name, bidder in sorted(bidders.items(), reverse=turn % 2 == 0):
            for _ in range(TURN):
                number += 1
                needed = bidder.bid(number)
                if turn:  # the first turn warms up
                    taken[name].append(needed)
    return {name: statistics.median(found) for name, found in taken.items()}
