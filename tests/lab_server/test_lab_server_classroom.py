"""A class: many clients bid at once, and at the end all know the same.

LAB_SERVER_STUDENTS and LAB_SERVER_SECONDS set the size; the full run is ``-m soak``: 100 for a minute.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import requests
import socketio
from bidders import DEADLINE, soak
from processes import Process

from tests.waiting import eventually

LOTS = (1, 2, 3)


class Student:
    """A real client that follows all lots, bids now and then, and asks for what it missed."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.bids: dict[int, dict[int, int]] = {lot: {} for lot in LOTS}  # lot → number → cents
        self.minimum = {1: 12_000, 2: 4_500, 3: 8_000}
        self.accepted = self.refused = 0
        self.troubles: list[str] = []
        self._lock = threading.Lock()
        direct = requests.Session()
        direct.trust_env = False
        self.client = socketio.Client(reconnection=False, http_session=direct)
        self.client.on("bids placed", lambda news: self._merge(news["lot"], news["bids"]))
        self.client.on("disconnect", lambda reason: self.troubles.append(f"disconnected: {reason}"))
        self.client.connect(url, transports=["websocket"], wait_timeout=DEADLINE)
        for lot in LOTS:
            self.catch_up(lot)

    def catch_up(self, lot: int) -> None:
        """Ask for the bids after the last one before a gap."""
        answer = self.client.call("join", {"lot": lot, "after": self.known(lot)}, timeout=DEADLINE)
        self._merge(lot, answer["bids"])

    def known(self, lot: int) -> int:
        """The number before the first gap."""
        with self._lock:
            number = 0
            while number + 1 in self.bids[lot]:
                number += 1
            return number

    def bid(self, lot: int) -> None:
        """Offer the least that is asked."""
        message = {"id": str(uuid.uuid4()), "lot": lot, "bidder": self.name, "cents": self.minimum[lot]}
        answer = self.client.call("bid", message, timeout=DEADLINE)
        if answer["ok"]:
            self.accepted += 1
            self._merge(lot, [answer["bid"]])
        elif answer["error"]["code"] in ("too_low", "own_lead"):
            self.refused += 1
            self.minimum[lot] = answer["error"].get("minimum_cents", self.minimum[lot])
        else:
            self.troubles.append(str(answer))

    def _merge(self, lot: int, bids: list[dict[str, Any]]) -> None:
        with self._lock:
            for bid in bids:
                self.bids[lot][bid["number"]] = bid["cents"]
                self.minimum[lot] = max(self.minimum[lot], bid["cents"] + 500)


def hold_a_class(server: Process, students: int, seconds: float) -> None:
    crowd = [Student(f"Student {number}", server.url) for number in range(students)]
    end = time.monotonic() + seconds

    def take_part(student: Student, chance: random.Random) -> None:
        try:
            while time.monotonic() < end:
                student.bid(chance.choice(LOTS))
                time.sleep(chance.uniform(1, 5))  # people think before they bid
        except Exception as error:
            student.troubles.append(repr(error))

    threads = [
        threading.Thread(target=take_part, args=(student, random.Random(number)))
        for number, student in enumerate(crowd)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 2 * DEADLINE)

    truth = {
        lot: {
            bid["number"]: bid["cents"]
            for bid in requests.get(f"{server.url}/lots/{lot}", timeout=DEADLINE).json()["bids"]
        }
        for lot in LOTS
    }
    # What was told must arrive by itself; nobody asks again.
    eventually(lambda: all(student.bids == truth for student in crowd), "one state for all")
    health = requests.get(f"{server.url}/healthz", timeout=DEADLINE).json()
    print(
        f"{students} students, {seconds} s: {sum(s.accepted for s in crowd)} bids accepted, "
        f"{sum(s.refused for s in crowd)} refused, {students * sum(map(len, truth.values()))} news told"
    )
    assert [student.troubles for student in crowd if student.troubles] == []
    assert health["clients"] == students
    assert sum(map(len, truth.values())) == sum(student.accepted for student in crowd) > 0
    for student in crowd:
        student.client.disconnect()
    assert [line for line in server.lines() if line["level"] not in ("info", "debug")] == []
    assert "Traceback" not in server.log.read_text()


def test_a_small_class(start: Callable[..., Process]) -> None:
    hold_a_class(start(), students=soak("STUDENTS", 10), seconds=soak("SECONDS", 3))


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_class_of_a_hundred_for_a_minute(start: Callable[..., Process]) -> None:
    server = start()
    process = psutil.Process(server.pid)
    threads = process.num_threads()
    hold_a_class(server, students=soak("STUDENTS", 100), seconds=soak("SECONDS", 60))
    # Those that wait to send the next ping sleep out their interval.
    eventually(lambda: process.num_threads() <= threads + 1, "the threads' end")
    print(f"{process.memory_info().rss / 2**20:.0f} MiB in the end")
