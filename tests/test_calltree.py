"""A call stands where it was entered, below the nearest recorded call around it."""

from __future__ import annotations

from tests.worlds import Process, flow
from utils.journeys.calltree import CallTree


def tree():
    server = Process("server")
    loop = server.call(1, "loop", 1, 90)
    first = server.call(1, "handle", 10, 30, loop)
    inner = server.call(1, "work", 12, 20, first)
    server.call(2, "other", 15, 16)
    server.call(1, "handle", 40, 60, loop)
    sent = server.send(1, flow(40000), 0, 4, 13, 14, call=inner)
    found = CallTree()
    for call in server.trace.calls:
        found.add(call)
    return found, server.calls, sent


def names(calls) -> list[str]:
    return [call.code.name for call in calls]


def test_around_a_transfer_are_the_calls_that_it_was_made_in():
    found, calls, sent = tree()
    assert names(found.around(sent)) == ["work", "handle", "loop"]
    assert names(found.ancestors(calls[2])) == ["handle", "loop"]
    assert found.call("server", None) is None and found.call("client", 0) is None


def test_what_was_entered_in_a_thread_from_one_time_to_another():
    found, calls, _ = tree()
    assert names(found.entered("server", 1, 10, 40)) == ["handle", "work"]
    assert names(found.siblings(calls[1])) == ["handle", "handle"]
    assert names(found.siblings(calls[4])) == ["handle"]
