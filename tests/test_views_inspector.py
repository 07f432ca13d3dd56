"""The inspector: whichever of its three pictures is pointed at or focused, all three show the field."""

from __future__ import annotations

import json

import pytest

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.views import html, text
from utils.views.dump import dump
from utils.views.inspector import inspector
from utils.views.layers import lay_out
from utils.views.page import inspector_page

MESSAGE = builders.event_message("bid", {"lot": 7, "cents": 1250})


def test_the_whole_message_is_in_the_page():
    widget = inspector(MESSAGE)
    state = json.loads(json.dumps(widget.get_state(["message"])))["message"]
    assert "".join(window["hex"] for window in state["windows"]) == MESSAGE.unit.raw.hex()
    assert [span["label"] for span in state["spans"]] == [span.label for span in MESSAGE.unit.explain()]


def test_where_no_widget_runs_strip_bytes_and_fields_stand_as_html_and_text():
    data, _ = inspector(MESSAGE)._repr_mimebundle_()
    assert html.message(MESSAGE).html in data["text/html"] and "Layers, on one axis" in data["text/html"]
    assert text.message_text(MESSAGE) in data["text/plain"] and "WebSocket  ▐▐▐███" in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_two_of_them_read_the_same():
    assert repr(inspector(MESSAGE)) == str(inspector(MESSAGE)) and "0x7" not in repr(inspector(MESSAGE))


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    def read(made: str) -> Reader:
        return Reader(inspector(builders.hostile_message(made))._repr_mimebundle_()[0]["text/html"])

    assert read(payload).forms == read("x").forms


@pytest.fixture
def tab(chromium, tmp_path):
    """The inspector's page in a browser; it may ask for nothing, and its script may not fail."""
    faults: list[str] = []
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    made = context.new_page()
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("request", lambda request: request.url.startswith("file:") or faults.append(request.url))

    def opens(message):
        file = tmp_path / "page.html"
        file.write_text(inspector_page(message), encoding="utf-8")
        made.goto(file.as_uri())
        return made

    yield opens
    context.close()
    assert faults == []


@pytest.mark.browser
class TestInTheBrowser:
    def chosen(self, tab) -> list[str]:
        """The field that each picture shows as chosen."""
        strip = tab.locator(".lab-strip .lab-chosen").get_attribute("data-field")
        runs = tab.locator(".lab-dump .lab-chosen")
        dumped = {runs.nth(n).get_attribute("data-field") for n in range(runs.count())}
        listed = tab.locator('.lab-field[aria-selected="true"]').get_attribute("data-field")
        return [strip, *dumped, listed]

    def test_the_lanes_are_those_of_the_text(self, tab):
        page = tab(MESSAGE)
        rows = page.locator(".lab-strip tr th").all_inner_texts()
        assert rows == ["byte", *(layer.value for layer, _ in lay_out(dump(MESSAGE)).lanes)]

    def test_pointing_at_the_strip_explains_the_field(self, tab):
        page = tab(MESSAGE)
        page.locator('.lab-strip [data-field="2"]').hover()
        assert self.chosen(page) == ["2"] * 3
        words = page.locator(".lab-meaning").inner_text()
        assert words.startswith("WebSocket · Masking key") and "RFC 6455 §5.3" in words

    def test_pointing_at_a_byte_marks_it_in_the_strip(self, tab):
        page = tab(MESSAGE)
        page.locator('.lab-dump .lab-hex [data-field="3"]').first.hover()
        assert self.chosen(page) == ["3"] * 3

    def test_the_keyboard_goes_from_box_to_box(self, tab):
        page = tab(MESSAGE)
        page.locator(".lab-strip").focus()
        page.keyboard.press("Tab")
        assert self.chosen(page) == ["0"] * 3
        page.keyboard.press("Tab")
        assert self.chosen(page) == ["1"] * 3
        page.locator(".lab-fields").focus()
        page.keyboard.press("End")
        assert self.chosen(page) == [str(len(MESSAGE.unit.explain()) - 1)] * 3

    def test_the_page_is_no_wider_than_the_screen(self, tab):
        page = tab(builders.http_message(headers="X: " + "y" * 500 + "\r\n"))
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 400

    def test_no_payload_runs(self, tab):
        page = tab(builders.hostile_message("".join(hostile.PAYLOADS)))
        page.locator(".lab-strip [data-field]").first.hover()
        assert page.evaluate("window.owned") is None
        assert page.locator(".lab-inspector :is(script, style, iframe, img, object, form)").count() == 0
