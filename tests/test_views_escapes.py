"""A table of exceptions: raised where, passed through what, caught by whom."""

from __future__ import annotations

from tests import hostile
from tests.markup_reader import Reader
from tests.worlds import Process
from utils.journeys.escapes import escapes
from utils.records import Link, Site
from utils.views import wording
from utils.views.escapes import exceptions


def linker(filename, line):
    return Link(f"https://example.org/{line}", True)


def found(name="decode"):
    server = Process("server")
    handle = server.call(1, "handle", 0, 100)
    work = server.call(1, "work", 10, 50, handle, exception="E", site=Site(server.calls[0].code, 7))
    server.call(1, name, 20, 40, work, exception="E", left=44)
    return escapes(server.trace.calls)


def test_each_row_tells_the_line_that_raised_and_the_line_that_caught():
    view = exceptions(found(), linker, "decode")
    assert str(view).splitlines() == [
        "1 exception that left decode",
        "#  raised in          passed through  caught in",
        "1  line 44 of decode  work            line 7 of handle",
    ]
    read = Reader(view.html)
    assert [one["href"] for one in read.find("a")] == ["https://example.org/44", "https://example.org/7"]
    assert "line 44 of decode" in read.text and "1 exception that left decode" in read.text


def test_where_nobody_caught_it_that_is_said():
    server = Process("server")
    server.call(1, "decode", 20, 40, exception="E")
    assert "nothing that was recorded" in str(exceptions(escapes(server.trace.calls), linker))


def test_none_is_told_as_none():
    assert str(exceptions([], linker, "decode")) == "0 exceptions that left decode"


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    usual, read = (Reader(exceptions(found(name), linker, name).html) for name in ("x", payload))
    assert {tag for tag, _ in read.elements} - {"wbr"} == {tag for tag, _ in usual.elements} - {"wbr"}
    assert wording.visible(f"of {payload}").strip() in read.text
