"""Work that passes from thread to thread: joined by the object, in the order of time."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps import traced
from tests.waiting import eventually
from utils.records import Call, Code, HandOffKind, Site
from utils.tracing.collector import Collector
from utils.tracing.handoffs import ROLES, End, join
from utils.tracing.scope import Scope

ROOT = Path(traced.__file__)
ROLE = {role.name: role for role in ROLES}
HERE = Site(Code(str(ROOT), "caller", 1), 1)


def record(function):
    collector = Collector("test", roots=[ROOT, Path(__file__)])
    with collector:
        function()
    trace = collector.take()
    assert trace.faults == 0
    return trace


def told(trace):
    """The hand-offs as (kind, giving thread, taking thread)."""
    thread = {call.id: trace.threads[call.thread] for call in trace.calls}
    return [(h.kind.value, thread[h.given], thread[h.taken]) for h in trace.handoffs]


# ── recorded ─────────────────────────────────────────────────────────────────


def test_a_question_goes_to_a_worker_and_its_answer_comes_back():
    def ask():
        worker = traced.Worker()
        worker.thread.start()
        worker.ask(1)
        worker.ask(2)
        worker.close()

    trace = record(ask)
    main = threading.current_thread().name
    there, back = ("queue", main, "worker"), ("queue", "worker", main)
    assert told(trace) == [("thread", main, "worker"), there, back, there, back, there]
    for handoff in trace.handoffs:
        assert handoff.given_ns <= handoff.taken_ns
    given, taken = (trace.calls[number] for number in (trace.handoffs[1].given, trace.handoffs[1].taken))
    assert (given.code.name, given.arguments["item"]) == ("Queue.put", "1")
    assert (taken.code.name, taken.result) == ("Queue.get", "1")


def test_the_very_item_tells_whose_put_it_was():
    """A stack gives the last first: order alone would join the wrong ones."""

    def work():
        stack = queue.LifoQueue()
        for item in ("first", "second", "third"):
            stack.put(item)
        thread = threading.Thread(target=lambda: [stack.get(timeout=30) for _ in range(3)])
        thread.start()
        thread.join(30)

    trace = record(work)
    for handoff in trace.handoffs:
        if handoff.kind is HandOffKind.QUEUE:
            assert trace.calls[handoff.given].arguments["item"] == trace.calls[handoff.taken].result
    assert sum(handoff.kind is HandOffKind.QUEUE for handoff in trace.handoffs) == 3


def test_an_event_wakes_all_who_wait_and_each_once():
    def work():
        event = threading.Event()

        def wait():
            assert event.wait(30)
            assert event.wait(30)  # still set: nothing new

        threads = [threading.Thread(target=wait, name=f"waiter {number}") for number in range(2)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(event._cond._waiters) == 2)
        event.set()
        for thread in threads:
            thread.join(30)

    events = [fact for fact in told(record(work)) if fact[0] == "event"]
    main = threading.current_thread().name
    assert sorted(events) == [("event", main, "waiter 0"), ("event", main, "waiter 1")]


def test_an_event_that_was_set_before_anybody_waited_woke_nobody():
    def work():
        event = threading.Event()
        event.set()
        thread = threading.Thread(target=event.wait, args=(30,))
        thread.start()
        thread.join(30)

    assert [fact[0] for fact in told(record(work))] == ["thread"]


def test_a_wait_that_timed_out_took_nothing():
    def work():
        event = threading.Event()
        thread = threading.Thread(target=lambda: event.wait(0.01))
        thread.start()
        thread.join(30)
        event.set()

    assert [fact[0] for fact in told(record(work))] == ["thread"]


def test_a_thread_that_overrides_run_is_handed_its_start():
    def work():
        thread = traced.Override(name="override")
        thread.start()
        thread.join(30)

    trace = record(work)
    assert told(trace) == [("thread", threading.current_thread().name, "override")]
    assert trace.calls[trace.handoffs[0].taken].code.name == "Override.run"


def test_that_a_thread_has_started_is_its_own_affair():
    """``Thread.start`` waits for an event: that is no work handed back."""

    def work():
        threads = [threading.Thread(target=traced.outer, args=(1,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert {fact[0] for fact in told(record(work))} == {"thread"}


def test_each_thread_is_one_even_if_the_system_uses_its_ident_again():
    idents = []

    def work():
        for number in range(10):
            thread = threading.Thread(target=traced.outer, args=(number,), name=f"thread {number}")
            thread.start()
            idents.append(thread.ident)
            thread.join(30)

    trace = record(work)
    assert [fact[2] for fact in told(trace)] == [f"thread {number}" for number in range(10)]
    outer = [call for call in trace.calls if call.code.name == "outer"]
    assert [trace.threads[call.thread] for call in outer] == [f"thread {number}" for number in range(10)]
    assert [call.arguments["value"] for call in outer] == [str(number) for number in range(10)]
    assert len({call.thread for call in outer}) == 10


def test_work_for_oneself_is_not_handed_on():
    def work():
        own = queue.Queue()
        own.put("note to self")
        own.get()

    assert told(record(work)) == []


# ── made by hand ─────────────────────────────────────────────────────────────


def call(number, thread, enter, leave, parent=None, site=HERE):
    return Call(
        id=number, process="test", thread=thread, code=Code("f", "f", 1), parent=parent, depth=0,
        enter_ns=enter, leave_ns=leave, site=site,
    )  # fmt: skip


def joined(*ends):
    return [(handoff.given, handoff.taken) for handoff in handoffs(*ends)]


def handoffs(*ends):
    calls = sorted((end.call for end in ends), key=lambda each: each.id)
    return join(Scope(), ends, calls, {})


RECEIVE, SET, WAIT = ROLE["Base.receive"], ROLE["Event.set"], ROLE["Event.wait"]
PUT, GET = ROLE["Queue.put"], ROLE["Queue.get"]


def test_a_receive_that_needed_not_wait_took_the_oldest_message():
    assert joined(
        End(call(0, 1, 10, 11), SET, medium=5),
        End(call(1, 1, 12, 13), SET, medium=5),
        End(call(2, 2, 20, 21), RECEIVE, medium=5),
        End(call(3, 2, 22, 23), RECEIVE, medium=5),
        End(call(4, 2, 24, 25), RECEIVE, medium=5),
    ) == [(0, 2), (1, 3)]


def test_the_wait_inside_a_receive_is_part_of_it():
    assert joined(
        End(call(0, 2, 5, 15), RECEIVE, medium=5),
        End(call(1, 2, 6, 14, parent=0), WAIT, medium=5),
        End(call(2, 1, 10, 11), SET, medium=5),
    ) == [(2, 0)]


def test_a_wait_takes_the_latest_setting():
    assert joined(
        End(call(0, 1, 10, 11), SET, medium=5),
        End(call(1, 1, 12, 13), SET, medium=5),
        End(call(2, 2, 5, 14), WAIT, medium=5),
        End(call(3, 2, 15, 16), WAIT, medium=5),
    ) == [(1, 2)]


def test_of_several_items_taken_at_once_each_is_taken_up_when_it_is_worked_on():
    """A writer takes two packets out of its queue, then encodes and sends the one, then the other."""
    given = [End(call(n, 1, 10 + n, 10 + n), ROLE["Queue.put"], 7, item) for n, item in ((0, 70), (1, 71))]
    taken = [End(call(n, 2, 12, 20 + n), ROLE["Queue.get"], 7, item) for n, item in ((2, 70), (3, 71))]
    used = [
        End(call(n, 2, at, at + 5), ROLE["Packet.encode"], item) for n, at, item in ((4, 30, 70), (5, 40, 71))
    ]
    assert [(h.given, h.taken, h.taken_ns) for h in handoffs(*given, *taken, *used)] == [
        (0, 2, 30),
        (1, 3, 40),
    ]


def test_the_place_of_an_item_that_nobody_worked_on_may_be_used_again():
    given = [End(call(n, 1, at, at), ROLE["Queue.put"], 7, 70) for n, at in ((0, 10), (1, 30))]
    taken = [End(call(n, 2, at, at + 1), ROLE["Queue.get"], 7, 70) for n, at in ((2, 11), (3, 31))]
    used = [End(call(4, 2, 40, 45), ROLE["Packet.encode"], 70)]
    assert [h.taken_ns for h in handoffs(*given, *taken, *used)] == [12, 40]


def test_nothing_is_taken_before_it_is_given():
    assert joined(
        End(call(0, 2, 1, 5), WAIT, medium=5),
        End(call(1, 1, 10, 11), SET, medium=5),
    ) == []  # fmt: skip


def test_other_objects_are_not_confused():
    assert joined(
        End(call(0, 1, 10, 11), PUT, medium=5, item=1),
        End(call(1, 1, 12, 13), PUT, medium=6, item=1),
        End(call(2, 1, 14, 15), PUT, medium=5, item=2),
        End(call(3, 2, 20, 21), GET, medium=6, item=1),
        End(call(4, 2, 22, 23), GET, medium=5, item=2),
    ) == [(1, 3), (2, 4)]


def test_a_pool_of_connections_hands_no_work_on():
    import urllib3.connectionpool

    pool = Site(Code(urllib3.connectionpool.__file__, "HTTPConnectionPool._get_conn", 1), 1)
    assert joined(
        End(call(0, 1, 10, 11, site=pool), PUT, medium=5, item=1),
        End(call(1, 2, 20, 21, site=pool), GET, medium=5, item=1),
    ) == []  # fmt: skip


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(1, 2), st.integers(0, 3)), max_size=40)
)
def test_each_gift_is_taken_once_and_after_it_was_given(events):
    """However puts and gets are mixed: no item is taken twice, or before it is there."""
    ends = [
        End(call(number, thread, number * 2, number * 2 + 1), PUT if gives else GET, medium, item)
        for number, (gives, thread, medium, item) in enumerate(events)
    ]
    found = joined(*ends)
    by_id = {end.call.id: end for end in ends}
    assert len({gave for gave, _ in found}) == len(found) == len({taken for _, taken in found})
    for gave, taken in found:
        giver, taker = by_id[gave], by_id[taken]
        assert (giver.role, giver.medium, giver.item) == (PUT, taker.medium, taker.item)
        assert giver.time_ns <= taker.time_ns
        assert giver.call.thread != taker.call.thread


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_each_role_is_a_functions_that_exists(role):
    from tests.test_tracing_catalog import names_in, source_of

    assert role.name in names_in(source_of(role.path))
