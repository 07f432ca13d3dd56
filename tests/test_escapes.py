"""An exception is followed from the line that raised it to the call that caught it."""

from __future__ import annotations

from tests.worlds import Process
from utils.journeys.escapes import escapes
from utils.records import Site

GONE = {"exception": "ValueError"}


def told(process):
    return [
        ([call.code.name for call in one.left], one.caught and one.caught.code.name)
        for one in escapes(process.trace.calls)
    ]


def test_it_passes_through_what_left_by_it_and_is_caught_by_what_did_not():
    server = Process("server")
    handle = server.call(1, "handle", 0, 100)
    work = server.call(1, "work", 10, 50, handle, **GONE)
    server.call(1, "decode", 20, 40, work, **GONE)
    assert told(server) == [(["decode", "work"], "handle")]


def test_where_none_that_was_recorded_caught_it_that_is_told():
    server = Process("server")
    work = server.call(1, "work", 10, 50, **GONE)
    server.call(1, "decode", 20, 40, work, **GONE)
    assert told(server) == [(["decode", "work"], None)]


def test_what_was_caught_before_another_was_raised_is_another():
    server = Process("server")
    work = server.call(1, "work", 10, 90, **GONE)
    server.call(1, "decode", 20, 30, work, **GONE)
    server.call(1, "again", 40, 50, work)
    assert told(server) == [(["decode"], "work"), (["work"], None)]


def test_another_type_is_another_exception():
    server = Process("server")
    work = server.call(1, "work", 10, 90, exception="KeyError")
    server.call(1, "decode", 20, 30, work, **GONE)
    assert told(server) == [(["decode"], "work"), (["work"], None)]


def test_the_lines_are_those_that_the_calls_were_at():
    server = Process("server")
    handle = server.call(1, "handle", 0, 100)
    code = server.calls[handle].code
    server.call(1, "decode", 20, 40, handle, left=44, site=Site(code, 7), **GONE)
    (one,) = escapes(server.trace.calls)
    assert one.raised.line == 44
    assert one.caught_at == Site(code, 7)


def test_a_caller_that_was_not_recorded_leaves_the_catchers_line_unknown():
    server = Process("server")
    handle = server.call(1, "handle", 0, 100)
    elsewhere = Site(server.calls[handle].code.__class__("/nowhere/b.py", "between", 1), 3)
    server.call(1, "decode", 20, 40, handle, site=elsewhere, **GONE)
    (one,) = escapes(server.trace.calls)
    assert one.caught_at == Site(one.caught.code, one.caught.code.first_line)


def test_each_comes_in_the_order_in_which_it_was_raised():
    server = Process("server")
    loop = server.call(1, "loop", 0, 100)
    server.call(1, "second", 40, 50, loop, **GONE)
    server.call(2, "first", 10, 20, **GONE)
    assert [names for names, _ in told(server)] == [["first"], ["second"]]


def test_where_nothing_went_wrong_there_is_none():
    server = Process("server")
    server.call(1, "handle", 0, 100)
    assert told(server) == []


def test_those_of_one_function_can_be_asked_for():
    server = Process("server")
    work = server.call(1, "work", 10, 50, **GONE)
    server.call(1, "decode", 20, 40, work, **GONE)
    server.call(2, "other", 60, 70, **GONE)
    calls = server.trace.calls
    assert [one.left[0].code.name for one in escapes(calls, of=calls[:1])] == ["decode"]
    assert escapes(calls, of=[]) == []
