"""The live view: each row once, the newest in view, no more than a page can hold, and nothing as markup."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.views import bundle
from utils.views.live import KEPT, Live, live


@pytest.fixture
def sent(monkeypatch) -> list[dict[str, Any]]:
    """What the page is told."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(Live, "send", lambda self, content, buffers=None: told.append(content))
    return told


def some(count: int):
    return [builders.event_message("bid", {"lot": 7, "cents": number}) for number in range(count)]


class TestRows:
    def test_a_row_says_when_who_to_whom_what_and_how_much(self, sent):
        view = live("Live packets of lab_server")
        view.show(builders.bid_messages(), 0, 0)
        first, *_ = view.rows
        assert (first["number"], first["from"], first["to"]) == (1, "client 1", "server")
        assert first["layer"] == "WebSocket" and first["socketio"] and "replace old value" in first["what"]
        assert first["bytes"] == f"{len(builders.bid_messages()[0].unit.raw):,}"
        assert first["time"].count(":") == 2
        assert [row["from"] for row in view.rows[1:]] == ["server"] * (len(view.rows) - 1)
        json.dumps(view.rows)

    def test_the_page_is_told_of_each_row_once_and_of_what_it_missed_when_it_asks(self, sent):
        view = live("x")
        view.show(some(3), 0, 0)
        view.show(some(2), 0, 0)
        assert [[row["number"] for row in told["rows"]] for told in sent] == [[1, 2, 3], [4, 5]]
        assert sent[-1]["total"].startswith("5 messages, ")
        view._asked(view, {"since": 3}, [])
        assert [row["number"] for row in sent[-1]["rows"]] == [4, 5]

    @pytest.mark.parametrize("question", [None, 7, {}, {"since": "1"}, {"since": None}, ["since"]])
    def test_what_is_no_question_gets_no_answer(self, sent, question):
        view = live("x")
        view.show(some(1), 0, 0)
        view._asked(view, question, [])
        assert len(sent) == 1

    def test_only_the_latest_are_kept(self, sent):
        view = live("x")
        view.show(some(KEPT + 5), 0, 0)
        assert len(view.rows) == KEPT and view.rows[0]["number"] == 6
        assert len(sent[-1]["rows"]) == KEPT and sent[-1]["total"].startswith(f"{KEPT + 5:,} messages")

    def test_what_was_lost_is_said(self, sent):
        view = live("x")
        view.show([], 0, 0)
        assert view.lost == ""
        view.show([], 2, 300)
        assert "2 packets dropped, 300 bytes lost" in view.lost

    def test_one_that_is_stopped_stops_what_fills_it(self, sent):
        view, stops = live("x"), []
        view.stop_by(lambda: stops.append("stopped"))
        view.stop()
        assert stops == ["stopped"]


class TestWhereNoWidgetRuns:
    def test_the_latest_rows_stand_as_a_table(self, sent):
        view = live("Live packets of lab_server")
        view.show(builders.bid_messages(), 0, 0)
        data, _ = view._repr_mimebundle_()
        read = Reader(data["text/html"])
        assert len(read.find("tr")) == 1 + len(builders.bid_messages())
        assert data["text/plain"] == "Live packets of lab_server" == repr(view)
        assert "application/vnd.jupyter.widget-view+json" in data

    def test_before_the_first_one_it_says_what_will_come(self, sent):
        assert "rows come as packets do" in live("x")._repr_mimebundle_()[0]["text/html"]

    @hostile.each_payload
    def test_no_payload_becomes_markup(self, sent, payload):
        def read(text: str) -> Reader:
            view = live("x")
            view.show([builders.hostile_message(text)], 0, 0)
            return Reader(view.static())

        assert read(payload).forms == read("x").forms


# A model as anywidget has it: values, events, and messages both ways.
PAGE = """<!doctype html><meta charset="utf-8"><style>{style}</style><main></main><script type="module">
{script}
const values = {{ heading: "Live packets", state: "live", lost: "" }}, handlers = {{}};
window.asked = [];
const model = {{
  get: (name) => values[name],
  on: (name, does) => (handlers[name] ??= new Set()).add(does),
  off: (name, does) => handlers[name]?.delete(does),
  send: (question) => window.asked.push(question),
}};
const tell = (name, what) => handlers[name]?.forEach((does) => does(what));
window.come = (message) => tell("msg:custom", message);
window.set = (name, value) => {{ values[name] = value; tell(`change:${{name}}`); }};
window.leave = render({{ model, el: document.querySelector("main") }});
window.again = () => render({{ model, el: document.querySelector("main") }});
</script>"""


@pytest.fixture
def page(chromium, tmp_path):
    faults: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    tab = context.new_page()
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("request", lambda request: request.url.startswith("file:") or faults.append(request.url))
    file = tmp_path / "page.html"
    file.write_text(PAGE.format(style=bundle.style(), script=bundle.script("live.js")), encoding="utf-8")
    tab.goto(file.as_uri())
    yield tab
    context.close()
    assert faults == []


@pytest.mark.browser
class TestInTheBrowser:
    @pytest.fixture(autouse=True)
    def _rows(self, sent):
        self.view = live("Live packets")
        self.sent = sent

    def come(self, page, messages) -> None:
        self.view.show(messages, 0, 0)
        page.evaluate("(told) => window.come(told)", self.sent[-1])

    def rows(self, page):
        return page.locator(".lab-rows tbody tr")

    def newest_in_view(self, page) -> bool:
        return page.evaluate(
            "() => { const r = document.querySelector('.lab-rows');"
            " return r.scrollTop + r.clientHeight >= r.scrollHeight - 4 }"
        )

    def test_rows_come_and_the_newest_is_in_view(self, page):
        for number in range(1, 4):
            self.come(page, some(20))
            expect(self.rows(page)).to_have_count(20 * number)
            assert self.newest_in_view(page)
        expect(self.rows(page).last).to_contain_text("bid")
        expect(page.locator(".lab-total")).to_contain_text("60 messages")

    def test_a_page_that_comes_later_asks_and_shows_no_row_twice(self, page):
        assert page.evaluate("window.asked") == [{"since": 0}]
        self.come(page, some(3))
        page.evaluate("(told) => window.come(told)", self.sent[-1])
        expect(self.rows(page)).to_have_count(3)
        page.evaluate("() => { window.leave(); window.again(); }")
        expect(self.rows(page)).to_have_count(3)

    def test_what_is_drawn_is_bounded(self, page):
        self.come(page, some(KEPT))
        self.come(page, some(5))
        drawn = self.rows(page).count()
        assert drawn == 300 and self.newest_in_view(page)

    def test_paused_it_stands_still_and_says_what_waits(self, page):
        self.come(page, some(3))
        page.get_by_role("button", name="Pause").click()
        self.come(page, some(2))
        expect(self.rows(page)).to_have_count(3)
        expect(page.get_by_role("status")).to_have_text("paused")
        page.get_by_role("button", name="Resume (p), 2 new").click()
        expect(self.rows(page)).to_have_count(5)
        expect(page.get_by_role("status")).to_have_text("live")

    def test_whoever_scrolls_back_may_read_in_peace(self, page):
        self.come(page, some(60))
        page.locator(".lab-rows").hover()
        page.mouse.wheel(0, -400)
        expect(page.get_by_role("status")).to_have_text("paused")
        self.come(page, some(1))
        expect(self.rows(page)).to_have_count(60)

    def test_by_the_keyboard_alone(self, page):
        self.come(page, some(3))
        page.locator(".lab-rows").focus()
        page.keyboard.press("p")
        expect(page.get_by_role("status")).to_have_text("paused")
        page.keyboard.press("p")
        expect(page.get_by_role("status")).to_have_text("live")
        page.keyboard.press("c")
        expect(self.rows(page)).to_have_count(0)
        self.come(page, some(1))
        expect(self.rows(page)).to_have_count(1)

    def test_what_serves_socketio_can_be_left_out(self, page):
        self.come(page, [*some(2), builders.http_message()])
        expect(self.rows(page)).to_have_count(3)
        page.get_by_label("Socket.IO only").check()
        expect(self.rows(page)).to_have_count(2)

    def test_its_end_and_its_losses_are_said(self, page):
        page.evaluate("window.set('state', 'the server has ended')")
        page.evaluate("window.set('lost', '✗ 2 packets dropped')")
        expect(page.get_by_role("status")).to_have_text("the server has ended")
        expect(page.get_by_role("alert")).to_have_text("✗ 2 packets dropped")

    def test_a_hundred_hostile_texts_run_nothing(self, page):
        self.come(page, [builders.hostile_message(text) for text in hostile.PAYLOADS])
        expect(self.rows(page)).to_have_count(len(hostile.PAYLOADS))
        assert page.evaluate("window.owned ?? 0") == 0
        assert self.rows(page).locator("script, img, iframe, a").count() == 0
