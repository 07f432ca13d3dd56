"""Two journeys side by side: what stayed, what changed, what went and what came."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from utils import lab
from utils.records import Excerpt, Journey, Level, Library, Step, StepKind
from utils.versions.stackdiff import Fate, compare


def step(title, *, line=1, text="return 1", library="Flask", path="flask/app.py"):
    excerpt = Excerpt(path, path, title, ((line, text),), line)
    of = Library(library, "1", "BSD", None)
    return Step(StepKind.CALL, Level.ESSENTIAL, "server", "request", title, 0, 0, library=of, excerpt=excerpt)


def journey(*steps):
    return Journey("bid", 0, tuple(steps), "tap")


def fates(left, right):
    return [
        (row.fate, row.left and row.left.title, row.right and row.right.title)
        for row in compare(journey(*left), journey(*right))
    ]


def test_what_stayed_moved_and_changed():
    assert fates([step("A.f")], [step("A.f")]) == [(Fate.SAME, "A.f", "A.f")]
    assert fates([step("A.f")], [step("A.f", line=9)]) == [(Fate.MOVED, "A.f", "A.f")]
    assert fates([step("A.f")], [step("A.f", path="flask/sansio/app.py")]) == [(Fate.MOVED, "A.f", "A.f")]
    assert fates([step("A.f")], [step("A.f", text="return 2")]) == [(Fate.CHANGED, "A.f", "A.f")]


def test_what_went_what_came_and_what_has_another_name():
    left = [step("A.f"), step("A.g"), step("A.h")]
    right = [step("A.f"), step("B.new"), step("B.g"), step("A.h")]
    assert fates(left, right) == [
        (Fate.SAME, "A.f", "A.f"),
        (Fate.NEW, None, "B.new"),
        (Fate.RENAMED, "A.g", "B.g"),
        (Fate.SAME, "A.h", "A.h"),
    ]
    assert fates([step("A.f")], []) == [(Fate.GONE, "A.f", None)]


def test_a_function_of_another_library_is_another():
    found = fates([step("f")], [step("f", library="Werkzeug")])
    assert [fate for fate, _, _ in found] == [Fate.GONE, Fate.NEW]


def test_of_a_message_the_bytes_count_and_the_masking_key_does_not():
    messages = builders.bid_messages()
    wires = [
        Step(StepKind.WIRE, Level.LIBRARY, "wire", "", "event", 0, 0, message=message) for message in messages
    ]
    assert [fate for fate, _, _ in fates(wires[:1], wires[:1])] == [Fate.SAME]
    masked = replace(
        wires[0].message, unit=replace(wires[0].message.unit, raw=bytes(len(messages[0].unit.raw)))
    )
    assert [fate for fate, _, _ in fates(wires[:1], [replace(wires[0], message=masked)])] == [Fate.SAME]
    longer = replace(wires[0].message, unit=replace(messages[0].unit, raw=messages[0].unit.raw + b"!"))
    assert [fate for fate, _, _ in fates(wires[:1], [replace(wires[0], message=longer)])] == [Fate.CHANGED]


titles = st.lists(st.sampled_from(["A.f", "A.g", "B.f", "B.g", "h"]), max_size=12)


@given(titles, titles)
def test_every_step_stands_in_exactly_one_row_in_its_order(left, right):
    rows = compare(journey(*map(step, left)), journey(*map(step, right)))
    assert [row.left.title for row in rows if row.left] == left
    assert [row.right.title for row in rows if row.right] == right
    assert all((row.left is None) == (row.fate is Fate.NEW) for row in rows)
    assert all((row.right is None) == (row.fate is Fate.GONE) for row in rows)


def test_the_reports_versions_beside_the_recorded_ones_of_today():
    runs = [lab.replay(name) for name in ("report_then", "report_now")]
    journeys = [run.journey(run.first_event()) for run in runs]
    rows = compare(*journeys, sources=tuple(run.recording.sources for run in runs))
    by_left = {row.left.title: row for row in rows if row.left is not None}
    by_right = {row.right.title: row for row in rows if row.right is not None}
    # The application is the very same; what it calls has moved; a manager has another class.
    assert by_left["create_app.<locals>.replace_old_value"].fate is Fate.SAME
    assert by_left["SocketIO.emit"].right.title == "SocketIO.emit"
    assert by_right["Manager.emit"].left.title == "BaseManager.emit"
    assert {row.fate for row in rows if row.left and row.left.kind is StepKind.WIRE} == {Fate.SAME}
    shown = [row for row in rows if row.left is not None and row.left.kind is StepKind.CALL]
    assert all(row.left.excerpt is not None for row in shown)  # of versions that are not installed here


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("construct", {"SocketIO.__init__": "flask_socketio/__init__.py"}),
        ("route", {"Scaffold.route": "flask/sansio/scaffold.py"}),
        ("on", {"SocketIO.on": "flask_socketio/__init__.py"}),
        ("serve", {"SocketIO.run": "flask_socketio/__init__.py"}),
        ("upgrade", {"SimpleWebSocketWSGI.__call__": "engineio/async_drivers/_websocket_wsgi.py"}),
        ("GET /auctions", {"Flask.full_dispatch_request": "flask/app.py"}),
    ],
)
def test_every_journey_of_the_report_can_be_laid_beside_todays(name, moved):
    runs = [lab.replay(run) for run in ("report_then", "report_now")]
    rows = compare(*(run.journey(name) for run in runs))
    here = {row.right.title: row.right.excerpt.path for row in rows if row.right and row.right.excerpt}
    assert moved.items() <= here.items()
    assert any(row.left is not None for row in rows)
