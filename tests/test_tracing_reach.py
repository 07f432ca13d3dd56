"""A profile function in threads that already run, on Python 3.11."""

from __future__ import annotations

import queue
import sys
import threading

import pytest

if sys.version_info[:2] != (3, 11):
    pytest.skip("made for Python 3.11", allow_module_level=True)

from utils.tracing import reach


class Askable:
    """A thread that tells its own profile function when asked."""

    def __init__(self):
        self.questions, self.answers = queue.SimpleQueue(), queue.SimpleQueue()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while (question := self.questions.get()) is not None:
            self.answers.put(question())

    def ask(self, question=sys.getprofile):
        self.questions.put(question)
        return self.answers.get(timeout=30)


@pytest.fixture
def askable():
    thread = Askable()
    yield thread
    thread.questions.put(None)
    thread.thread.join(30)


def nothing(frame, event, argument):
    """A profile function."""


def theirs(frame, event, argument):
    """Another one."""


def test_all_threads_are_reached_and_released(askable):
    before = sys.getrefcount(nothing)
    try:
        reach.set_everywhere(nothing)
        assert sys.getprofile() is nothing
        assert askable.ask() is nothing
    finally:
        reach.remove_everywhere(nothing)
    assert sys.getprofile() is None
    assert askable.ask() is None
    assert sys.getrefcount(nothing) == before


def test_the_function_of_others_stays(askable):
    askable.ask(lambda: sys.setprofile(theirs))
    try:
        reach.set_everywhere(nothing)
        assert askable.ask() is theirs
        reach.remove_everywhere(nothing)
        assert askable.ask() is theirs
    finally:
        reach.remove_everywhere(nothing)
        askable.ask(lambda: sys.setprofile(None))


def test_a_thread_that_waits_reports_from_then_on():
    seen, entered, leave = [], threading.Event(), threading.Lock()
    leave.acquire()

    def hook(frame, event, argument):
        if event == "return":
            seen.append(frame.f_code.co_name)

    def innermost():
        entered.set()
        leave.acquire(timeout=30)

    def around():
        innermost()

    thread = threading.Thread(target=around)
    thread.start()
    try:
        assert entered.wait(30)
        reach.set_everywhere(hook)
        leave.release()
        thread.join(30)
    finally:
        reach.remove_everywhere(hook)
    assert [name for name in seen if name in ("innermost", "around")] == ["innermost", "around"]


def test_where_the_layout_is_not_known_only_the_running_thread_is_set(monkeypatch, askable):
    monkeypatch.setattr(reach, "_layout", lambda: None)
    try:
        reach.set_everywhere(nothing)
        assert sys.getprofile() is nothing
        assert askable.ask() is None
    finally:
        reach.remove_everywhere(nothing)
    assert sys.getprofile() is None


def test_the_layout_is_found_and_the_search_leaves_nothing_behind():
    reach._layout.cache_clear()
    sys.setprofile(theirs)
    try:
        assert reach._layout() is not None
        assert sys.getprofile() is theirs
    finally:
        sys.setprofile(None)


def test_another_python_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    reach._layout.cache_clear()
    try:
        assert reach._layout() is None
    finally:
        reach._layout.cache_clear()
