"""In JupyterLab one sees what is being waited for; when it is over, the cell is as if it had been quick."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import opened

pytestmark = pytest.mark.browser

#: The block goes on until the file is gone: the test decides when.
CELL = """
import threading
from pathlib import Path
from utils.views.waiting import waiting

print("before")
with waiting("the server is starting", after=0.1):
    while Path("go-on").exists():
        threading.Event().wait(0.05)
print("after")
"""


def test_it_is_told_while_it_lasts_and_leaves_nothing(chromium, lab):
    folder = lab.folder / "notebooks"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.strip())])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, folder / "slow.ipynb")
    (folder / "go-on").touch()
    with opened(chromium, lab, "notebooks/slow.ipynb") as notebook:
        notebook.run_all()
        told = notebook.page.locator(".lab-waiting")
        expect(told.get_by_role("progressbar", name="the server is starting")).to_be_visible()
        expect(told).to_contain_text("the server is starting … ")
        (folder / "go-on").unlink()
        notebook.wait_until_run()
        expect(told).to_have_count(0)
        expect(notebook.output("waiting").filter(has_text="after")).to_be_visible()
        assert notebook.complaints == [] and notebook.errors == [] and notebook.abroad == []
        notebook.choose("Kernel", "kernelmenu:shutdown")
