"""Two sets of versions side by side: the text tells all, the HTML the same."""

from __future__ import annotations

from tests.hostile import each_payload
from tests.markup_reader import Reader
from tests.test_versions_stackdiff import journey, step
from utils import lab
from utils.versions.claims import Verdict
from utils.versions.stackdiff import compare
from utils.views import sidebyside, wording


def test_every_step_stands_in_the_text_and_in_the_html():
    rows = compare(journey(step("A.f"), step("A.g")), journey(step("A.f", line=7), step("C.new")))
    view = sidebyside.diff(rows, "bid", ({"Flask": "2.2.5"}, {"Flask": "3.1.3"}))
    lines = str(view).splitlines()
    assert "bid: 3 steps, 1 moved (≈), 1 gone (-), 1 new (+)" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["≈", "-", "+"]
    read = Reader(view.html)
    for word in ("A.f", "A.g", "C.new", "2.2.5", "3.1.3", "flask/app.py:7"):
        assert word in str(view) and word in read.text
    assert len(read.find("details")) == 4


def test_folded_what_stayed_is_only_counted():
    rows = compare(
        journey(step("A.f"), step("A.g"), step("A.h"), step("A.i")),
        journey(step("A.f"), step("A.g"), step("A.i")),
    )
    view = sidebyside.diff(rows, "bid", ({}, {}), folded=True)
    lines = str(view).splitlines()
    assert lines[0] == "bid: 4 steps, 3 same (=), 1 gone (-)"  # and no table of versions, where none changed
    assert [line.split()[0] for line in lines[-3:]] == ["=", "-", "="]
    assert "2 steps the same" in lines[-3] and "A.h" in lines[-2] and "1 step the same" in lines[-1]
    read = Reader(view.html)
    assert "A.f" not in read.text and "A.h" in read.text and len(read.find("details")) == 1


def test_versions_that_agree_are_not_listed():
    view = sidebyside.diff((), "bid", ({"h11": "1", "Flask": "2"}, {"h11": "1", "Flask": "3"}))
    assert "h11" not in str(view) and "Flask" in str(view)


def test_the_claims_are_counted_and_told():
    answers = [
        sidebyside.Answer("it is so", (Verdict(True, "line 1"), Verdict(False, "line 2"))),
    ]
    view = sidebyside.claims(answers, ["then", "now"])
    assert "1 of 1 true with then, 0 of 1 true with now" in str(view)
    assert "now  ✗ not so: line 2" in str(view)
    assert "✓ true: line 1" in Reader(view.html).text


@each_payload
def test_what_came_from_outside_stays_text(payload):
    rows = compare(journey(step(payload, text=payload)), journey())
    view = sidebyside.diff(rows, payload, ({payload: payload}, {}))
    read = Reader(view.html)
    assert not read.find("script") and not read.find("img")
    assert all(character == "\n" or wording.visible(character) == character for character in str(view))


def test_the_verbs_show_the_committed_recordings():
    assert "Flask-SocketIO 5.3.6, Flask 2.2.5" in str(lab.claims("report_then", "report_now"))
    view = lab.diff("report_then", "report_now")
    assert "replace old value" in str(view) and "BaseManager.emit" in str(view)
    assert "34 32 5b" in Reader(view.html).text  # the bytes of the messages, too
