"""The flat facts: nothing is lost but the oldest, and that is counted."""

from __future__ import annotations

import _thread
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.tracing.buffer import BATCH, WIDTH, Bearers, Buffer, Kind, ThreadFacts, thread_of

CODE = compile("", "file", "exec")


def fill(buffer, count, extra=None, first=0):
    for number in range(first, first + count):
        buffer.extend((7, number, Kind.ENTER, CODE, None, number % 1000, extra))
        if len(buffer.rows) >= buffer.full:
            buffer.pack()


def all_rows(facts):
    return [row for batch in facts.batches for row in batch.rows()]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.sampled_from(Kind),
            st.sampled_from([None, CODE]),
            st.sampled_from([None, CODE]),
            st.integers(0, 2**32 - 1),
            st.none() | st.text(),
        )
    ),
    st.booleans(),
)
def test_what_is_noted_is_read_again(rows, early):
    buffer = Buffer(1000, lambda: 0)
    for row in rows:
        buffer.extend(row)
    if early:
        buffer.pack(early=True)
    facts = buffer.copy()
    read = [
        (ident, time_ns, kind, facts.codes[code], facts.codes[caller], at, extra)
        for ident, time_ns, kind, code, caller, at, extra in all_rows(facts)
    ]
    assert read == rows
    assert facts.lost == 0


@pytest.mark.parametrize("capacity", [1, 2, 100, BATCH, BATCH + 1, 3 * BATCH])
def test_the_latest_are_kept_and_the_oldest_are_counted(capacity):
    buffer = Buffer(capacity, lambda: 0)
    noted = capacity + 3 * BATCH
    fill(buffer, noted)
    facts = buffer.copy()
    times = [row[1] for row in all_rows(facts)]
    assert times == list(range(facts.lost, noted))
    assert len(times) >= capacity
    assert len(times) < capacity + 2 * buffer.batch


def test_a_call_without_a_snapshot_takes_less_than_a_hundred_bytes():
    buffer = Buffer(10**6, lambda: 0)
    fill(buffer, 10 * BATCH)
    held = sum(
        len(column)
        for batch in buffer.copy().batches
        for column in (batch.idents, batch.times, batch.kinds, batch.codes, batch.callers, batch.ats)
    )
    calls = 10 * BATCH / 2
    assert held / calls <= 100


def test_heavy_facts_are_bounded_by_their_weight():
    buffer = Buffer(4 * BATCH, lambda: 0)
    most = buffer.most_bytes
    piece = 1 << 16
    for number in range(2 * most // piece):
        buffer.note(Kind.TRANSFER, b"x" * piece)
        buffer.weight += piece
        if number % 8 == 7:
            buffer.pack(early=True)
    facts = buffer.copy()
    assert facts.lost > 0
    assert sum(len(row[6]) for row in all_rows(facts)) <= most + 8 * piece


def test_threads_write_side_by_side():
    buffer = Buffer(10**6, lambda: 0)
    each, ready = 20_000, threading.Barrier(4)

    def write(ident):
        ready.wait(30)
        for number in range(each):
            buffer.extend((ident, number, Kind.ENTER, CODE, None, ident, None))
            if len(buffer.rows) >= buffer.full:
                buffer.pack()

    threads = [threading.Thread(target=write, args=(ident,)) for ident in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rows = all_rows(buffer.copy())
    assert len(rows) == 4 * each
    for ident in range(4):
        assert [row[1] for row in rows if row[0] == ident] == list(range(each))
    assert all(row[0] == row[5] for row in rows)


def test_a_copy_is_consistent_while_others_write():
    buffer = Buffer(4 * BATCH, lambda: 0)
    done = threading.Event()

    def write():
        number = 0
        while not done.is_set():
            buffer.extend((1, number, Kind.ENTER, CODE, None, 0, None))
            number += 1
            if len(buffer.rows) >= buffer.full:
                buffer.pack()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(20):
            facts = buffer.copy()
            times = [row[1] for row in all_rows(facts)]
            assert times == list(range(facts.lost, facts.lost + len(times)))
    finally:
        done.set()
        thread.join(30)


def test_a_thread_is_remembered_when_its_beginning_is_dropped():
    buffer = Buffer(2, lambda: 0)
    facts = ThreadFacts(1, "worker", 123)
    buffer.note(Kind.THREAD, tuple(facts), ident=7)
    fill(buffer, 10)
    assert buffer.copy().bearers.now == {7: facts}


def test_a_thread_keeps_its_number_and_another_with_its_ident_gets_a_new_one():
    buffer = Buffer(100, lambda: 0)
    first, second = threading.Thread(name="first"), threading.Thread(name="second")
    for thread in (first, first, second):
        buffer.meet(thread, 7)
    met = [ThreadFacts(*row[6]) for row in all_rows(buffer.copy())]
    assert [facts.name for facts in met] == ["first", "first", "second"]
    assert met[0].number == met[1].number != met[2].number


def test_a_thread_at_the_address_of_one_that_is_gone_is_another():
    for _ in range(10_000):  # until the allocator gives the same place again
        buffer = Buffer(100, lambda: 0)
        first = threading.Thread(name="first")
        buffer.meet(first, 7)
        address = id(first)
        del first
        second = threading.Thread(name="second")
        if id(second) == address:
            break
    assert id(second) == address
    buffer.meet(second, 7)
    buffer.meet(None, 7)  # one that the threading module does not know
    buffer.meet(None, 7)
    met = [ThreadFacts(*row[6]) for row in all_rows(buffer.copy())]
    assert [facts.name for facts in met] == ["first", "second", "thread 7", "thread 7"]
    assert met[0].identity == met[1].identity
    assert len({facts.number for facts in met}) == 3


def test_a_threads_name_is_read_past_its_own_property():
    class Renamed(threading.Thread):
        name = property(lambda self: 1 / 0)

    thread = Renamed.__new__(Renamed)
    thread.__dict__["_name"] = "plain"
    buffer = Buffer(100, lambda: 0)
    buffer.meet(thread, 7)
    assert all_rows(buffer.copy())[0][6][1] == "plain"


def test_the_running_thread_is_found_without_making_a_dummy():
    found, done = [], threading.Lock()
    done.acquire()

    def raw():
        found.append(thread_of(sys._getframe(), threading.get_ident()))
        done.release()

    before = set(threading._active)
    _thread.start_new_thread(raw, ())
    assert done.acquire(timeout=30)
    assert found == [None]
    assert set(threading._active) == before

    thread = threading.Thread(target=lambda: found.append(thread_of(sys._getframe(), threading.get_ident())))
    thread.start()
    thread.join(30)
    assert found[1] is thread
    assert thread_of(sys._getframe(), threading.get_ident()) is threading.current_thread()


def test_a_switch_of_greenlets_is_remembered_when_it_is_dropped():
    buffer = Buffer(2, lambda: 0)
    main, greenlet = ThreadFacts(1, "main", 1), ThreadFacts(2, "Greenlet 2", 2)
    buffer.note(Kind.THREAD, tuple(main), ident=7)
    buffer.note(Kind.SWITCH, tuple(greenlet), ident=7)
    fill(buffer, 10)
    assert buffer.copy().bearers.now == {7: greenlet}
    buffer.note(Kind.SWITCH, (), ident=7)
    fill(buffer, 10)
    assert buffer.copy().bearers.now == {7: main}


def test_a_thread_that_is_a_greenlet_keeps_its_name_from_switch_to_switch():
    bearers = Bearers()
    bearers.take(Kind.THREAD, 7, (1, "main", 1))
    bearers.take(Kind.SWITCH, 7, (2, "Greenlet 2", 2))
    bearers.take(Kind.THREAD, 7, (3, "worker", 3))
    bearers.take(Kind.SWITCH, 7, ())
    assert bearers.now[7].name == "main"
    bearers.take(Kind.SWITCH, 7, (2, "Greenlet 2", 2))
    assert bearers.now[7].name == "worker"
    other = bearers.copy()
    other.take(Kind.SWITCH, 7, (4, "Greenlet 4", 4))
    assert (other.now[7].name, bearers.now[7].name) == ("Greenlet 4", "worker")


def test_clearing_forgets_everything_but_the_threads_numbers():
    buffer = Buffer(10, lambda: 0)
    thread = threading.Thread()
    buffer.meet(thread, 7)
    number = all_rows(buffer.copy())[0][6][0]
    fill(buffer, 100)
    buffer.faults = 3
    buffer.clear()
    facts = buffer.copy()
    assert (all_rows(facts), facts.lost, facts.faults, facts.bearers.now) == ([], 0, 0, {})
    buffer.meet(thread, 7)
    assert all_rows(buffer.copy())[0][6][0] == number


def test_a_packing_that_is_under_way_is_not_waited_for():
    buffer = Buffer(10, lambda: 0)
    with buffer._packing:
        for number in range(buffer.batch + 1):
            buffer.extend((7, number, Kind.ENTER, CODE, None, 0, None))
        buffer.pack()  # as a hook in another thread would: it returns at once
        assert len(buffer.rows) == (buffer.batch + 1) * WIDTH
    buffer.pack()
    assert len(buffer.rows) == WIDTH


def test_there_is_no_buffer_for_nothing():
    with pytest.raises(ValueError, match="capacity"):
        Buffer(0, lambda: 0)
