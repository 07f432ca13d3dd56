"""Who wrote and who read a byte, in the stepper: what the page shows is what the ledger says."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests import builders
from tests.test_views_page import opened, position  # noqa: F401 - a fixture
from utils import lab
from utils.provenance.ledger import Part
from utils.provenance.touched import WORDS
from utils.records import Level, StepKind
from utils.views import text, wording
from utils.views.outline import arrows
from utils.views.page import page
from utils.views.plain import journey_json

EVENT = "replace old value"


@pytest.fixture(scope="module")
def run():
    return lab.replay("one_bid")


@pytest.fixture(scope="module")
def followed(run):
    return run._followed(EVENT)


@pytest.fixture(scope="module")
def content(followed):
    return page(followed[0], Level.ALL, ways=followed[1])


def number_of(journey, **wanted):
    """The number (from 1) of the first step with these facts."""
    return next(
        number
        for number, step in enumerate(journey.steps, 1)
        if all(getattr(step, name) == value for name, value in wanted.items())
    )


def go_to(tab, number):
    tab.get_by_role("slider").fill(str(number))


# ── without a browser ────────────────────────────────────────────────────────


def test_a_step_is_told_the_bytes_that_it_made(followed):
    journey, _ = followed
    encode = number_of(journey, title="Packet.encode", kind=StepKind.CALL)
    (touch,) = [one for one in journey.steps[encode - 1].touches if one.what == "writes"]
    raw = touch.message.unit.raw
    assert touch.message.unit.packets[0].socketio.event == EVENT
    assert touch.ranges[-1][1] == len(raw)
    assert wording.touch(touch) in text.step_text(journey, encode, Level.ALL)


def test_every_touch_is_an_entry_of_the_ledger(run, followed):
    words = {word: part for part, word in WORDS.items()}
    for step in followed[0].steps:
        for touch in step.touches:
            fields = run.book.ledger(touch.message).fields
            told = {
                (field.span.start, field.span.end)
                for field in fields
                for entry in (*field.written, *field.read)
                if (entry.process, entry.call, entry.part) == (step.process, step.call, words[touch.what])
            }
            covered = {at for start, end in touch.ranges for at in range(start, end)}
            assert covered == {at for start, end in told for at in range(start, end)}


def test_lines_lead_to_the_steps_of_their_calls(followed):
    journey, ways = followed
    made = json.loads(json.dumps(journey_json(journey, None, ways)))
    named = [line for line in made["lines"] if line["step"] is not None]
    assert len(named) > 20
    for line in named:
        assert made["lanes"][made["steps"][line["step"]]["lane"]]["process"] == line["process"]


def test_arrows_lead_from_cause_to_effect():
    journey = builders.bid_journey()
    numbered = [replace(step, call=number) for number, step in enumerate(journey.steps)]
    handed = next(n for n, step in enumerate(numbered) if step.kind is StepKind.HANDOFF)
    giver = next(n for n in range(handed - 1, -1, -1) if numbered[n].kind is StepKind.CALL)
    numbered[handed] = replace(numbered[handed], call=giver)
    found = arrows(numbered)
    assert (giver, handed, "hand-off") in found
    kinds = {(numbered[one.start].kind, numbered[one.end].kind) for one in found if one.kind == "bytes"}
    assert kinds == {(StepKind.SEND, StepKind.WIRE), (StepKind.WIRE, StepKind.RECV)}
    assert all(one.start < one.end for one in found)


# ── in a browser ─────────────────────────────────────────────────────────────

browser = pytest.mark.browser


@browser
def test_a_click_on_a_byte_shows_its_writer_and_its_reader(opened, run, followed, content):  # noqa: F811
    journey, _ = followed
    tab = opened(content)
    wire = number_of(journey, kind=StepKind.WIRE)
    go_to(tab, wire)
    message = journey.steps[wire - 1].message
    for index, field in enumerate(run.book.ledger(message).fields):
        tab.locator(f'.lab-hex [data-field="{index}"]').first.click()
        told = tab.inner_text(".lab-ways")
        for part, word in ((Part.MADE, "written by"), (Part.READ, "read by")):
            entry = field.step(part)
            assert (word in told) == (entry is not None)
            if entry is not None:
                assert f"{entry.process} · " in told and f":{entry.line} {entry.code.name}" in told
        assert ("unexplained" in told) == bool(field.unwritten or field.unread)


@browser
def test_the_writer_is_one_click_away_and_the_packet_one_key(opened, followed, content):  # noqa: F811
    journey, _ = followed
    tab = opened(content)
    wire = number_of(journey, kind=StepKind.WIRE)
    go_to(tab, wire)
    tab.locator('.lab-hex [data-field="0"]').first.click()
    tab.locator(".lab-way .lab-chief button").first.click()
    assert tab.inner_text(".lab-title") == "ABNF.format"
    tab.keyboard.press("p")
    assert position(tab).startswith(f"{wire} / ")
    tab.keyboard.press("p")
    assert tab.inner_text(".lab-title") == "ABNF.format"


@browser
def test_a_byte_is_chosen_and_followed_by_keyboard_alone(opened, followed, content):  # noqa: F811
    journey, _ = followed
    tab = opened(content)
    go_to(tab, number_of(journey, kind=StepKind.WIRE))
    tab.locator(".lab-dump").focus()
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    assert "Packet type" in tab.inner_text('[aria-selected="true"]')
    tab.keyboard.press("Enter")
    assert tab.inner_text(".lab-title") == "Packet.encode"
    own = "".join(tab.locator(".lab-hex .lab-own").all_inner_texts())
    step = journey.steps[int(position(tab).split(" / ")[0]) - 1]
    ranges = [rng for touch in step.touches if touch.what == "writes" for rng in touch.ranges]
    assert bytes.fromhex(own) == b"".join(step.message.unit.raw[a:b] for a, b in ranges)
    assert wording.touch(step.touches[0]) in tab.inner_text(".lab-card")


@browser
def test_a_pinned_field_stays_while_the_pointer_goes_to_its_way(opened, followed, content):  # noqa: F811
    tab = opened(content)
    go_to(tab, number_of(followed[0], kind=StepKind.WIRE))
    tab.locator('.lab-hex [data-field="3"]').first.click()
    label = tab.inner_text('[aria-selected="true"] .lab-label')
    tab.locator('.lab-hex [data-field="0"]').first.hover()
    assert tab.inner_text('[aria-selected="true"] .lab-label') == label
    tab.locator('.lab-hex [data-field="3"]').first.click()
    tab.locator('.lab-hex [data-field="0"]').first.hover()
    assert tab.inner_text('[aria-selected="true"] .lab-label') != label


@browser
def test_a_step_can_be_handed_on(opened, followed, content):  # noqa: F811
    tab = opened(content)
    go_to(tab, 17)
    tab.get_by_role("button", name="A link to this step").click()
    address = tab.input_value(".lab-shared")
    assert address.endswith("#step=17&level=3")
    go_to(tab, 1)
    tab.goto(address)
    assert position(tab).startswith("17 / ")
    tab.goto(re.sub("#.*", "#step=9&level=1", address))
    assert tab.inner_text(".lab-title") == wording.visible(followed[0].steps[8].title)


@browser
def test_the_keys_are_told_and_do_what_they_say(opened, content):  # noqa: F811
    tab = opened(content)
    tab.locator(".lab-card").click()
    assert not tab.locator(".lab-help").is_visible()
    tab.keyboard.press("?")
    assert "larger type" in tab.inner_text(".lab-help")
    tab.keyboard.press("?")
    assert not tab.locator(".lab-help").is_visible()
    size = "parseFloat(getComputedStyle(document.querySelector('.lab-frame')).fontSize)"
    small = tab.evaluate(size)
    tab.keyboard.press("t")
    assert tab.evaluate(size) >= 1.25 * small
    assert tab.get_by_role("button", name="Larger type").get_attribute("aria-pressed") == "true"
    total = position(tab).split(" / ")[1]
    tab.keyboard.press("1")
    assert int(position(tab).split(" / ")[1]) < int(total)
    tab.keyboard.press("/")
    tab.keyboard.type("Packet.encode")
    tab.keyboard.press("Escape")
    tab.locator(".lab-card").click()
    tab.keyboard.press("3")
    assert position(tab).split(" / ")[1] == total


@browser
def test_each_hand_off_and_each_flight_has_its_arrow(opened, followed, content):  # noqa: F811
    tab = opened(content)
    found = arrows(followed[0].steps)
    for kind, name in (("hand-off", ".lab-hand"), ("bytes", ".lab-flight")):
        drawn = tab.get_attribute(name, "d")
        assert drawn.count("M") == sum(one.kind == kind for one in found) > 0
    tab.get_by_text("on the clock").click()
    assert tab.locator(".lab-axis span").count() >= 3
    assert all(word.endswith(" ms") for word in tab.locator(".lab-axis span").all_inner_texts())


@browser
def test_what_is_new_among_the_values_is_told_by_a_word(opened):  # noqa: F811
    first, second, *_ = [step for step in builders.bid_journey().steps if step.kind is StepKind.CALL]
    first = replace(first, turn=0, depth=0, arguments=(("a", "1"), ("b", "'x'")), result=None)
    second = replace(second, turn=0, depth=1, arguments=(("a", "2"), ("c", "'x'"), ("d", "3")), result="None")
    tab = opened(page(replace(builders.bid_journey(), steps=(first, second)), Level.ALL, at=2))
    states = dict(
        zip(
            [name.split()[0] for name in tab.locator(".lab-values dt").all_inner_texts()],
            [made.get_attribute("data-state") for made in tab.locator(".lab-values dt").all()],
            strict=True,
        )
    )
    assert states == {"a": "changed", "c": "", "d": "new", "→": ""}
    assert "was 1" in tab.inner_text(".lab-values")


@browser
@pytest.mark.parametrize("width", [360, 620, 1000, 1280, 1920])
def test_larger_type_fits_the_page_too(opened, followed, content, width):  # noqa: F811
    tab = opened(content, viewport={"width": width, "height": 800})
    go_to(tab, number_of(followed[0], kind=StepKind.WIRE))
    tab.get_by_role("button", name="Larger type").click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
