"""Greenlets are told as threads, whatever they call and whenever they switch; and nothing is left behind."""

from __future__ import annotations

import threading
import weakref

import greenlet
import pytest

from tests.apps import traced
from utils.tracing.buffer import Buffer
from utils.tracing.collector import Collector
from utils.tracing.greenlets import Greenlets, runs


@pytest.fixture
def collector():
    one = Collector("test", roots=[traced.__file__])
    one.install()
    yield one
    one.remove()
    assert greenlet.gettrace() is None


def here_and_there(log):
    """Two greenlets, each in the middle of a call when the other one runs."""
    main = greenlet.getcurrent()

    def work(number):
        log.append(traced.outer(number))
        traced.takes(lambda: None)
        main.switch()
        log.append(traced.outer(number))

    first, second = greenlet.greenlet(work), greenlet.greenlet(work)
    first.switch(1)
    second.switch(2)
    traced.inner(5)
    first.switch()
    second.switch()


def named(trace, name):
    return [call for call in trace.calls if call.code.name == name]


def test_each_greenlet_is_a_thread_of_its_own(collector):
    log = []
    with collector:
        here_and_there(log)
    trace = collector.take()
    assert log == [3, 5, 3, 5] and trace.faults == 0
    outer = named(trace, "outer")
    one, other, again, other_again = (call.thread for call in outer)
    assert one == again != other == other_again
    (mine,) = [call for call in named(trace, "inner") if call.arguments == {"value": "5"}]
    assert mine.thread not in (one, other)
    assert trace.threads[mine.thread] == threading.current_thread().name
    assert {trace.threads[one], trace.threads[other]} == {f"greenlet {one}", f"greenlet {other}"}


def test_a_call_goes_on_where_its_greenlet_left_off(collector):
    """A switch in the midst of a call: what others do meanwhile is not inside it."""
    main = greenlet.getcurrent()
    worker = greenlet.greenlet(lambda: traced.blocks(_Set(main), _Leave()))
    with collector:
        worker.switch()
        traced.countdown(1)
        worker.switch()
    trace = collector.take()
    (blocks,) = named(trace, "blocks")
    (inside,) = named(trace, "inner")
    assert inside.parent == blocks.id and inside.thread == blocks.thread
    assert all(
        (call.thread != blocks.thread and call.parent is None) or call.depth
        for call in named(trace, "countdown")
    )
    assert blocks.leave_ns is not None and blocks.leave_ns > max(
        call.leave_ns for call in named(trace, "countdown")
    )


class _Set:
    def __init__(self, main):
        self.main = main

    def set(self):
        self.main.switch()


class _Leave:
    def acquire(self, timeout):
        return True


def test_a_greenlet_that_waits_when_the_recording_begins_is_known_when_it_goes_on(collector):
    main = greenlet.getcurrent()

    def work():
        main.switch()
        traced.outer(1)

    worker = greenlet.greenlet(work)
    worker.switch()
    collector.start()
    traced.outer(2)
    worker.switch()
    collector.stop()
    first, second = named(collector.take(), "outer")
    assert first.thread != second.thread


def test_whoever_traced_switches_before_is_still_told():
    told = []
    before = greenlet.settrace(lambda *facts: told.append(facts[0]))
    try:
        collector = Collector("test")
        collector.install()
        greenlet.greenlet(lambda: None).switch()
        collector.remove()
        assert told == ["switch", "switch"]
        greenlet.greenlet(lambda: None).switch()
        assert len(told) == 4
    finally:
        greenlet.settrace(before)


def test_no_greenlet_is_kept_alive_and_none_is_taken_for_an_ended_one():
    buffer = Buffer(100, lambda: 0)
    one = greenlet.greenlet(lambda: None)
    number, name, identity = buffer.meet_greenlet(one)
    assert (name, identity) == (f"greenlet {number}", id(one))
    assert buffer.meet_greenlet(one)[0] == number
    gone = weakref.ref(one)
    del one
    assert gone() is None
    assert buffer.meet_greenlet(greenlet.greenlet(lambda: None))[0] != number


def test_who_works_and_whether_they_go_on():
    greenlets = Greenlets(Buffer(100, lambda: 0))
    assert greenlets.worker() == threading.get_ident() and runs(greenlets.worker())
    greenlets.install(greenlet)
    try:
        assert greenlets.worker() == threading.get_ident()
        found = []
        one = greenlet.greenlet(lambda: found.append(greenlets.worker()))
        one.switch()
        assert found[0]() is one and not runs(found[0])
    finally:
        greenlets.remove()
    assert not runs(0)
