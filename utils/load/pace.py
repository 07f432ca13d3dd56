"""Keeps the time: says what is due when it is due, and stamps what is heard.

The rule kept here: one thread, and between a clock and a socket nothing but
the call: what has come is stamped first and understood afterwards.  What is due
is not put off because an answer is late: the load is open.  Stamps are of the
clock of the kernel's packets, so that a capture can be laid beside them.
"""

from __future__ import annotations

import select
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from utils.load import lines
from utils.load.lines import Inlet
from utils.load.speakers import Speaker

#: The last so many ns before something is due are not slept through: the system wakes us later than asked.
_AWAKE = 120_000

#: So long before, the selector's own time-out, which is one call less, is exact enough, in ns.
_LONG = 6_000_000

#: How long is waited for answers after the last request, in seconds.
PATIENCE = 15.0

#: How an acknowledgement begins (Engine.IO MESSAGE, Socket.IO ACK), and what an echo of the request does.
ANSWER, ECHOED = b"43", b"42"

#: How the auction's way of saying no begins: an acknowledgement's first argument.
_REFUSED = b'[{"ok":false'


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be said by whom, and when: ns from the beginning, or None for "when the last is over"."""

    number: int
    speaker: int
    ready: bytes
    due_ns: int | None


@dataclass(slots=True)
class Stamps:
    """When one request was due, was sent, was answered, and was heard of by each client; 0 is "not yet"."""

    due: int = 0
    sent: int = 0
    answered: int = 0
    heard: list[int] = field(default_factory=list)
    granted: bool = True


@dataclass(frozen=True, slots=True)
class News:
    """How a message tells which request it is about: a number behind a text, divided by ``scale``.

    Where nothing is ``acknowledged``, the news are all that comes of a request.
    """

    mark: bytes
    scale: int = 1
    acknowledged: bool = True

    def numbers(self, message: bytes) -> list[int]:
        """All of them in ``message``."""
        found, at = [], message.find(self.mark)
        while at >= 0:
            begin = end = at + len(self.mark)
            while end < len(message) and 48 <= message[end] <= 57:
                end += 1
            if end > begin:
                found.append(int(message[begin:end]) // self.scale)
            at = message.find(self.mark, end)
        return found


def poisson(rate: float, count: int, seed: int) -> list[int]:
    """So many moments, in ns from the beginning, at random with ``rate`` a second on average."""
    gaps = np.random.default_rng(seed).exponential(1e9 / rate, count)
    return [int(moment) for moment in np.cumsum(gaps)]


def keep(
    selector: selectors.BaseSelector,
    speakers: Sequence[Speaker],
    requests: Sequence[Request],
    *,
    answer: bytes = ANSWER,
    news: News | None = None,
    patience: float = PATIENCE,
    rest: float = 0.0,
) -> dict[int, Stamps]:
    """Say each request, hear what comes of it, and return the stamps by number.

    An answer begins with ``answer`` and the eight digits of its number.  What
    comes due at no moment is said ``rest`` seconds after the one before is over.  With
    ``news``, a request is over when every speaker has heard of it.  What is not
    over ``patience`` seconds after the last was due is left as it is; only a
    client that is alone, and asks one by one, waits as long as its connection
    does.  Raises ProcessError if the server ends a connection, or keeps that one
    waiting.
    """
    keeper = _Keeper(speakers, requests, answer, news, int(rest * 1e9))
    with watching(selector, speakers):
        keeper.run(selector, int(patience * 1e9))
    return keeper.stamps


def tend(selector: selectors.BaseSelector, speakers: Sequence[Speaker]) -> None:
    """Read what has come meanwhile, so that heartbeats are answered while others have their turn."""
    with watching(selector, speakers):
        room = lines.room()
        while events := selector.select(0):
            for key, _ in events:
                key.data.receive(room)
                list(key.data.messages())  # whatever is said belongs to a turn before


@contextmanager
def watching(selector: selectors.BaseSelector, speakers: Sequence[Speaker]) -> Iterator[None]:
    """Let ``selector``, which should be older than any connection, watch these speakers alone.

    So its own number is a small one: ``select()`` takes none above 1,023.
    """
    for speaker in speakers:
        speaker.watch(selector)
    try:
        yield
    finally:
        for key in list(selector.get_map().values()):
            selector.unregister(key.fileobj)


class _Keeper:
    def __init__(
        self,
        speakers: Sequence[Speaker],
        requests: Sequence[Request],
        answer: bytes,
        news: News | None,
        rest: int,
    ) -> None:
        self._speakers = speakers
        self._requests = requests
        self._answer = answer
        self._news = news
        self._rest = rest
        self._listeners = len(speakers) if news is not None else 0
        self.stamps = {request.number: Stamps() for request in requests}
        self._under_way = 0
        self._room = lines.room()
        # Nobody else can have something to hear, and nothing comes due meanwhile.
        one_by_one = all(request.due_ns is None for request in requests)
        lone = speakers[0] if len(speakers) == 1 and one_by_one else None
        self._lone = lone if isinstance(lone, Inlet) else None

    def run(self, selector: selectors.BaseSelector, patience: int) -> None:
        """``patience`` is in ns."""
        clock = time.time_ns
        begin = clock() + 1_000_000
        end = begin + patience
        for request in self._requests:
            mine, say = self.stamps[request.number], self._speakers[request.speaker].say
            if request.due_ns is None:
                if not self._hear_all(selector, end):
                    return
                mine.due = mine.sent = self._hear_until(selector, clock() + self._rest)
            else:
                mine.due = begin + request.due_ns
                mine.sent = self._hear_until(selector, mine.due)
            say(request.ready)
            self._under_way += 1
            end = mine.sent + patience
        self._hear_all(selector, end)

    def _hear_all(self, selector: selectors.BaseSelector, end: int) -> bool:
        """Hear until nothing is under way; whether that was so before ``end``."""
        while self._under_way:
            if self._lone is not None:
                self._wait_for(self._lone)
            elif (now := time.time_ns()) <= end:
                self._hear(selector, end - now)
            else:
                return False
        return True

    def _hear_until(self, selector: selectors.BaseSelector, moment: int) -> int:
        """Hear whatever comes before ``moment``; when that is over, by the clock."""
        while (now := time.time_ns()) < moment:
            self._hear(selector, moment - now)
        return now

    def _wait_for(self, inlet: Inlet) -> None:
        """What comes there next: by one call, in which the system wakes us."""
        inlet.receive(self._room)
        now = time.time_ns()
        for message in inlet.messages():
            self._heard(message, now)

    def _hear(self, selector: selectors.BaseSelector, most: int) -> None:
        """Whatever comes within ``most`` ns, or not much later; received first, and then understood."""
        seconds = 0.0
        if most > _LONG:
            seconds = (most - _LONG / 2) / 1e9
        elif most > _AWAKE:
            # The selector's own time-out is in whole milliseconds; this one is not.
            waiter = cast(socket.socket, selector)
            if not select.select([waiter], [], [], (most - _AWAKE) / 1e9)[0]:
                return
        come: list[tuple[Inlet, int]] = []
        for key, _ in selector.select(seconds):
            key.data.receive(self._room)
            come.append((key.data, time.time_ns()))
        for inlet, now in come:
            for message in inlet.messages():
                self._heard(message, now)

    def _heard(self, message: bytes, now: int) -> None:
        if self._news is not None and not message.startswith(ANSWER):
            for number in self._news.numbers(message):
                self._told(number, now)
            return
        digits = message[2:10]
        known = message.startswith(self._answer) and digits.isdigit()
        mine = self.stamps.get(int(digits)) if known else None
        if mine is None or mine.answered:
            return  # of a turn before, or of somebody else
        mine.answered = now
        mine.granted = not message.startswith(_REFUSED, message.find(b"["))
        if not mine.granted or len(mine.heard) == self._listeners:
            self._under_way -= 1

    def _told(self, number: int, now: int) -> None:
        mine = self.stamps.get(number)
        if mine is None or len(mine.heard) == self._listeners:
            return
        mine.heard.append(now)
        over = mine.answered or (self._news is not None and not self._news.acknowledged)
        if len(mine.heard) == self._listeners and over:
            self._under_way -= 1
