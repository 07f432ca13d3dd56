"""What is due is said when it is due, and a latency counts from then."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from utils.load import pace, texts
from utils.load.pace import News, Request
from utils.load.speakers import Frames

FIRST = texts.FIRST


class Line:
    """A speaker of whole lines, and what the server at its other end does with each."""

    def __init__(self, stack, answer):
        self._near, far = socket.socketpair()
        stack.callback(self._near.close)
        thread = threading.Thread(target=self._serve, args=(far, answer), daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(self._near.shutdown, socket.SHUT_RDWR)

    def _serve(self, far, answer):
        with far, far.makefile("rb") as lines:
            for line in lines:
                for said in answer(line.rstrip()):
                    far.sendall(said + b"\n")

    def watch(self, selector):
        selector.register(self._near, selectors.EVENT_READ, self)

    def receive(self, room):
        self._said = bytes(room[: self._near.recv_into(room)])

    def messages(self):
        return self._said.split(b"\n")[:-1]

    def prepare(self, text):
        return text + b"\n"

    def say(self, ready):
        self._near.sendall(ready)


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def selector():
    with selectors.DefaultSelector() as selector:
        yield selector


def requests(line, dues):
    return [Request(FIRST + n, 0, line.prepare(b"42%d[]" % (FIRST + n)), due) for n, due in enumerate(dues)]


def acknowledged(line):
    return [b"43" + line[2:]]


def test_between_an_answer_and_the_next_request_is_a_rest(stack, selector):
    line = Line(stack, acknowledged)
    stamps = list(pace.keep(selector, [line], requests(line, [None] * 4), rest=0.003).values())
    assert all(mine.due == mine.sent for mine in stamps)
    assert all(then.sent - mine.answered >= 3_000_000 for mine, then in pairwise(stamps))


def test_what_is_due_is_said_not_before_and_answered_after(stack, selector):
    line = Line(stack, acknowledged)
    dues = [0, 2_000_000, 2_100_000, 9_000_000]
    stamps = pace.keep(selector, [line], requests(line, dues))
    found = list(stamps.values())
    assert [mine.due - found[0].due for mine in found] == dues
    assert all(mine.due <= mine.sent < mine.answered for mine in found)


def test_without_a_time_each_waits_for_the_one_before(stack, selector):
    line = Line(stack, acknowledged)
    found = list(pace.keep(selector, [line], requests(line, [None] * 20)).values())
    assert all(later.sent >= mine.answered for mine, later in pairwise(found))


def test_a_server_that_stalls_is_asked_all_the_same_and_every_request_tells_of_it(stack, selector):
    stall = 60_000_000

    def stalling(line):
        if line == b"42%d[]" % FIRST:
            time.sleep(stall / 1e9)
        return acknowledged(line)

    line = Line(stack, stalling)
    dues = [n * 2_000_000 for n in range(20)]
    found = list(pace.keep(selector, [line], requests(line, dues)).values())
    # Asked at 2 ms, it was answered when the stall was over: a client that waited would not know.
    for mine, due in zip(found, dues, strict=True):
        assert mine.answered - mine.due >= stall - due


def test_what_is_not_answered_is_left_open(stack, selector):
    line = Line(stack, lambda line: [] if line.startswith(b"42%d" % FIRST) else acknowledged(line))
    first, second = pace.keep(selector, [line], requests(line, [0, 0]), patience=0.1).values()
    assert (first.answered, second.answered > 0) == (0, True)


def test_a_refusal_is_no_grant_and_waits_for_no_news(stack, selector):
    line = Line(stack, lambda line: [b'43%s[{"ok":false}]' % line[2:10]])
    (mine,) = pace.keep(selector, [line], requests(line, [0]), news=News(b'"n":')).values()
    assert mine.answered and not mine.granted


def test_news_are_heard_by_every_client_and_what_is_old_or_strange_is_passed_over(stack, selector):
    lines = []

    def tell(line):
        number = line[2:10]
        for other in lines[1:]:
            other.say(b"relay%s\n" % number)
        return [
            b'42["news",{"n":11111111}]',
            b"nonsense",
            b'42["news",{"n":%s}]' % number,
            b"43%s[]" % number,
        ]

    lines.append(Line(stack, tell))
    lines.extend(Line(stack, lambda line: [b'42["news",{"n":%s}]' % line[5:]]) for _ in range(3))
    found = pace.keep(selector, lines, requests(lines[0], [0, 1_000_000]), news=News(b'"n":'))
    assert [len(mine.heard) for mine in found.values()] == [4, 4]
    assert all(mine.answered and mine.heard == sorted(mine.heard) for mine in found.values())


def test_one_piece_of_news_may_tell_of_several_requests():
    news = News(b'"cents":', 1000)
    message = b'42["bids placed",{"bids":[{"cents":10000001000},{"cents":10000002000,"x":1}]}]'
    assert news.numbers(message) == [10_000_001, 10_000_002]
    assert news.numbers(b'42["other",{"cents":"no number"}]') == []


def test_moments_come_at_random_at_the_rate_that_was_asked_for():
    moments = pace.poisson(1000, 5000, seed=1)
    gaps = np.diff([0, *moments])
    assert moments == sorted(moments) == pace.poisson(1000, 5000, seed=1)
    assert np.mean(gaps) == pytest.approx(1e6, rel=0.05)
    assert np.std(gaps) == pytest.approx(1e6, rel=0.1)  # as a Poisson process has it


def test_a_heartbeat_is_answered_while_others_have_their_turn(selector):
    near, far = socket.socketpair()
    with near, far:
        speaker = Frames.__new__(Frames)
        speaker.socket, speaker.buffer, speaker._parts = near, bytearray(), []
        far.sendall(b"\x81\x012")
        pace.tend(selector, [speaker])
        assert len(far.recv(100)) == 7  # a masked frame with one byte
        assert not selector.get_map()


def test_all_that_has_come_is_received_before_any_of_it_is_understood():
    order = []

    class Client:
        """Has an answer for each request; notes when it is received, and when it is understood."""

        def __init__(self, name):
            self.name = name

        def watch(self, selector):
            selector.clients.append(self)

        def say(self, ready):
            self.answer = b"43" + ready[2:]

        def receive(self, room):
            order.append(f"{self.name} receives")

        def messages(self):
            order.append(f"{self.name} understands")
            return [self.answer]

    class Selector:
        """Always finds something at every client."""

        def __init__(self):
            self.clients = []

        def select(self, timeout):
            return [(SimpleNamespace(data=client), selectors.EVENT_READ) for client in self.clients]

        def get_map(self):
            return {}

    asked = [Request(FIRST + place, place, b"42%d[]" % (FIRST + place), -2_000_000) for place in range(2)]
    stamps = pace.keep(Selector(), [Client("one"), Client("two")], asked)
    assert all(mine.answered for mine in stamps.values())
    assert order == ["one receives", "two receives", "one understands", "two understands"]
