"""The stepper in a real browser, on the page that stands alone: steps, keys, search, and safety."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.records import Journey, Level
from utils.views import html, ladder, tables, text, wording
from utils.views.page import page

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens a page from a file, and fails if its script fails or it asks for anything."""
    faults: list[str] = []
    asked: list[str] = []
    contexts = []

    def opens(content: str, **options):
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(content, encoding="utf-8")
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on(
            "request", lambda request: faults.append(request.url) if request.url != file.as_uri() else None
        )
        tab.goto(file.as_uri())
        return tab

    yield opens
    for context in contexts:
        context.close()
    assert faults == []
    assert [address for address in asked if not address.startswith(tmp_path.as_uri())] == []


@pytest.fixture
def journey():
    return builders.bid_journey()


def position(tab) -> str:
    return tab.inner_text(".lab-position")


def test_every_step_says_what_the_text_view_says(opened, journey):
    tab = opened(page(journey, Level.ALL))
    total = len(journey.steps)
    for number, step in enumerate(journey.steps, 1):
        assert position(tab) == f"{number} / {total}"
        said = tab.inner_text(".lab-card")
        told = [step.title, wording.place(step), wording.KIND_WORDS[step.kind], text.moment(step), step.note]
        if step.library:
            told += [wording.library(step.library), step.library.licence]
        assert [words for words in told if words not in said] == []
        body = tab.locator(".lab-body").inner_text()
        if step.excerpt:
            lines = [line and line[1] for line in wording.source_lines(step.excerpt)]
            assert tab.locator(".lab-line code").all_inner_texts() == [
                line for line in lines if line is not None
            ]
            assert tab.inner_text(".lab-current .lab-number") == f"→ {step.excerpt.current}"
            assert tab.get_attribute(".lab-source h3 a", "href") == step.link.url
        for name, value in step.arguments:
            assert name in body and value in body
        if step.message:
            raw = "".join(tab.locator(".lab-row .lab-hex .lab-run").all_inner_texts())
            assert bytes.fromhex(raw) == step.message.unit.raw
            assert tab.locator(".lab-field").count() == len(step.message.unit.explain())
        assert tab.inner_text('[role="status"] >> nth=-1').startswith(
            f"Step {number} of {total}: {step.title}"
        )
        if number < total:
            tab.get_by_role("button", name="Next", exact=True).click()
    assert position(tab) == f"{total} / {total}"


def test_keys_step_as_the_buttons_do_and_go_no_further_than_the_ends(opened, journey):
    tab = opened(page(journey))
    tab.evaluate("window.leaked = []; document.addEventListener('keydown', (e) => window.leaked.push(e.key))")
    tab.locator(".lab-card").click()
    walked = []
    arrows = ["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"]
    for key in [*arrows, "End", "ArrowRight", "Home", "PageDown", "PageDown", "PageUp"]:
        tab.keyboard.press(key)
        walked.append(int(position(tab).split(" / ")[0]))
    assert walked == [1, 2, 3, 2, 32, 32, 1, 3, 8, 3]
    assert tab.evaluate("window.leaked") == []
    tab.keyboard.press("b")
    assert tab.evaluate("window.leaked") == ["b"]


def test_every_control_is_reached_by_tab_and_shows_its_focus(opened, journey):
    tab = opened(page(journey, at=17))
    reached = []
    for _ in range(20):
        tab.keyboard.press("Tab")
        name = tab.evaluate(
            """() => {
                const at = document.activeElement;
                if (!at.closest(".lab-stepper")) return ["", true];
                const shown = at.closest("label") ?? at;
                const ring = getComputedStyle(shown).outlineStyle !== "none";
                const label = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
                return [label, ring];
            }"""
        )
        reached.append(name)
    assert [label for label, ring in reached if not ring] == []
    labels = [label for label, _ in reached]
    for wanted in (
        "Step",
        "First",
        "Previous",
        "Next",
        "Last",
        "Source lines",
        "Values",
        "Hex dump",
        "Fields of the message",
    ):
        assert wanted in labels


def test_the_ends_are_told_and_keep_the_focus(opened, journey):
    tab = opened(page(journey))
    assert tab.get_by_role("button", name="Previous", exact=True).get_attribute("aria-disabled") == "true"
    last = tab.get_by_role("button", name="Last", exact=True)
    last.click()
    assert last.get_attribute("aria-disabled") == "true"
    assert last.evaluate("(button) => button === document.activeElement")


def test_a_level_keeps_the_step_and_a_shallower_one_the_step_before(opened, journey):
    tab = opened(page(journey, at=4))
    title = tab.inner_text(".lab-title")
    tab.get_by_text(re.compile("^all")).click()
    assert tab.inner_text(".lab-title") == title
    assert position(tab).endswith("/ 53")
    tab.get_by_role("button", name="Next", exact=True).click()
    tab.get_by_text(re.compile("^libraries")).click()
    assert tab.inner_text(".lab-title") == title
    assert position(tab) == "4 / 32"


def test_what_lies_deeper_is_counted_and_can_be_opened(opened, journey):
    tab = opened(page(journey))
    hidden = journey.steps.index(journey.at(Level.LIBRARY)[1]) - 1
    tab.get_by_text(f"{hidden} deeper steps before the next").click()
    assert tab.inner_text(".lab-title") == journey.steps[1].title


def test_the_calls_around_a_step_lead_back_to_them(opened, journey):
    tab = opened(page(journey, Level.ALL, at=5))
    around = tab.locator(".lab-around button").all_inner_texts()
    assert around == ["Client.emit", "Client._send_packet", "Client.send"]
    tab.get_by_role("button", name="Client._send_packet").click()
    assert position(tab) == "2 / 53"


def test_a_search_counts_moves_and_marks(opened, journey):
    tab = opened(page(journey, Level.ALL))
    box = tab.get_by_role("searchbox")
    box.fill("_handle_event")
    hits = [n for n, s in enumerate(journey.steps, 1) if "_handle_event" in wording.step_sentence(s) + s.note]
    assert position(tab) == f"{hits[0]} / 53"
    assert tab.inner_text(".lab-hits") == f"1 of {len(hits)}"
    box.press("Enter")
    assert position(tab) == f"{hits[1]} / 53"
    box.press("Shift+Enter")
    assert position(tab) == f"{hits[0]} / 53"
    assert tab.get_attribute(".lab-found", "d").count("M") == len(hits)
    box.fill("nothing of the kind")
    assert tab.inner_text(".lab-hits") == "none"
    box.press("Escape")
    assert tab.locator(".lab-hits").inner_text() == ""


def test_a_click_on_the_strip_goes_to_the_step_there(opened, journey):
    tab = opened(page(journey))
    box = tab.locator(".lab-lane-marks").bounding_box()
    tab.mouse.click(box["x"] + box["width"] - 10, box["y"] + box["height"] - 5)
    assert position(tab) == "32 / 32"
    tab.mouse.move(box["x"] + 10, box["y"] + 5)
    assert tab.inner_text(".lab-tip").startswith("1 · Client.emit")
    tab.get_by_text("on the clock").click()
    xs = [step.since_ns for step in journey.at(Level.LIBRARY)]
    share = (xs[20] - xs[0]) / (max(xs) - xs[0])
    tab.mouse.click(box["x"] + 10 + share * (box["width"] - 20), box["y"] + box["height"] * 7.5 / 10)
    assert position(tab) == "21 / 32"


def test_the_strip_has_a_lane_for_each_thread_and_a_mark_for_each_step(opened, journey):
    tab = opened(page(journey, Level.ALL))
    assert tab.locator(".lab-lane").count() == 10
    marks = tab.locator(".lab-marks").evaluate_all("(paths) => paths.map((path) => path.getAttribute('d'))")
    assert sum(path.count("M") for path in marks) == len(journey.steps)
    assert len(marks) == 4  # one for each process, and the wire


def test_the_slider_and_its_words_follow(opened, journey):
    tab = opened(page(journey))
    slider = tab.get_by_role("slider")
    slider.fill("12")
    assert position(tab) == "12 / 32"
    assert slider.get_attribute("aria-valuetext").startswith("12 of 32: Socket._websocket_handler")


def test_a_field_is_chosen_in_the_dump_the_list_and_in_words(opened, journey):
    tab = opened(page(journey, at=7))
    spans = journey.at(Level.LIBRARY)[6].message.unit.explain()
    tab.locator(".lab-fields").focus()
    tab.keyboard.press("ArrowDown")
    for _ in range(2):
        tab.keyboard.press("ArrowDown")
    chosen = spans[3]
    assert position(tab) == "7 / 32"
    assert chosen.label in tab.inner_text('[aria-selected="true"]')
    assert tab.locator(".lab-fields").get_attribute("aria-activedescendant") == tab.get_attribute(
        '[aria-selected="true"]', "id"
    )
    for words in (chosen.label, chosen.meaning, chosen.clause):
        assert words in tab.inner_text(".lab-meaning")
    run = "".join(tab.locator(".lab-hex .lab-chosen").all_inner_texts())
    unit = journey.at(Level.LIBRARY)[6].message.unit
    assert bytes.fromhex(run) == unit.raw[chosen.start : chosen.end]
    tab.locator(".lab-hex .lab-run").first.hover()
    assert spans[0].meaning in tab.inner_text(".lab-meaning")


def test_the_bytes_that_a_step_moved_are_marked(opened, journey):
    step = replace(journey.steps[0], span=(8, 20))
    tab = opened(page(replace(journey, steps=(step,))))
    run = "".join(tab.locator(".lab-hex .lab-marked").all_inner_texts())
    assert bytes.fromhex(run) == step.message.unit.raw[8:20]
    assert "this step: bytes 8–19" in tab.inner_text(".lab-bytes h3")


@pytest.mark.parametrize("width", [360, 620, 1000, 1280, 1920])
def test_nothing_is_wider_than_the_page(opened, journey, width):
    tab = opened(page(journey, at=17), viewport={"width": width, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("First", "Previous", "Next", "Last"):
        box = tab.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_the_buttons_stay_where_they_are_while_the_steps_go_by(opened, journey):
    tab = opened(page(journey), viewport={"width": 1000, "height": 800})
    places = set()
    for _ in range(31):
        box = tab.get_by_role("button", name="Next", exact=True).bounding_box()
        places.add((round(box["x"]), round(box["y"])))
        tab.get_by_role("button", name="Next", exact=True).click()
    assert len(places) == 1


def test_five_thousand_steps_are_no_more_work_than_fifty(opened, journey):
    steps = [replace(step, turn=step.turn + 100 * n) for n in range(95) for step in journey.steps][:5000]
    tab = opened(page(replace(journey, steps=tuple(steps)), Level.ALL))
    tab.get_by_role("button", name="Last", exact=True).click()
    assert position(tab) == "5000 / 5000"
    assert tab.locator(".lab-stepper *").count() < 1000


def test_a_theme_of_jupyterlab_overrides_the_systems(opened, journey):
    tab = opened(page(journey), color_scheme="dark")
    ink = "getComputedStyle(document.querySelector('.lab-frame')).color"
    assert tab.evaluate(ink) == "rgb(240, 240, 240)"
    tab.evaluate("document.body.setAttribute('data-jp-theme-light', 'true')")
    assert tab.evaluate(ink) == "rgb(26, 26, 26)"


def all_payloads() -> Journey:
    made = [builders.hostile_journey(payload) for payload in hostile.PAYLOADS]
    steps = tuple(step for one in made for step in one.steps)
    everything = "".join(hostile.PAYLOADS)
    return Journey(everything, builders.START_NS, steps, everything)


#: Steps through the whole journey; gives the elements and attributes that ever stood there, and the links.
WALK = """() => {
    const forms = new Set(), links = new Set();
    const root = document.querySelector(".lab-stepper");
    for (;;) {
        for (const element of document.querySelectorAll("body, body *")) {
            forms.add(element.localName);
            for (const name of element.getAttributeNames()) forms.add(`${element.localName} ${name}`);
        }
        for (const link of root.querySelectorAll("a")) links.add(link.href);
        const before = root.querySelector(".lab-position").textContent;
        root.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
        if (root.querySelector(".lab-position").textContent === before) break;
    }
    return [[...forms], [...links]];
}"""


def test_no_payload_runs_in_the_stepper(opened):
    journey = all_payloads()
    usual, _ = opened(page(builders.hostile_journey("x"))).evaluate(WALK)
    tab = opened(page(journey))
    forms, links = tab.evaluate(WALK)
    assert position(tab) == f"{len(journey.steps)} / {len(journey.steps)}"
    linked = {"a", *(f"a {name}" for name in ("href", "target", "rel", "title"))}
    assert set(forms) <= set(usual) | linked
    assert links != [] and all(address.startswith("https://") for address in links)
    tab.get_by_role("searchbox").fill("<img src=x onerror=window.owned=1>")
    strip = tab.locator(".lab-lane-marks").bounding_box()
    for share in range(1, 10):
        tab.mouse.move(strip["x"] + strip["width"] * share / 10, strip["y"] + 5)
    assert tab.evaluate("window.owned") is None


def test_no_payload_runs_in_the_static_views(opened):
    parts = []
    for payload in hostile.PAYLOADS:
        journey, messages = builders.hostile_journey(payload), [builders.hostile_message(payload)]
        parts += [
            html.steps(journey).html,
            html.message(messages[0]).html,
            tables.packets(messages, {40001: payload}).html,
            tables.checks([tables.Check(payload, payload, False, payload)]).html,
            tables.frames(journey).html,
            ladder.ladder(messages, {40001: payload}).html,
        ]
    tab = opened("<!doctype html><meta charset=utf-8>" + "".join(parts))
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert tab.evaluate("window.owned") is None
    assert tab.locator("script, style, iframe, object, embed, form, input, [onerror], [onload]").count() == 0
    expected = sum(len(Reader(part).elements) for part in parts)
    assert tab.evaluate("document.querySelectorAll('body *').length") == expected


def test_the_page_forbids_itself_every_request():
    (policy,) = re.findall(
        r'http-equiv="Content-Security-Policy" content="([^"]+)"', page(builders.bid_journey())
    )
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


@hostile.each_payload
def test_no_payload_ends_the_pages_data(payload):
    content = page(builders.hostile_journey(payload))
    data = content.split('<script id="shown" type="application/json">')[1].split("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["journey"]["name"] == wording.visible(payload)
