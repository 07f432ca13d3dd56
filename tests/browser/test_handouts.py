"""The hand-outs in Chromium, opened from their folder: nothing leaves, all is shown, and the steppers step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from handouts import building, course, running
from tests import axe, handout_sample
from tests.handout_sample import NAME

pytestmark = pytest.mark.browser

#: A room's projector, and a telephone.
PROJECTOR = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both hand-outs of the sample, its notebook run in replay."""
    folder = tmp_path_factory.mktemp("handouts")
    chapters = [
        course.chapter(NAME, handout_sample.notebook()),
        course.chapter("01_more", handout_sample.second()),
    ]
    notebooks = running.run_all(chapters, folder / "run", "replay")
    for kind in building.KINDS:
        building.build(kind, chapters, notebooks, folder / kind)
    return folder


@pytest.fixture(scope="module")
def as_committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of all notebooks, with their committed outputs."""
    chapters = course.chapters()
    notebooks = [chapter.notebook for chapter in chapters]
    return building.build("book", chapters, notebooks, tmp_path_factory.mktemp("committed") / "book").parent


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page from its file; fails if anything is asked for that is no file, or anything complains."""
    faults: list[str] = []
    contexts = []

    def opens(path: Path, size: dict[str, int] = PROJECTOR, fragment: str = "", **options) -> Page:
        context = chromium.new_context(viewport=size, **options)
        contexts.append(context)
        context.on("request", lambda request: faults.append(request.url) if abroad(request.url) else None)
        context.on(
            "requestfailed",
            lambda request: faults.append(f"failed: {request.url}") if lost(request) else None,
        )
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None
        )
        page.goto(path.as_uri() + fragment)
        page.wait_for_function(SETTLED)
        return page

    yield opens
    for context in contexts:
        context.close()
    assert faults == []


#: Every widget runs, every diagram is drawn, and the deck, if it is one, is ready.
SETTLED = """() => !document.querySelector("pre.mermaid, [data-widget]:not([data-runs])")
  && (!document.querySelector(".reveal") || window.Reveal?.isReady())"""


def abroad(address: str) -> bool:
    return not address.startswith(("file:", "data:", "blob:", "about:"))


def lost(request: Request) -> bool:
    """Whether something was not found or not allowed; what a reader leaves before it is there is not lost."""
    return request.failure != "net::ERR_ABORTED"


def position(page: Page) -> str:
    return page.locator(".lab-position:visible").inner_text()


def leaves(page: Page) -> list[tuple[int, int]]:
    """Each slide's place."""
    return [
        tuple(place)
        for place in page.evaluate("Reveal.getSlides().map(Reveal.getIndices).map(({ h, v }) => [h, v])")
    ]


def here(page: Page) -> tuple[int, int]:
    return tuple(page.evaluate("(({ h, v }) => [h, v])(Reveal.getIndices())"))


def go_to(page: Page, place: tuple[int, int]) -> None:
    """To a slide, all of its fragments shown."""
    page.evaluate("([h, v]) => Reveal.slide(h, v, 1000)", list(place))


def longest(page: Page) -> tuple[int, int]:
    """The slide with the most to scroll through."""

    def length(place: tuple[int, int]) -> int:
        go_to(page, place)
        return int(page.evaluate(ROOM))

    return max(leaves(page), key=length)


def opened_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize("name", [chapter.name for chapter in course.chapters()])
def test_axe_finds_nothing_in_any_notebooks_page(as_committed, opened, name):
    page = opened(as_committed / f"{name}.html", PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    opened_details(page)
    assert axe.violations(page) == []


class TestBook:
    def test_the_contents_lead_to_each_page_and_each_page_on_and_back(self, made, opened):
        page = opened(made / "book" / "index.html")
        page.get_by_role("link", name="Everything").click()
        expect(page).to_have_title("Everything")
        page.get_by_role("navigation", name="Where to go on").get_by_role("link", name="More").click()
        expect(page).to_have_title("More")
        page.get_by_role("navigation", name="Before and after").get_by_role("link", name="Everything").click()
        expect(page).to_have_title("Everything")
        page.get_by_role("link", name="Can I walk?").click()
        expect(page.get_by_role("heading", name="Can I walk?")).to_be_in_viewport()

    def test_the_stepper_steps_by_click_and_by_key(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html")
        title = page.inner_text(".lab-title")
        page.get_by_role("button", name="Next", exact=True).click()
        assert position(page).startswith("2 /") and page.inner_text(".lab-title") != title
        page.keyboard.press("ArrowRight")
        assert position(page).startswith("3 /")
        page.keyboard.press("Home")
        assert position(page).startswith("1 /") and page.inner_text(".lab-title") == title

    def test_the_inspector_and_the_diagrams_are_there(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html")
        expect(page.locator(".lab-inspector .lab-strip")).to_be_visible()
        drawn = page.locator("figure.mermaid svg[role=img]")
        assert drawn.count() == 2
        for place in range(2):
            assert drawn.nth(place).bounding_box()["height"] > 60

    def test_a_solution_is_shown_when_it_is_asked_for(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html")
        expect(page.locator("#cell-task > .source")).to_have_text("answer = ...\nanswer == 42")
        solution = page.locator("#cell-task .solution")
        expect(solution.locator(".source")).to_be_hidden()
        solution.locator("summary").click()
        expect(solution.locator(".source")).to_have_text("answer = 6 * 7")
        expect(solution.locator(".said")).to_have_text("True")
        silent = page.locator("#cell-silent")
        expect(silent.locator("> .source")).to_have_text("word = ...")
        silent.locator("summary").click()
        expect(silent.locator(".solution .source")).to_have_text("word = 'bid'")

    def test_what_is_no_widget_of_ours_stands_as_text(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html")
        expect(page.locator("#cell-slider .said")).to_contain_text("IntSlider")

    @pytest.mark.parametrize("width", [390, 768, 1280, 1920])
    def test_nothing_is_wider_than_the_page(self, made, opened, width):
        page = opened(made / "book" / f"{NAME}.html", {"width": width, "height": 800})
        opened_details(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_on_paper_the_steps_stand_as_a_list_and_no_line_is_cut(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html", {"width": 720, "height": 1000})
        page.emulate_media(media="print")
        expect(page.locator(".lab-stepper").first).to_be_hidden()
        expect(page.locator(".still summary").first).to_be_visible()
        expect(page.get_by_role("navigation")).to_have_count(0)
        cut = page.locator("pre, .shown, .source").evaluate_all(
            "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML.slice(0, 200))"
        )
        assert cut == []

    def test_axe_finds_nothing(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html")
        assert axe.violations(page) == []
        opened_details(page)
        assert axe.violations(page) == []
        for name in ("index.html", "files/scenarios/plays.py.html"):
            assert axe.violations(opened(made / "book" / name)) == []

    def test_axe_finds_nothing_on_a_phone(self, made, opened):
        page = opened(made / "book" / f"{NAME}.html", PHONE)
        opened_details(page)
        assert axe.violations(page) == []

    def test_without_scripts_everything_can_still_be_read(self, made, chromium):
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto((made / "book" / f"{NAME}.html").as_uri())
        expect(page.locator(".still summary").first).to_be_visible()
        context.close()


class TestSlides:
    def test_no_slide_is_cut_off(self, made, opened):
        """What is longer than the screen scrolls; what is wider than its box does, too."""
        page = opened(made / "slides" / f"{NAME}.html")
        for place in leaves(page):
            go_to(page, place)
            assert page.evaluate(CUT_OFF) == [], place

    def test_space_brings_up_every_piece_and_comes_to_the_end(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html")
        seen = set()
        for _ in range(100):
            seen |= set(
                page.locator("section.slide.present .cell:visible").evaluate_all(
                    "(all) => all.map(({ id }) => id)"
                )
            )
            if page.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
                break
            page.keyboard.press("Space")
        wanted = {
            course.anchor(cell)
            for cell in handout_sample.notebook().cells
            if cell.metadata.slideshow.slide_type not in ("notes", "skip")
        }
        assert seen == wanted

    def test_a_clicker_scrolls_a_long_slide_to_its_end_before_it_leaves_it(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html")
        long = longest(page)
        go_to(page, long)
        page.evaluate("Reveal.getCurrentSlide().scrollTop = 0")
        heights = []
        while here(page) == long:
            heights.append(page.evaluate(ROOM))
            page.keyboard.press("PageDown")
            assert len(heights) < 50
        assert heights == sorted(heights, reverse=True) and heights[-1] <= 1

    def test_the_stepper_steps_by_click_and_by_key_and_escape_gives_the_keys_back(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html", fragment="#/2/1")
        assert here(page) == (2, 1)
        page.get_by_role("button", name="Next", exact=True).click()
        page.keyboard.press("ArrowRight")
        assert position(page).startswith("3 /") and here(page) == (2, 1)
        page.keyboard.press("Space")  # the button has the focus, and is pressed
        assert position(page).startswith("4 /") and here(page) == (2, 1)
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        assert here(page) != (2, 1)

    def test_the_speakers_window_shows_the_notes(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html")
        with page.expect_popup() as popup:
            page.keyboard.press("s")
        speaker = popup.value
        expect(speaker.locator("#notes")).to_contain_text("Say hello first.")
        expect(speaker.locator("#title")).to_have_text("Everything")
        expect(speaker.locator("#next")).to_have_text("Next: Where do links lead?")
        assert axe.violations(speaker) == []
        page.evaluate("Reveal.slide(2, 1)")
        expect(speaker.locator("#notes")).to_contain_text("The arrow keys step.")
        place = speaker.locator("#place").inner_text()
        speaker.keyboard.press("ArrowLeft")
        expect(speaker.locator("#place")).not_to_have_text(place)

    def test_a_solution_is_told_to_the_speaker(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html")
        go_to(page, leaves(page)[-2])
        expect(page.locator("#cell-task > .source")).to_have_text("answer = ...\nanswer == 42")
        expect(page.locator("#cell-task .solution .source")).to_be_hidden()
        told = page.locator("aside.notes", has_text="A solution").all_text_contents()
        assert told == ["A solution:answer = 6 * 7", "A solution:word = 'bid'"]

    def test_on_paper_every_slide_stands_whole_with_its_notes(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html", {"width": 720, "height": 1000})
        page.emulate_media(media="print")
        boxes = page.locator("section.slide").evaluate_all(
            "(all) => all.map((one) => { const { top, bottom } = one.getBoundingClientRect(); return [top, bottom]; })"
        )
        assert len(boxes) == len(leaves(page))
        assert all(one[1] <= other[0] + 1 for one, other in zip(boxes, boxes[1:], strict=False))
        expect(page.get_by_text("Say hello first.")).to_be_visible()
        expect(page.locator(".still summary").first).to_be_visible()

    def test_axe_finds_nothing(self, made, opened):
        page = opened(made / "slides" / f"{NAME}.html")
        for place in leaves(page):
            go_to(page, place)
            assert axe.violations(page) == [], place
        assert axe.violations(opened(made / "slides" / "index.html")) == []

    @pytest.mark.parametrize("size", [PHONE, {"width": 1920, "height": 1080}], ids=["phone", "large"])
    def test_the_stepper_can_be_used_at_any_size(self, made, opened, size):
        page = opened(made / "slides" / f"{NAME}.html", size, "#/2/1")
        assert page.evaluate(CUT_OFF) == []
        strip = page.locator(".lab-lane-marks:visible").bounding_box()
        page.mouse.click(strip["x"] + strip["width"] - 11, strip["y"] + strip["height"] - 8)
        assert re.fullmatch(r"(\d+) / \1", position(page))


#: How far the slide can still be scrolled.
ROOM = "(({ scrollHeight, clientHeight, scrollTop }) => scrollHeight - clientHeight - scrollTop)(Reveal.getCurrentSlide())"

#: What of the slide lies where neither the eye nor a scroll bar comes to.
CUT_OFF = """() => {
  const slide = Reveal.getCurrentSlide();
  const cut = [];
  const box = slide.getBoundingClientRect();
  if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) cut.push("the slide itself");
  if (slide.scrollWidth > slide.clientWidth) cut.push("wider than the slide");
  if (slide.scrollHeight > slide.clientHeight && getComputedStyle(slide).overflowY !== "auto") cut.push("longer");
  for (const one of slide.querySelectorAll(".cell *")) {
    const { overflowX, overflowY, display } = getComputedStyle(one);
    if (display === "none" || one.closest(".live, .still, aside, svg")) continue;
    if (one.scrollWidth > one.clientWidth + 1 && overflowX === "hidden") cut.push(one.outerHTML.slice(0, 200));
    if (one.scrollHeight > one.clientHeight + 1 && overflowY === "hidden") cut.push(one.outerHTML.slice(0, 200));
  }
  return cut;
}"""
