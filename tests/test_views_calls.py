"""Calls side by side: what each was handed, what it gave, and the line that asked."""

from __future__ import annotations

from tests import hostile
from tests.builders import code_of
from tests.markup_reader import Reader
from utils import libraries
from utils.records import Call, Code, Link, Site
from utils.views.calls import calls, place


def made(name="work", site=None, arguments=None, result=None):
    return Call(0, "server", 1, Code("/nowhere/a.py", name, 1), None, 0, 0, 1, site, None, arguments, result)


def linked(filename, line):
    return libraries.link(filename, line)


def test_the_line_that_asked_is_named_by_its_library_s_path_and_leads_there():
    import engineio

    code = code_of(engineio.Server.send)
    view = calls("work", [made(site=Site(code, 92), arguments={"n": "1"}, result="2")], linked)
    assert str(view).splitlines()[-1].split() == ["1", "engineio/server.py:92", "Server.send", "n=1", "2"]
    (link,) = Reader(view.html).find("a")
    assert link["href"].endswith("engineio/server.py#L92")


def test_a_caller_without_a_file_is_told_by_its_function():
    assert place(Site(Code("<cell>", "bid", 1), 3)) == "line 3 of bid"
    assert place(None) == ""


def test_what_was_not_recorded_is_empty():
    assert str(calls("work", [made()], linked)).splitlines()[-1] == "1"


@hostile.each_payload
def test_what_came_from_outside_is_shown_and_cut(payload):
    found = [made(payload, Site(Code("<x>", payload, 1), 1), {payload: payload}, payload * 100)]
    view = calls(payload, found, lambda *_: Link(payload, True))
    assert {tag for tag, _ in Reader(view.html).elements} <= {
        *("table", "caption", "thead", "tbody", "tr", "th", "td", "span", "wbr", "a")
    }
    assert {name for _, name in Reader(view.html).forms} <= {"", "style", "scope", "href", "target", "rel"}
    assert len(str(view).splitlines()) == 3
