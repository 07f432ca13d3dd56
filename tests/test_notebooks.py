"""The committed notebooks were run, in order and whole; and what keeps them so notices when not."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks


def written(folder: Path, *cells: nbformat.NotebookNode, **metadata: object) -> Path:
    path = folder / "small.ipynb"
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


def ran(number: int, source: str = "1", name: str = "one", **metadata: object) -> nbformat.NotebookNode:
    output = new_output("execute_result", {"text/plain": "1"}, execution_count=number)
    return new_code_cell(source, id=name, execution_count=number, outputs=[output], metadata=metadata)


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_a_committed_notebook_gives_no_reason_to_complain(path):
    assert list(notebooks.complaints(path)) == []


def test_there_are_notebooks_to_look_at():
    assert [path.stem for path in notebooks.paths()][:2] == ["00_start_here", "01_one_bid"]


class TestComplaints:
    def test_of_a_notebook_as_it_should_be_there_are_none(self, tmp_path):
        path = written(tmp_path, new_markdown_cell("# One", id="title"), ran(1), ran(2, name="two"))
        assert list(notebooks.complaints(path)) == []

    @pytest.mark.parametrize(
        ("cell", "complaint"),
        [
            (new_code_cell("1", id="one"), "not run"),
            (ran(2), "not run in order"),
            (new_code_cell("x = 1", id="one", execution_count=1), "no outputs"),
            (ran(1, name="8c1f09ab"), "no name of its own"),
            (ran(1, name="3c1b2a90-0f0e-4f0a-8f0e-1a2b3c4d5e6f"), "no name of its own"),
            (
                ran(1, source="\n".join(["x = 1"] * (notebooks.LONGEST_CELL + 1))),
                "move the work into a module",
            ),
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
        assert list(notebooks.complaints(path)) == []
        shown, sum_ = notebooks.read(path).cells
        assert shown.outputs[0].text == "one\ntwo\n"
        assert sum_.outputs[0].data == {"text/plain": "42"}

    def test_a_cell_that_fails_leaves_the_file_as_it_was(self, tmp_path):
        path = written(tmp_path, new_code_cell("1 / 0", id="wrong"))
        before = path.read_bytes()
        with pytest.raises(CellExecutionError, match="division by zero"):
            notebooks.run(path)
        assert path.read_bytes() == before
