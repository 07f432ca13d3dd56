"""The engine for Python 3.12 and later: what it costs, and what it leaves behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.apps import traced
from utils.errors import EnvironmentLack

if sys.version_info < (3, 12):
    pytest.skip("sys.monitoring came with Python 3.12", allow_module_level=True)

from utils.tracing.buffer import Buffer, Kind
from utils.tracing.monitoring import TOOL_NAME, MonitoringEngine
from utils.tracing.scope import Detail, Scope

monitoring = sys.monitoring
TOOLS = range(6)


def tools():
    return [monitoring.get_tool(tool) for tool in TOOLS]


def engine(detail=Detail.FULL, clock=lambda: 0):
    buffer = Buffer(10_000, clock)
    return buffer, MonitoringEngine(buffer, Scope([Path(traced.__file__)], detail))


def noted(buffer, name):
    facts = buffer.copy()
    return [
        Kind(row[2]).name
        for batch in facts.batches
        for row in batch.rows()
        if facts.codes[row[3]] is not None and facts.codes[row[3]].co_name == name
    ]


def test_two_places_are_taken_and_given_back():
    before = tools()
    _, machine = engine()
    machine.start()
    machine.start()
    assert tools().count(TOOL_NAME) == before.count(TOOL_NAME) + 2
    traced.outer(1)
    machine.stop()
    machine.stop()
    assert tools() == before


def test_no_event_stays_switched_on():
    _, machine = engine()
    machine.start()
    traced.outer(1)
    traced.consumes(2)
    places = [tool for tool in TOOLS if monitoring.get_tool(tool) == TOOL_NAME]
    machine.stop()
    for tool in places:
        monitoring.use_tool_id(tool, "afterwards")
        try:
            assert monitoring.get_events(tool) == 0
            for function in (traced.outer, traced.inner, traced.numbers):
                assert monitoring.get_local_events(tool, function.__code__) == 0
        finally:
            monitoring.free_tool_id(tool)


@pytest.mark.parametrize("detail", Detail)
def test_each_call_is_noted_once_the_first_one_too(detail):
    buffer, machine = engine(detail)
    for _ in range(3):
        machine.start()
        traced.outer(1)
        traced.outer(2)
        machine.stop()
        traced.outer(3)
    assert noted(buffer, "outer") == ["ENTER", "LEAVE"] * 6
    assert noted(buffer, "inner") == ["ENTER", "LEAVE"] * 6
    assert buffer.faults == 0


def test_what_another_recording_left_out_is_noted_if_it_is_in_scope_now():
    buffer = Buffer(10_000, lambda: 0)
    other = MonitoringEngine(buffer, Scope())
    other.start()
    traced.outer(1)
    other.stop()
    assert noted(buffer, "outer") == []
    buffer, machine = engine()
    machine.start()
    traced.outer(1)
    machine.stop()
    assert noted(buffer, "outer") == ["ENTER", "LEAVE"]


def test_two_engines_do_not_disturb_each_other():
    first_buffer, first = engine()
    second_buffer, second = engine(Detail.PLAIN)
    first.start()
    second.start()
    traced.outer(1)
    second.stop()
    traced.outer(2)
    first.stop()
    assert noted(first_buffer, "outer") == ["ENTER", "LEAVE"] * 2
    assert noted(second_buffer, "outer") == ["ENTER", "LEAVE"]


def test_without_a_place_there_is_a_named_error_and_nothing_is_taken():
    taken = []
    try:
        for tool in TOOLS:
            if (
                monitoring.get_tool(tool) is None
                and len([t for t in TOOLS if not monitoring.get_tool(t)]) > 1
            ):
                monitoring.use_tool_id(tool, "somebody else")
                taken.append(tool)
        before = tools()
        _, machine = engine()
        with pytest.raises(EnvironmentLack, match="cannot be recorded"):
            machine.start()
        assert tools() == before
    finally:
        for tool in taken:
            monitoring.free_tool_id(tool)


def test_a_fault_of_the_tracer_is_counted_and_never_felt():
    broken = iter(range(10_000))
    fail = [False]

    def clock():
        if fail[0]:
            raise ZeroDivisionError
        return next(broken)

    buffer, machine = engine(clock=clock)
    machine.start()
    fail[0] = True
    try:
        assert traced.consumes(3) == 15
        assert traced.catches() == "caught"
    finally:
        fail[0] = False
        machine.stop()
    assert buffer.faults > 0
