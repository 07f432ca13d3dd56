"""Notebooks are run for a hand-out once, whole, or not at all."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from handouts import course, running
from utils.errors import InputError


def chapter(source: str) -> course.Chapter:
    cells = [new_markdown_cell("# One", id="title"), new_code_cell(source, id="code")]
    kernel = {"name": "python3", "display_name": "Python 3"}
    return course.chapter("00_one", new_notebook(cells=cells, metadata={"kernelspec": kernel}))


def test_a_run_is_in_the_mode_asked_for_and_kept(tmp_path):
    one = chapter("import os\nos.environ['SOCKETIO_LAB_MODE']")
    (first,) = running.run_all([one], tmp_path, "replay")
    assert first.cells[1].outputs[0].data["text/plain"] == "'replay'"
    (kept,) = tmp_path.iterdir()
    stamp = kept.stat().st_mtime_ns
    assert running.run_all([one], tmp_path, "replay") == [first]
    assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == [stamp]
    assert not one.notebook.cells[1].outputs


def test_a_cell_that_fails_is_named_and_nothing_is_kept(tmp_path):
    with pytest.raises(
        InputError, match=r"00_one.ipynb does not run to its end in mode replay.*division by zero"
    ):
        running.run_all([chapter("1 / 0")], tmp_path, "replay")
    assert list(tmp_path.iterdir()) == []
