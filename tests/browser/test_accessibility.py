"""For everybody: our outputs in JupyterLab, light and dark, live and as slides; and a journey walked by keys alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests import axe, handout_sample
from tests.browser.jupyter import NotebookPage, jupyterlab, opened
from utils import lab as verbs

pytestmark = pytest.mark.browser

#: JupyterLab's own themes.
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

#: What has the focus, and whether that can be seen.
FOCUSED = """() => {
  const one = document.activeElement;
  const shown = one.closest("label, .lab-stepper") ?? one;
  const outlined = [one, one.parentElement, shown.querySelector(".lab-frame") ?? shown].some((part) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(part);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
  });
  return { name: one.getAttribute("aria-label") ?? one.textContent.trim().slice(0, 40), tag: one.localName, outlined };
}"""


@pytest.fixture(scope="module", params=sorted(THEMES))
def shown(request, chromium, tmp_path_factory) -> Iterator[NotebookPage]:
    """The sample, run in JupyterLab in one of its themes."""
    with jupyterlab(tmp_path_factory.mktemp("jupyter") / "project") as lab:
        settings = (
            lab.folder / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
        )
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"theme": THEMES[request.param]}))
        nbformat.write(handout_sample.notebook(), lab.folder / "notebooks" / "sample.ipynb")
        with opened(chromium, lab, "notebooks/sample.ipynb") as page:
            page.run_all()
            page.wait_until_run()
            light = page.page.evaluate("document.body.dataset.jpThemeLight")
            assert light == str(request.param == "light").lower()
            yield page


def cells(notebook: NotebookPage) -> Iterator[Locator]:
    """Each cell of ours in turn, in sight: JupyterLab draws no other."""
    for cell in notebook.page.locator(".jp-CodeCell").filter(has_not_text="IntSlider").all():
        cell.scroll_into_view_if_needed()
        yield cell


def test_axe_finds_nothing_in_our_outputs_in_either_theme(shown):
    assert shown.complaints == [] and shown.errors == [] and shown.abroad == []
    looked_at = 0
    for cell in cells(shown):
        outputs = cell.locator(".jp-OutputArea-output")
        if outputs.count():
            cell.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
            outputs.first.evaluate("(one) => one.setAttribute('data-looked-at', '')")
            assert axe.violations(shown.page, "[data-looked-at]") == []
            outputs.first.evaluate("(one) => one.removeAttribute('data-looked-at')")
            looked_at += 1
    assert looked_at >= 10


def test_a_stepper_can_be_walked_in_the_deck_at_projector_size(shown):
    page = shown.page
    page.set_viewport_size({"width": 1280, "height": 720})
    page.locator(".jp-MarkdownCell").first.scroll_into_view_if_needed()
    page.locator(".jp-MarkdownCell").first.click()
    toggle = page.get_by_role("button", name="Toggle Deck")
    toggle.click()
    try:
        stepper = page.locator(".lab-stepper:has(.lab-lanes)")
        for _ in range(20):
            if stepper.is_visible():
                break
            page.keyboard.press("Space")
            page.wait_for_timeout(100)
        expect(stepper).to_be_visible()
        box = stepper.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1280
        following = stepper.get_by_role("button", name="Next", exact=True)
        expect(following).to_be_in_viewport(ratio=1)
        following.click()
        page.keyboard.press("ArrowRight")
        expect(stepper.locator(".lab-position b")).to_have_text("3")
        assert axe.violations(page, ".lab-stepper") == []
        size = stepper.locator(".lab-title").evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
        assert size >= 18  # pixels of a projector's 720: readable from the back
    finally:
        page.get_by_role("button", name="Stop Deck").or_(toggle).first.click()
        page.set_viewport_size({"width": 1280, "height": 1400})


# ── by keys alone ────────────────────────────────────────────────────────────


@pytest.fixture
def journey(chromium, tmp_path: Path) -> Iterator[Page]:
    """A bid's journey as a page that stands alone."""
    file = verbs.replay("one_bid").page("replace old value", tmp_path / "bid.html")
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(file.as_uri())
    yield page
    context.close()


def focus(page: Page, role: str, name: str | re.Pattern[str]) -> None:
    """Press Tab until the named control has the focus."""
    wanted = page.get_by_role(role, name=name)
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.count() and wanted.first.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"Tab does not come to {name}")


def position(page: Page) -> int:
    return int(page.inner_text(".lab-position b"))


def test_tab_comes_to_every_control_each_can_be_seen_and_none_holds_it(journey):
    seen: dict[str, bool] = {}
    for _ in range(60):
        journey.keyboard.press("Tab")
        now = journey.evaluate(FOCUSED)
        if now["tag"] == "body":
            break
        seen[now["name"]] = now["outlined"]
    else:
        raise AssertionError("Tab never leaves the page again")
    names = set(seen) | {name.split()[0] for name in seen if name}
    assert {"Step", "Fields of the message", "Source lines"} <= names, sorted(seen)
    assert {"Next", "Last", "First", "Previous"} <= names, sorted(seen)
    assert [name for name, outlined in seen.items() if not outlined] == []


def test_the_whole_journey_is_walked_by_keys_alone(journey):
    focus(journey, "button", "Next")
    total = int(journey.get_by_role("slider").get_attribute("max"))
    for _ in range(total - 1):
        journey.keyboard.press("Enter")
    assert position(journey) == total
    journey.keyboard.press("Home")
    assert position(journey) == 1
    # Deeper, and to a step that is looked for.
    journey.keyboard.press("3")
    assert int(journey.get_by_role("slider").get_attribute("max")) > total
    journey.keyboard.press("/")
    journey.keyboard.type("sendall")
    journey.keyboard.press("Escape")
    # From a byte to the line that wrote it, and to the one that read it.
    journey.keyboard.press("Shift+Tab")
    journey.keyboard.press("Home")
    focus(journey, "listbox", "Fields of the message")
    title = journey.inner_text(".lab-title")
    for _ in range(3):
        journey.keyboard.press("ArrowDown")
    chosen = journey.inner_text('[aria-selected="true"] .lab-label')
    journey.keyboard.press("w")
    writer = journey.inner_text(".lab-title")
    journey.keyboard.press("r")
    assert chosen and len({title, writer, journey.inner_text(".lab-title")}) >= 2
    # What the keys do is told by a key.
    journey.keyboard.press("?")
    expect(journey.locator(".lab-help")).to_be_visible()


def test_axe_finds_nothing_on_the_page_that_stands_alone(journey):
    for _ in range(12):
        assert axe.violations(journey) == []
        journey.keyboard.press("Tab")
        journey.get_by_role("button", name="Next", exact=True).press("ArrowRight")
    journey.emulate_media(color_scheme="dark")
    assert axe.violations(journey) == []
