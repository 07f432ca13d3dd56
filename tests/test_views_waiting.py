"""While one waits, something is told; when it is over, nothing is left."""

from __future__ import annotations

import threading

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests import hostile
from tests.markup_reader import Reader
from tools import notebooks, validation
from utils.views import waiting as module
from utils.views.waiting import waiting

SLOW = """
import threading
from utils.views.waiting import waiting

with waiting("the server is starting", after=0.01):
    threading.Event().wait(0.3)
"""


class Published:
    """What was published, and a word when there was something to see."""

    def __init__(self):
        self.said = []
        self.seen = threading.Event()

    def __call__(self, data, update):
        self.said.append((data, update))
        if data:
            self.seen.set()


def test_what_is_quick_says_nothing():
    published = Published()
    with waiting("it", publish=published, after=60):
        pass
    assert published.said == []


def test_what_takes_long_is_told_and_taken_back(monkeypatch):
    published = Published()
    with waiting("the server is starting", publish=published, after=0):
        assert published.seen.wait(30)
    first, shown, *_, last = published.said
    assert first == ({}, False) and last == ({}, True)
    data, update = shown
    assert update and data["text/plain"] == "the server is starting … 0 s"
    read = Reader(data["text/html"])
    assert read.find("div", role="status") and read.find(
        "progress", **{"aria-label": "the server is starting"}
    )
    assert "the server is starting … 0 s" in read.text


def test_an_error_takes_it_back_too_and_comes_through():
    published = Published()
    with pytest.raises(ZeroDivisionError), waiting("it", publish=published, after=0):
        assert published.seen.wait(30)
        1 / 0  # noqa: B018
    assert published.said[-1] == ({}, True)
    assert "waiting" not in [thread.name for thread in threading.enumerate()]


def test_outside_a_notebook_it_is_quiet(capsys):
    with waiting("it", after=0):
        pass
    assert module._publisher() is None
    assert capsys.readouterr() == ("", "")


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    read = Reader(module._shown(payload, 3)["text/html"])
    assert [tag for tag, _ in read.elements] == ["div", "progress"]


class TestInANotebook:
    def test_nothing_of_it_is_kept(self, tmp_path):
        path = tmp_path / "slow.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(SLOW + "print('started')", id="slow")]), path)
        notebooks.run(path)
        (cell,) = notebooks.read(path).cells
        assert [output.output_type for output in cell.outputs] == ["stream"]

    def test_while_it_lasts_the_reader_sees_it(self):
        seen = []

        class Client(NotebookClient):
            def _update_display_id(self, display_id, msg):
                seen.append(msg["content"]["data"])
                super()._update_display_id(display_id, msg)

        Client(new_notebook(cells=[new_code_cell(SLOW)]), kernel_name="python3").execute()
        told = [data["text/plain"] for data in seen if data]
        assert told and told[0].startswith("the server is starting") and seen[-1] == {}

    def test_nbval_compares_the_same_whether_it_was_slow_or_not(self, tmp_path, monkeypatch):
        """Committed by a quick machine, validated on a slow one."""
        path = tmp_path / "notebooks" / "slow.ipynb"
        for folder in ("notebooks", "tests"):
            (tmp_path / folder).mkdir()
        (tmp_path / "tests" / "nbval_sanitize.cfg").write_text("")
        quick = new_code_cell(SLOW.replace("0.01", "60"), id="slow", execution_count=1)
        nbformat.write(new_notebook(cells=[quick]), path)
        notebooks.run(path)
        committed = notebooks.read(path)
        committed.cells[0].source = SLOW
        nbformat.write(committed, path)
        monkeypatch.setattr(validation, "ROOT", tmp_path)
        done = validation.validate("tap", ["slow"], options=())
        assert done.passed, done.report
