"""The committed notebooks were run, in order and whole; and what keeps them so notices when not."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks, skeleton


def written(folder: Path, *cells: nbformat.NotebookNode, **metadata: object) -> Path:
    path = folder / "small.ipynb"
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


def ran(number: int, source: str = "1", name: str = "one", **metadata: object) -> nbformat.NotebookNode:
    output = new_output("execute_result", {"text/plain": "1"}, execution_count=number)
    return new_code_cell(source, id=name, execution_count=number, outputs=[output], metadata=metadata)


def told(said: str) -> nbformat.NotebookNode:
    cell = ran(1)
    cell.outputs = [new_output("stream", text=said)]
    return cell


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_a_committed_notebook_gives_no_reason_to_complain(path):
    assert list(notebooks.complaints(path)) == []


def test_there_are_notebooks_to_look_at_and_all_belong_to_the_course():
    found = [path.stem for path in notebooks.paths()]
    assert found and set(found) <= set(skeleton.NAMES)


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_each_link_to_a_file_leads_to_one(path):
    links = re.findall(
        r"\]\((?!https?:|#|mailto:)([^)#]+)", "\n".join(c.source for c in notebooks.read(path).cells)
    )
    missing = [link for link in links if not (path.parent / link).exists()]
    assert missing == []


def test_each_notebook_leads_to_the_next():
    for name, following in pairwise(skeleton.NAMES):
        path = notebooks.FOLDER / f"{name}.ipynb"
        if not path.is_file():
            continue
        last = notebooks.read(path).cells[-1].source
        number = following.partition("_")[0]
        assert number in last.partition(skeleton.NEXT)[2], f"{name} does not lead to {following}"


class TestComplaints:
    def test_of_a_notebook_as_it_should_be_there_are_none(self, tmp_path):
        path = written(tmp_path, new_markdown_cell("# One", id="title"), ran(1), ran(2, name="two"))
        assert self.of_the_machine(path) == []

    @staticmethod
    def of_the_machine(path):
        """The complaints, but for those about the form, which is not what is tested here."""
        form = set(skeleton.complaints(notebooks.read(path)))
        return [said for said in notebooks.complaints(path) if said not in form]

    @pytest.mark.parametrize(
        "said",
        [
            "http://127.0.0.1:41207/auctions",
            "GET /socket.io/?EIO=4",
            "0x81 0xaf",
            "Flask 3.1.3",
            "data:image/png;base64,/tmp/x",
            "https://example.org/home/page",
        ],
    )
    def test_of_what_belongs_to_the_run_there_are_none(self, said):
        assert list(notebooks.telltales(said)) == []

    @pytest.mark.parametrize(
        ("cell", "complaint"),
        [
            (new_code_cell("1", id="one"), "not run"),
            (ran(2), "not run in order"),
            (new_code_cell("x = 1", id="one", execution_count=1), "no outputs"),
            (ran(1, name="8c1f09ab"), "no name of its own"),
            (ran(1, name="3c1b2a90-0f0e-4f0a-8f0e-1a2b3c4d5e6f"), "no name of its own"),
            (ran(1, execution={"iopub.status.busy": "2026-01-01T00:00:00Z"}), "when it was run"),
            (
                new_code_cell("1 / 0", id="one", execution_count=1, outputs=[new_output("error")]),
                "ends in an error",
            ),
            (
                new_code_cell(
                    "1",
                    id="one",
                    execution_count=1,
                    outputs=[new_output("display_data", {notebooks.WIDGET_VIEW: {"model_id": "x"}})],
                ),
                "keeps a widget's view",
            ),
            (ran(1, tags=["exercise"]), "shows its solution unasked"),
            (told("<function one at 0x7f5aa38e13c0>"), "an address in memory"),
            (told("log /tmp/socketio-lab-abc/server.log"), "a path of this machine"),
            (told("2026-11-24T23:25:37+00:00"), "when it was run"),
            (told("listens on 192.168.1.17"), "an address of a machine"),
            (told(f"in {notebooks.ROOT}/captures"), "a name of this machine"),
        ],
    )
    def test_of_a_cell(self, tmp_path, cell, complaint):
        assert any(complaint in said for said in notebooks.complaints(written(tmp_path, cell)))

    @pytest.mark.parametrize(
        ("metadata", "complaint"),
        [
            ({"widgets": {"state": {}}}, "state of its widgets"),
            ({"language_info": {"name": "python", "version": "3.11.2"}}, "which Python"),
        ],
    )
    def test_of_what_the_notebook_tells_of_its_machine(self, tmp_path, metadata, complaint):
        assert any(complaint in said for said in notebooks.complaints(written(tmp_path, ran(1), **metadata)))


class TestRunning:
    def test_fills_in_what_the_cells_give_and_leaves_nothing_of_the_machine(self, tmp_path):
        show = "import ipywidgets, sys\nprint('one')\nprint('two')\nipywidgets.IntSlider()"
        path = written(tmp_path, new_code_cell(show, id="show"), new_code_cell("40 + 2", id="sum"))
        notebooks.run(path)
        assert TestComplaints.of_the_machine(path) == []
        shown, sum_ = notebooks.read(path).cells
        assert shown.outputs[0].text == "one\ntwo\n"
        assert sum_.outputs[0].data == {"text/plain": "42"}

    def test_a_cell_that_fails_leaves_the_file_as_it_was(self, tmp_path):
        path = written(tmp_path, new_code_cell("1 / 0", id="wrong"))
        before = path.read_bytes()
        with pytest.raises(CellExecutionError, match="division by zero"):
            notebooks.run(path)
        assert path.read_bytes() == before
