"""The table of what was measured: figures with their units, notes below, nothing that acts."""

from __future__ import annotations

from tests import hostile
from tests.markup_reader import Reader
from utils.views.measures import HEADER, Measure, measures

ROW = Measure("echo", 250_000, 240_000, 260_000, None, 12.4, None, 300_000.0)


def test_each_figure_has_its_unit():
    text = measures("How long?", [ROW], "Conditions: made up", {}).text
    assert text.splitlines()[0] == "How long?"
    for cell in ("250 µs", "240 µs – 260 µs", "12 ×", "300 µs", "Conditions: made up"):
        assert cell in text


def test_what_went_wrong_stands_below():
    row = Measure("bids", 1e6, 1e6, 1e6, 2e6, None, 512.3, None, unanswered=1, refused=2)
    view = measures("How fast?", [row], "", {"gevent": "It is not here."})
    assert "512/s" in view.text
    assert "bids: 1 request unanswered, 2 refused" in view.text
    assert "not measured: gevent. It is not here." in view.text
    assert "not measured: gevent" in Reader(view.html).text


def test_the_page_says_what_the_text_says():
    view = measures("How long?", [ROW], "made up", {})
    read = Reader(view.html)
    assert [tag for tag, _ in read.elements].count("th") == len(HEADER) - 2
    assert "p99" not in read.text and "granted" not in view.text  # of which there is none here
    assert "250 µs" in read.text and "(floor)" not in read.text


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    row = Measure(payload, 1, 1, 1, None, None, None, None, floor=True)
    read = Reader(measures(payload, [row], payload, {payload: payload}).html)
    assert {tag for tag, _ in read.elements} <= {
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "p",
    }
