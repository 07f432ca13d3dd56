"""The engine for Python 3.11: what it can tell, and what it leaves behind."""

from __future__ import annotations

import cProfile
import dis
import sys
import threading
from pathlib import Path

import pytest

from tests.apps import traced

if sys.version_info >= (3, 12):
    pytest.skip("from Python 3.12 on there is sys.monitoring", allow_module_level=True)

from utils.tracing.buffer import Buffer, Kind
from utils.tracing.profiling import ProfilingEngine
from utils.tracing.scope import Scope


def engine(clock=lambda: 0):
    buffer = Buffer(10_000, clock)
    return buffer, ProfilingEngine(buffer, Scope([Path(traced.__file__)]))


def noted(buffer, name):
    facts = buffer.copy()
    return [
        Kind(row[2]).name
        for batch in facts.batches
        for row in batch.rows()
        if facts.codes[row[3]] is not None and facts.codes[row[3]].co_name == name
    ]


def test_nothing_is_left_behind():
    _, machine = engine()
    for _ in range(2):
        machine.start()
        machine.start()
        traced.outer(1)
        machine.stop()
        machine.stop()
        assert sys.getprofile() is None
        assert threading.getprofile() is None


def test_threads_that_run_already_are_seen_and_released():
    buffer, machine = engine()
    worker = traced.Worker()
    worker.thread.start()
    worker.ask(1)
    machine.start()
    worker.ask(2)
    machine.stop()
    worker.ask(3)
    assert noted(buffer, "outer") == ["ENTER", "LEAVE"]
    worker.close()


def test_a_thread_that_begins_is_noted_once_and_has_the_plain_hook():
    buffer, machine = engine()
    hooks = []
    machine.start()
    thread = threading.Thread(target=lambda: (traced.outer(1), hooks.append(sys.getprofile())), name="new")
    thread.start()
    thread.join(30)
    machine.stop()
    assert hooks[0] is not None
    assert hooks[0].__name__ == "hook"
    names = [row[6][1] for batch in buffer.copy().batches for row in batch.rows() if row[2] == Kind.THREAD]
    assert names.count("new") == 1


def test_another_profiler_is_left_in_peace():
    _, machine = engine()
    other = cProfile.Profile()
    other.enable()
    try:
        machine.start()
        traced.outer(1)
        machine.stop()
        assert sys.getprofile() is other
    finally:
        other.disable()
    assert any(entry.code is traced.outer.__code__ for entry in other.getstats())


def test_the_hook_of_threads_is_put_back():
    def theirs(frame, event, argument):
        """Somebody else's."""

    threading.setprofile(theirs)
    try:
        _, machine = engine()
        machine.start()
        assert threading.getprofile() is not theirs
        machine.stop()
        assert threading.getprofile() is theirs
    finally:
        threading.setprofile(None)


def test_the_bytecode_tells_what_the_hook_is_not_told():
    _, machine = engine()

    def offset_of(function, operation, last=False):
        found = [i.offset for i in dis.get_instructions(function) if i.opname == operation]
        return found[-1 if last else 0]

    def refined(function, kind, operation, last=False):
        return machine.refine(function.__code__, kind, offset_of(function, operation, last))

    assert refined(traced.outer, Kind.LEAVE, "RETURN_VALUE") is Kind.LEAVE
    assert refined(traced.fails, Kind.LEAVE, "RAISE_VARARGS") is Kind.UNWIND
    assert refined(traced.outer, Kind.LEAVE, "CALL") is Kind.UNWIND
    assert refined(traced.numbers, Kind.LEAVE, "YIELD_VALUE") is Kind.YIELD
    assert refined(traced.numbers, Kind.ENTER, "RESUME") is Kind.ENTER
    assert refined(traced.numbers, Kind.ENTER, "RESUME", last=True) is Kind.RESUME
    assert refined(traced.numbers, Kind.ENTER, "RETURN_GENERATOR") is None
    assert refined(traced.numbers, Kind.LEAVE, "RETURN_GENERATOR") is None


def test_a_fault_of_the_tracer_is_counted_and_never_felt():
    fail = [False]

    def clock():
        if fail[0]:
            raise ZeroDivisionError
        return 0

    buffer, machine = engine(clock)
    machine.start()
    fail[0] = True
    try:
        assert traced.consumes(3) == 15
        assert traced.catches() == "caught"
        assert sys.getprofile() is not None  # an exception would have taken the hook off
    finally:
        fail[0] = False
        machine.stop()
    assert buffer.faults > 0
