"""From rows to calls: nesting, lines, exceptions, generators, and what was not seen."""

from __future__ import annotations

import inspect
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps import traced
from utils.tracing.assembly import assemble
from utils.tracing.buffer import Buffer, Kind
from utils.tracing.collector import Collector
from utils.tracing.scope import Scope

ROOT = Path(traced.__file__)

#: What Python 3.11 cannot tell is the type of an exception.
KNOWS_EXCEPTIONS = sys.version_info >= (3, 12)


def ticking(step=10):
    """A clock that gains ``step`` each time it is read."""
    now = 0

    def clock():
        nonlocal now
        now += step
        return now

    return clock


def record(function, *arguments, **options):
    """The calls of the traced application while ``function`` runs, and its trace."""
    collector = Collector("test", roots=[ROOT], clock=ticking(), **options)
    with collector:
        try:
            function(*arguments)
        except LookupError:
            pass
    trace = collector.take()
    assert trace.faults == 0
    return [call for call in trace.calls if call.code.filename == str(ROOT)], trace


def line_of(function, text):
    lines, first = inspect.getsourcelines(function)
    return first + next(index for index, line in enumerate(lines) if text in line)


def test_a_call_knows_its_parent_its_lines_its_values_and_its_times():
    (outer, inner), _ = record(traced.outer, 20)
    assert (outer.code.name, inner.code.name) == ("outer", "inner")
    assert outer.code.first_line == line_of(traced.outer, "def outer")
    assert inner.parent == outer.id
    assert inner.depth == outer.depth + 1
    assert inner.site.code == outer.code
    assert inner.site.line == line_of(traced.outer, "inner(value)")
    assert outer.left == line_of(traced.outer, "return doubled + 1")
    assert (outer.arguments, outer.result) == ({"value": "20"}, "41")
    assert (inner.arguments, inner.result) == ({"value": "20"}, "40")
    assert outer.enter_ns < inner.enter_ns < inner.leave_ns < outer.leave_ns
    assert outer.exception is inner.exception is None


def test_the_call_from_outside_tells_its_line_too():
    (outer, _), _ = record(traced.outer, 1)
    assert outer.site.code.filename == __file__
    assert outer.site.code.name == "record"
    assert outer.site.line == line_of(record, "function(*arguments)")


def test_recursion():
    calls, _ = record(traced.countdown, 5)
    assert [call.arguments["number"] for call in calls] == ["5", "4", "3", "2", "1", "0"]
    assert [call.depth - calls[0].depth for call in calls] == [0, 1, 2, 3, 4, 5]
    assert {call.result for call in calls} == {"0"}


def test_an_exception_is_told_where_it_passed_and_where_it_was_caught():
    (catches, fails), _ = record(traced.catches)
    assert catches.exception is None
    assert catches.result == "'caught'"
    assert fails.exception == ("KeyError" if KNOWS_EXCEPTIONS else "BaseException")
    assert fails.left == line_of(traced.fails, "raise")
    assert fails.result is None


def test_an_exception_that_nobody_catches_leaves_all_calls():
    (through, fails), _ = record(traced.falls_through)
    assert through.exception and fails.exception
    assert through.left == line_of(traced.falls_through, "fails()")
    assert through.leave_ns > fails.leave_ns


def test_a_generator_is_one_call_however_often_it_is_resumed():
    calls, _ = record(traced.consumes, 2)
    names = [call.code.name for call in calls]
    assert names == ["consumes", "numbers", "inner", "outer", "inner", "inner", "outer", "inner"]
    consumes, generator = calls[:2]
    assert generator.parent == consumes.id
    inside = [call.code.name for call in calls if call.parent == generator.id]
    assert inside == ["inner", "inner"]
    beside = [call.code.name for call in calls if call.parent == consumes.id]
    assert beside == ["numbers", "outer", "outer"]
    assert generator.leave_ns > calls[-1].leave_ns
    assert generator.exception is None
    assert generator.arguments == {"most": "2"}


def test_a_generator_that_others_feed_is_a_call_of_each():
    calls, _ = record(traced.feeds)
    calls = calls[:7]  # what follows is only that the generator is thrown away
    assert [call.code.name for call in calls] == ["feeds", *["asks", "numbers", "inner"] * 2]
    asks = [call for call in calls if call.code.name == "asks"]
    for around, generator in zip(asks, [call for call in calls if call.code.name == "numbers"], strict=True):
        assert generator.parent == around.id
        assert around.enter_ns < generator.enter_ns < generator.leave_ns < around.leave_ns
        assert generator.site.line == line_of(traced.asks, "next(generator)")
        assert generator.arguments == {"most": "5"}


def test_an_abandoned_generator_ends_where_it_is_closed():
    calls, _ = record(traced.abandons)
    assert [call.code.name for call in calls] == ["abandons", "numbers", "inner"]
    generator = calls[1]
    assert generator.leave_ns is not None
    assert generator.left in range(generator.code.first_line + 1, generator.code.first_line + 3)
    # Python 3.13 does not even wake a generator that has nothing to clean up.
    assert generator.exception in (None, "GeneratorExit")


def test_a_generator_that_never_ran_was_never_called():
    calls, _ = record(traced.never_begins)
    assert [call.code.name for call in calls] == ["never_begins"]


def test_a_coroutine_is_one_call():
    calls, _ = record(traced.runs_a_coroutine)
    assert [call.code.name for call in calls] == ["runs_a_coroutine", "waits", "inner"]
    assert calls[1].result == "8"


def test_all_kinds_of_arguments_are_there_and_self_is_not():
    (call,), _ = record(traced.keyword_only, 1, 2)
    assert call.arguments == {"first": "1", "option": "None", "rest": "(2,)", "named": "{}"}
    calls, _ = record(lambda: traced.Worker().ask)
    assert calls[0].arguments == {}


def test_depth_counts_the_calls_around():
    calls, trace = record(traced.consumes, 2)
    by_id = {call.id: call for call in trace.calls}
    for call in trace.calls:
        around = 0
        parent = call.parent
        while parent is not None:
            around, parent = around + 1, by_id[parent].parent
        assert call.depth == around


def test_calls_stand_in_the_order_of_their_beginning_and_count_from_nought():
    _, trace = record(traced.consumes, 3)
    assert [call.id for call in trace.calls] == list(range(len(trace.calls)))
    assert [call.enter_ns for call in trace.calls] == sorted(call.enter_ns for call in trace.calls)
    assert all(call.parent is None or call.parent < call.id for call in trace.calls)


def test_a_call_that_had_begun_and_one_that_has_not_ended():
    entered, leave = threading.Event(), threading.Lock()
    leave.acquire()
    thread = threading.Thread(target=traced.blocks, args=(entered, leave), name="blocked")
    thread.start()
    try:
        assert entered.wait(30)
        collector = Collector("test", roots=[ROOT])
        with collector:
            running = [call for call in collector.take().calls if call.code.name == "blocks"]
            leave.release()
            thread.join(30)
    finally:
        if leave.locked():
            leave.release()
        thread.join(30)
    (before,) = running
    assert before.leave_ns is None
    assert before.arguments == {}  # what it was called with is past
    trace = collector.take()
    (after,) = [call for call in trace.calls if call.code.name == "blocks"]
    assert after.result == "2"
    assert trace.threads[after.thread] == "blocked"
    (inner,) = [call for call in trace.calls if call.code.name == "inner"]
    assert inner.parent == after.id
    assert inner.arguments == {"value": "1"}


# ── rows made by hand ────────────────────────────────────────────────────────

OUTER, INNER = traced.outer.__code__, traced.inner.__code__


def assembled(rows, capacity=1000):
    """The trace of (kind, code) rows of one thread; a row's time is its place."""
    buffer = Buffer(capacity, ticking(1))
    buffer.note(Kind.THREAD, (1, "main", 0))
    for kind, code in rows:
        buffer.note(kind, None, code)
        if len(buffer.rows) >= buffer.full:
            buffer.pack()
    return assemble("test", buffer.copy(), Scope([ROOT]), lambda code, kind, offset: kind)


def test_a_call_whose_beginning_is_lost_holds_what_was_inside_it():
    trace = assembled([(Kind.ENTER, INNER), (Kind.LEAVE, INNER), (Kind.LEAVE, OUTER)])
    outer, inner = trace.calls
    assert outer.code.name == "outer"
    assert inner.parent == outer.id
    assert outer.enter_ns <= inner.enter_ns
    assert (outer.depth, inner.depth) == (0, 1)
    assert (outer.site, outer.arguments) == (None, {})


def test_a_call_whose_end_is_lost_stays_open():
    trace = assembled([(Kind.ENTER, OUTER), (Kind.ENTER, INNER), (Kind.LEAVE, OUTER)])
    outer, inner = trace.calls
    assert outer.leave_ns is not None
    assert inner.leave_ns is None


def test_a_new_recording_leaves_nothing_open():
    trace = assembled([(Kind.ENTER, OUTER), (Kind.SESSION, None), (Kind.ENTER, INNER), (Kind.LEAVE, INNER)])
    outer, inner = trace.calls
    assert outer.leave_ns is None
    assert inner.parent is None


@pytest.mark.parametrize("kind", [Kind.LEAVE, Kind.UNWIND])
def test_an_end_alone_is_a_call(kind):
    (call,) = assembled([(kind, INNER)]).calls
    assert call.leave_ns is not None


@given(
    st.lists(
        st.tuples(st.sampled_from([Kind.ENTER, Kind.LEAVE, Kind.RUNNING]), st.sampled_from([OUTER, INNER])),
        max_size=60,
    ),
    st.integers(1, 50),
)
def test_any_rows_make_a_sound_trace(rows, capacity):
    """Whatever was lost: parents stand around their children, and times go forward."""
    trace = assembled(rows, capacity)
    for call in trace.calls:
        assert call.leave_ns is None or call.leave_ns >= call.enter_ns
        if call.parent is not None:
            parent = trace.calls[call.parent]
            assert parent.id < call.id
            assert parent.depth + 1 == call.depth
            assert parent.enter_ns <= call.enter_ns
    enters = sum(kind is not Kind.LEAVE for kind, _ in rows)
    assert len(trace.calls) >= enters - trace.lost
