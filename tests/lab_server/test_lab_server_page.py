"""The page in a real browser: two people bid, and see the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from bidders import DEADLINE, bid
from conftest import Served
from playwright.sync_api import Browser, Page, expect, sync_playwright
from processes import Process

from lab_server import pages
from lab_server.lessons import Lesson
from tests.waiting import eventually

pytestmark = pytest.mark.browser

HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    '"><svg onload="document.title=\'owned\'">',
    "javascript:document.title='owned'",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    lacking = [
        name for name, there in (("Chromium", chromium), ("npm ci", pages.CLIENT.exists())) if not there
    ]
    if lacking:
        message = f"not installed: {', '.join(lacking)}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the page as somebody with a browser of their own; fails on any error in the page."""
    contexts, troubles = [], []

    def open_page(url: str, name: str, **options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(1000 * DEADLINE)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: foreign(request.url) and troubles.append(request.url))
        page.goto(url)
        shows(page.locator("#transport"), "websocket")
        page.fill("#name", name)
        return page

    def foreign(url: str) -> bool:
        return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "blob:http://127.0.0.1:"))

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def card(page: Page, lot: int) -> Any:
    return page.locator(f'.lot[data-lot="{lot}"]')


def offer(page: Page, lot: int, amount: str) -> None:
    field = card(page, lot).locator(".bid input")
    field.fill(amount)
    field.press("Enter")


def shows(locator: Any, text: str) -> None:
    expect(locator).to_contain_text(text, timeout=1000 * DEADLINE)


def test_two_bid_against_each_other_and_a_reload_keeps_all(
    visit: Callable[..., Page], served: Served
) -> None:
    ada, grace = visit(served.url, "Ada"), visit(served.url + "/auctions", "Grace")
    offer(ada, 2, "45")
    shows(card(ada, 2).locator(".answer"), "Your bid of € 45.00 stands.")
    shows(card(grace, 2).locator(".price dd"), "45.00")
    shows(card(grace, 2).locator(".leader dd"), "Ada")
    offer(grace, 2, "46")
    shows(card(grace, 2).locator(".answer"), "€ 46.00 was refused. The next bid must be at least 47.50.")
    offer(grace, 2, "50.50")
    shows(card(ada, 2).locator(".answer"), "Grace has outbid you.")
    for page in (ada, grace):
        shows(card(page, 2).locator(".price dd"), "50.50")
    # Of Grace's refused bid Ada knows nothing.
    assert "46" not in card(ada, 2).locator(".history").inner_text()
    for page in (ada, grace):
        page.reload()
        shows(card(page, 2).locator(".price dd"), "50.50")
        assert [row.split("\n")[0] for row in card(page, 2).locator(".history li").all_inner_texts()] == [
            "Grace",
            "Ada",
        ]
    assert ada.input_value("#name") == "Ada"


def test_it_can_be_used_with_the_keyboard_alone(visit: Callable[..., Page], served: Served) -> None:
    page = visit(served.url, "Ada")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = page.evaluate_handle("() => document.activeElement")
    for _ in range(30):
        if page.evaluate("(element) => element.matches('.lot:first-child .bid input')", focused):
            break
        page.keyboard.press("Tab")
        focused = page.evaluate_handle("() => document.activeElement")
    page.keyboard.type("120")
    page.keyboard.press("Enter")
    shows(page.locator(".lot:first-child .answer"), "stands")


def test_it_says_when_the_server_is_gone_and_misses_nothing_meanwhile(
    visit: Callable[..., Page], served: Served
) -> None:
    page = visit(served.url, "Ada")
    page.context.set_offline(True)
    for connection in list(served.auction.socketio.server.eio.sockets.values()):
        connection.close(wait=False)
    expect(page.locator("#state")).to_have_text("reconnecting", timeout=1000 * DEADLINE)
    offer(page, 1, "120")  # made while offline: it is sent when there is a connection again
    served.auction.house.place_bid("00000000-0000-4000-8000-000000000001", 2, "Grace", 4_500)
    page.context.set_offline(False)
    shows(card(page, 2).locator(".leader dd"), "Grace")
    shows(card(page, 1).locator(".answer"), "stands")
    history = served.auction.house.lot(1)[1]
    assert [(each.bidder, each.cents) for each in history] == [("Ada", 12_000)]


def test_pictures_are_shown(visit: Callable[..., Page], served: Served) -> None:
    page = visit(served.url, "Ada")
    image = card(page, 1).locator("img")
    expect(image).to_have_attribute("alt", "Picture of Brass sextant", timeout=1000 * DEADLINE)
    eventually(lambda: image.evaluate("(image) => image.naturalWidth") == 800)


def test_the_auctioneer_opens_and_closes_a_lot(visit: Callable[..., Page], served: Served) -> None:
    token = served.auction.settings.auctioneer_token
    onlooker = visit(served.url, "Ada")
    podium = visit(f"{served.url}/auctions#auctioneer={token}", "Grace")
    assert token not in podium.url  # not for the projector
    podium.fill("#auctioneer [name=title]", "Compass")
    podium.fill("#auctioneer [name=opening]", "5")
    podium.click("#auctioneer button")
    shows(onlooker.locator(".lot h2", has_text="Compass"), "Compass")
    lot = max(each.id for each in served.auction.house.lots())
    offer(onlooker, lot, "5")
    shows(card(podium, lot).locator(".leader dd"), "Ada")
    served.auction.house.set_closing_time(lot, served.auction.house.now())
    served.auction.clock.wake()
    shows(card(onlooker, lot).locator(".price dt"), "Sold for")
    expect(card(onlooker, lot).locator(".bid button")).to_be_disabled()
    assert not onlooker.locator("#auctioneer").is_visible()


def test_a_wrong_token_opens_no_podium(visit: Callable[..., Page], served: Served) -> None:
    page = visit(f"{served.url}/auctions#auctioneer=guess", "Eve")
    shows(page.locator("#announcement"), "token")
    assert not page.locator("#auctioneer").is_visible()


def test_nothing_that_was_sent_runs(visit: Callable[..., Page], serve: Callable[..., Served]) -> None:
    served = serve(lessons=frozenset({Lesson.SEED}))
    page = visit(served.url, "Ada")
    house = served.auction.house
    for number, markup in enumerate(HOSTILE):
        # Past the schemas, as if they had a hole: the page must hold by itself.
        placed = house.place_bid(
            f"00000000-0000-4000-8000-00000000000{number}", 1, markup[:40], 12_000 + 500 * number
        )
        served.auction.socketio.emit(
            "bids placed", {"lot": 1, "bids": [{**placed.as_json(), "bidder": markup}]}
        )
        lot = {**house.lot(1)[0].as_json(), "title": markup, "description": markup}
        served.auction.socketio.emit("lot changed", {"now": house.now(), "lot": lot})
        shows(card(page, 1).locator("h2"), markup)
        shows(card(page, 1).locator(".leader dd"), markup)
        served.auction.socketio.emit("replaced values", {"value": markup})
        shows(page.locator("#replaced"), markup[1:10])
        offer(page, 1, markup)
    assert page.locator(".lot :is(script, svg), #replaced *, h2 *").count() == 0
    assert page.title() == "The auction"


def test_on_a_phone_nothing_is_cut_off(visit: Callable[..., Page], served: Served) -> None:
    page = visit(served.url, "Ada", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page.wait_for_selector(".lot")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    for button in page.locator(".bid button").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 24


def test_the_page_loses_nobody_over_gaps_and_doubles() -> None:
    """state.js by itself, in Node: news in any order and any number of times come out the same."""
    node = shutil.which("node")
    if node is None:
        message = "Node is not installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    script = Path(__file__).with_name("state.test.js")
    subprocess.run([node, "--test", str(script)], check=True, timeout=60, capture_output=True)


def test_the_json_view_and_the_page_agree(visit: Callable[..., Page], served: Served) -> None:
    page = visit(served.url, "Ada")
    client = bid(3, "Ada", 8_000)
    served.auction.house.place_bid(client["id"], 3, "Ada", 8_000)
    page.reload()
    shows(card(page, 3).locator(".price dd"), "80.00")
    (lot,) = [
        each
        for each in requests.get(served.url + "/lots", timeout=DEADLINE).json()["lots"]
        if each["id"] == 3
    ]
    assert lot["highest"]["cents"] == 8_000


def test_after_a_kill_the_page_shows_what_the_database_holds(
    visit: Callable[..., Page], start: Callable[..., Process]
) -> None:
    server = start()
    ada, grace = visit(server.url, "Ada"), visit(server.url, "Grace")
    offer(ada, 1, "120")
    shows(card(grace, 1).locator(".leader dd"), "Ada")
    server.kill()
    expect(ada.locator("#state")).to_have_text("reconnecting", timeout=1000 * DEADLINE)
    offer(grace, 1, "130")  # there is no server to take it now
    again = start("--port", str(server.port))
    shows(card(grace, 1).locator(".answer"), "Your bid of € 130.00 stands.")
    highest = requests.get(f"{again.url}/lots/1", timeout=DEADLINE).json()["lot"]["highest"]
    assert (highest["bidder"], highest["cents"]) == ("Grace", 13_000)
    for page in (ada, grace):
        shows(card(page, 1).locator(".price dd"), "130.00")
        shows(page.locator("#state"), "connected")
