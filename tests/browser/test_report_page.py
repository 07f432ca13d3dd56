"""The report's page for everybody: nothing that axe-core minds, nothing that runs, nothing asked of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests import axe
from utils import lab as verbs

pytestmark = pytest.mark.browser

#: A reader at a desk, and one with a phone.
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module", params=["short", "deep", "packets alone"])
def report(request, tmp_path_factory) -> Path:
    """A report of each kind, as a file."""
    run = verbs.replay("one_bid")
    path = tmp_path_factory.mktemp("report") / "report.html"
    if request.param == "packets alone":
        run = verbs.read(verbs.captures() / "one_bid" / "packets.pcapng")
    return run.report(path, deep=request.param == "deep")


@pytest.fixture(params=SIZES)
def page(request, chromium, report) -> Iterator[Page]:
    """It, opened from its file; axe-core stands beside its policy."""
    context = chromium.new_context(viewport=SIZES[request.param], bypass_csp=True)
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(report.as_uri())
    yield opened
    assert asked == [report.as_uri()]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_folded_or_open(page, scheme):
    page.emulate_media(color_scheme=scheme)
    assert axe.violations(page) == []
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert axe.violations(page) == []


def test_it_is_no_wider_than_its_window_and_its_parts_scroll_by_themselves(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_keys_alone_lead_past_the_contents(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#report"
