"""A reader opens JupyterLab with ``make lab``, runs the first notebook, and steps through the bid."""

from __future__ import annotations

import linecache
import re
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import ROOT, NotebookPage, opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def notebook(chromium, lab) -> Iterator[NotebookPage]:
    """The first notebook, after Run All."""
    with opened(chromium, lab) as page:
        page.run_all()
        page.wait_until_run()
        yield page


@pytest.fixture
def stepper(notebook):
    notebook.stepper.root.scroll_into_view_if_needed()
    notebook.stepper.press("Home")
    notebook.stepper.expect_at(1)
    return notebook.stepper


def installed(link: str) -> Path:
    """The file of this environment that a permalink shows: the one whose path ends as the link's does."""
    parts = Path(urlsplit(link).path).parts
    roots = [ROOT, Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))]
    candidates = (root.joinpath(*parts[start:]) for start in range(1, len(parts)) for root in roots)
    return next(path for path in candidates if path.is_file())


def test_every_cell_runs_in_order_and_none_complains(notebook):
    assert notebook.complaints == []


def test_next_shows_the_next_step_with_its_line_as_it_is_installed(stepper):
    title, said = stepper.title, stepper.said
    stepper.click("Next")
    stepper.expect_at(2)
    assert stepper.title != title and stepper.said != said
    assert stepper.said.startswith(f"Step 2 of {stepper.count}: {stepper.title}")
    number, text = stepper.current_line
    assert urlsplit(stepper.link).fragment == f"L{number}"
    assert text.strip() == linecache.getline(str(installed(stepper.link)), number).strip() != ""
    stepper.click("Previous")
    stepper.expect_at(1)
    assert (stepper.title, stepper.said) == (title, said)


def test_open_here_shows_the_installed_file_at_the_line(notebook, stepper):
    number, text = stepper.current_line
    stepper.root.get_by_role("link", name="open here").click()
    editor = notebook.page.locator(".jp-FileEditor:visible")
    expect(editor.locator(".cm-line").filter(has_text=text.strip()).first).to_be_visible()
    expect(notebook.page.locator("#jp-main-statusbar")).to_contain_text(f"Ln {number}, Col 1")
    name = Path(urlsplit(stepper.link).path).name
    notebook.page.locator(".lm-TabBar-tab", has_text=name).locator(".lm-TabBar-tabCloseIcon").click()
    expect(editor).to_have_count(0)


def test_the_keyboard_moves_as_the_buttons_do(notebook, stepper):
    for key, position in [
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", stepper.count),
        ("Home", 1),
    ]:
        stepper.press(key)
        stepper.expect_at(position)
    # The keys were the stepper's alone: the notebook still has the same cell selected.
    assert notebook.page.locator(".jp-Cell.jp-mod-selected .lab-stepper").count() == 1


def test_every_step_can_be_reached_and_says_which_it_is(stepper):
    heard = []
    for position in range(1, stepper.count + 1):
        stepper.expect_at(position)
        heard.append(stepper.said)
        stepper.press("ArrowRight")
    assert [said.split(":")[0] for said in heard] == [
        f"Step {position} of {stepper.count}" for position in range(1, stepper.count + 1)
    ]


def test_a_byte_leads_to_the_line_that_wrote_it(stepper):
    root = stepper.root
    while not root.locator(".lab-dump").count():
        stepper.press("ArrowRight")
    root.locator('.lab-hex [data-field="0"]').first.click()
    expect(root.locator(".lab-ways")).to_contain_text("written by")
    expect(root.locator(".lab-ways")).to_contain_text("read by")
    writer = root.locator(".lab-chief", has_text="written by").locator("button")
    name = writer.inner_text().rpartition(" ")[2]
    writer.click()
    assert stepper.title == name


def test_a_step_can_be_handed_to_somebody_else_with_the_notebook(stepper):
    stepper.press("1")
    stepper.press("Home")
    stepper.press("ArrowRight")
    stepper.expect_at(2)
    stepper.root.get_by_role("button", name="A link to this step").click()
    expect(stepper.root.locator(".lab-shared")).to_have_value(
        "run.stepper('replace old value', level=1, at=2)"
    )


def test_the_walkthrough_is_at_home_here_and_asks_nobody_abroad(notebook):
    assert notebook.abroad == []
    assert notebook.errors == []
    expect(notebook.page.locator(".Toastify__toast")).to_have_count(0)


def test_before_anything_runs_the_same_steps_stand_as_they_were_committed(chromium, lab):
    with opened(chromium, lab) as fresh:
        first = fresh.output("run.stepper(").locator("summary").first
        first.scroll_into_view_if_needed()
        expect(first).to_be_visible()
        expect(first).to_have_text(re.compile(r"^1\. "))
        first.click()
        expect(first.locator("..").get_by_role("link").first).to_be_visible()
        expect(fresh.stepper.root).to_have_count(0)


@pytest.mark.bench
def test_the_first_packet_comes_within_3_s_and_the_stepper_within_10_s_of_a_fresh_kernel(chromium, lab):
    with opened(chromium, lab) as page:
        began = page.run_all()
        page.output("run.packets(").locator("table").wait_for()
        packets = time.monotonic() - began
        page.stepper.root.wait_for()
        stepper = time.monotonic() - began
    print(f"\nfrom Run All to the first packets {packets:.1f} s, to the stepper {stepper:.1f} s")
    assert packets <= 3 and stepper <= 10
