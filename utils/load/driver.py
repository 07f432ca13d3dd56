"""The clients' process: it connects, and runs a workload when it is told to.

    python -m utils.load.driver

The rule kept here: whoever measures shares no interpreter lock with a
notebook, a capture or a plot, and collects no garbage while it measures.
Commands come over the channel of :mod:`utils.processes`: ``connect``,
``run`` and ``close``, each with the ``handle`` of the clients that are meant.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Sequence
from selectors import BaseSelector, DefaultSelector
from typing import Any

import msgspec
import numpy as np

from utils.load import library, pace, speakers, statistics, texts
from utils.load.pace import News, Stamps
from utils.load.speakers import Bytes, Speaker
from utils.load.values import Turn, Workload
from utils.processes.control import Control

#: How long a greeting may take to be answered, in seconds.
PATIENCE = 30.0


class Group:
    """The connected clients of one variant."""

    def __init__(self, port: int, workload: Workload, selector: BaseSelector) -> None:
        self._selector = selector
        self._workload = workload
        self._text = texts.payload(workload.size)
        self._number = texts.FIRST
        self.speakers: list[Speaker] = []
        try:
            for _ in range(workload.clients):
                self.speakers.append(speakers.speaker(port, workload))
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        """Each client emits the greetings, one after another, and waits for the answers."""
        for name, argument in self._workload.greeting:
            requests = []
            for place, speaker in enumerate(self.speakers):
                text = texts.event(name, argument, self._take())
                requests.append(pace.Request(self._number - 1, place, speaker.prepare(text), None))
            pace.keep(self._selector, self.speakers, requests, patience=PATIENCE)

    def _take(self) -> int:
        self._number += 1
        return self._number - 1

    def run(self, count: int, seed: int) -> dict[int, Stamps]:
        """So many requests; what was stamped, by number."""
        work = self._workload
        moments: Sequence[int | None] = [None] * count
        if work.rate is not None:
            moments = pace.poisson(work.rate, count, seed)
        requests = []
        for moment in moments:
            number = self._take()
            asker = number % work.askers
            ready = self.speakers[asker].prepare(texts.request(work, number, self._text))
            requests.append(pace.Request(number, asker, ready, moment))
            if work.speaks == "tcp":
                for speaker in self.speakers:
                    assert isinstance(speaker, Bytes)
                    speaker.expect(len(ready))
        news = None
        if work.mark:
            scale = texts.CENTS if "<cents>" in work.argument else 1
            news = News(work.mark.encode(), scale, acknowledged=work.speaks != "tcp")
        answer = pace.ANSWER if work.speaks in ("websocket", "polling") else pace.ECHOED
        return pace.keep(self._selector, self.speakers, requests, answer=answer, news=news, rest=work.rest)

    def tend(self) -> None:
        """Answer the heartbeats."""
        pace.tend(self._selector, self.speakers)

    def close(self) -> None:
        """Leave."""
        for speaker in self.speakers:
            speaker.close()


def turn(stamps: dict[int, Stamps], clients: int, *, news: bool, cpu_ns: int) -> Turn:
    """What the stamps of one turn say."""
    over: list[int] = []
    answers: list[int] = []
    spread: list[list[int]] = []
    unanswered = refused = 0
    last = 0
    for mine in stamps.values():
        if mine.answered:
            answers.append(mine.answered - mine.due)
        if not mine.granted:
            refused += 1
            continue
        end = mine.answered
        if news:
            end = mine.heard[-1] if len(mine.heard) == clients else 0
        if not end:
            unanswered += 1
            continue
        if news:
            spread.append([heard - mine.due for heard in mine.heard])
        over.append(end - mine.due)
        last = max(last, end)
    begun = min((mine.due for mine in stamps.values() if mine.sent), default=last)
    return Turn(
        latency=statistics.pack(over),
        answer=statistics.pack(answers),
        late=statistics.pack(mine.sent - mine.due for mine in stamps.values() if mine.sent),
        count=len(stamps),
        refused=refused,
        unanswered=unanswered,
        elapsed_ns=max(1, last - begun),
        client_cpu_ns=cpu_ns,
        by_client=tuple(np.median(np.array(spread), axis=0).astype(int).tolist()) if spread else (),
    )


class Driver:
    """Answers the commands."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()
        self._groups: dict[str, Group | library.Group] = {}

    def connect(self, words: dict[str, Any]) -> dict[str, Any]:
        """Connect the clients of a workload to ``port``."""
        workload = msgspec.convert(words["workload"], Workload)
        port = words["port"]
        is_library = workload.speaks == "library"
        made = library.Group(port, workload) if is_library else Group(port, workload, self._selector)
        self._groups[words["handle"]] = made
        return {}

    def run(self, words: dict[str, Any]) -> dict[str, Any]:
        """One turn of ``count`` requests; with ``stamps``, also when each was sent and answered."""
        group = self._groups[words["handle"]]
        workload = msgspec.convert(words["workload"], Workload)
        for each in self._groups.values():
            each.tend()
        gc.collect()
        gc.disable()
        try:
            cpu, real, steady = time.process_time_ns(), time.time_ns(), time.perf_counter_ns()
            stamps = group.run(words["count"], words["seed"])
            cpu = time.process_time_ns() - cpu
            set_by = abs((time.time_ns() - real) - (time.perf_counter_ns() - steady))
        finally:
            gc.enable()
        if set_by > 1_000_000:
            raise RuntimeError(f"the system's clock was set by {set_by / 1e6:.1f} ms meanwhile")
        made = turn(stamps, workload.clients, news=bool(workload.mark), cpu_ns=cpu)
        answer = {"turn": msgspec.to_builtins(made)}
        if words.get("stamps"):
            answer["stamps"] = [[number, mine.sent, mine.answered] for number, mine in stamps.items()]
        return answer

    def close(self, words: dict[str, Any]) -> dict[str, Any]:
        """Let the clients leave."""
        if (group := self._groups.pop(words["handle"], None)) is not None:
            group.close()
        return {}


def main() -> None:
    """Serve until the parent is gone."""
    control = Control.take_over()
    driver, over = Driver(), threading.Event()
    handlers = {"connect": driver.connect, "run": driver.run, "close": driver.close}
    control.serve(handlers, on_parent_gone=over.set)
    control.ready()
    over.wait()


if __name__ == "__main__":
    main()
