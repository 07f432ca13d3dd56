"""The teacher's screen: while somebody bids in the auction's page, the packets come up in the notebook."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests import axe
from tests.browser.jupyter import NotebookPage, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0 or sys.platform != "linux",
        reason="reading packets needs a right that this user lacks",
    ),
]

CELLS = [
    'from utils import lab\nauction = lab.start("lab_server", "--port", "0")\nprint(auction.url)',
    "view = lab.watch()\nview",
]


@pytest.fixture
def notebook(chromium, lab) -> Iterator[NotebookPage]:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, lab.folder / "notebooks" / "live.ipynb")
    with opened(chromium, lab, "notebooks/live.ipynb") as page:
        page.run_all()
        page.wait_until_run()
        yield page
        page.choose("Kernel", "kernelmenu:shutdown")


@pytest.fixture
def bidder(chromium, notebook) -> Iterator[Page]:
    """The auction's page, in another browser."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(notebook.output("auction.url").inner_text().strip())
    page.fill("#name", "Ada")
    yield page
    context.close()


def test_rows_come_up_while_somebody_bids_in_the_page(notebook, bidder):
    live = notebook.page.locator(".lab-live")
    expect(live.get_by_role("status")).to_have_text("live")
    rows = live.locator("tbody tr")
    expect(rows.filter(has_text="101 Switching Protocols")).to_have_count(1)
    field = bidder.locator('.lot[data-lot="2"] .bid input')
    field.fill("45")
    field.press("Enter")
    expect(bidder.locator('.lot[data-lot="2"] .answer')).to_contain_text("stands")
    for event in ("bid", "bids placed"):
        row = rows.filter(has_text=re.compile(rf'event "{event}"'))
        expect(row).to_have_count(1)
        row.scroll_into_view_if_needed()
        expect(row).to_be_visible()
    assert notebook.errors == [] and notebook.abroad == []
    assert axe.violations(notebook.page, ".lab-live") == []
