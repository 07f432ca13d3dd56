"""The student's copy: no solution is left in it, and it runs to its end all the same."""

from __future__ import annotations

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks, skeleton
from tools.student import regions, student, without_solutions

SOLVED = """\
frame = bytes(3)
### BEGIN SOLUTION
length = len(frame)
first, second = frame[:2]
### END SOLUTION
check(length, 3)"""


def solution(*lines, indent=""):
    return "\n".join(indent + line for line in ("### BEGIN SOLUTION", *lines, "### END SOLUTION"))


class TestWithoutSolutions:
    def test_each_name_waits_for_its_value_and_the_rest_stays(self):
        assert without_solutions(SOLVED) == (
            "frame = bytes(3)\nlength = ...\nfirst = ...\nsecond = ...\ncheck(length, 3)"
        )

    @pytest.mark.parametrize(
        ("lines", "stub"),
        [
            (["x = 1", "x += 1"], "x = ..."),
            (["x: int = 1"], "x = ..."),
            (["for a, b in pairs:", "    c = a"], "a = ...\nb = ...\nc = ..."),
            (["print(1)"], "..."),
            (["x[0] = 1", "y.z = 2"], "..."),
            ([], "..."),
            (["", "# a word", "x = 1"], "x = ..."),
        ],
    )
    def test_what_stands_in_its_place(self, lines, stub):
        assert without_solutions(solution(*lines)) == stub

    def test_in_a_function_it_is_the_result_that_waits(self):
        source = "def unmask(key, masked):\n" + solution("return bytes(masked)", indent="    ")
        made = without_solutions(source)
        assert made == "def unmask(key, masked):\n    return ..."
        space: dict = {}
        exec(made, space)
        assert space["unmask"](b"", b"") is ...

    @pytest.mark.parametrize("source", ["### BEGIN SOLUTION\nx = 1", "x = 1\n### END SOLUTION"])
    def test_a_marker_without_its_partner_is_an_error(self, source):
        with pytest.raises(ValueError, match="no partner"):
            without_solutions(source)

    def test_a_function_that_is_all_solution_is_an_error(self):
        with pytest.raises(ValueError, match="into its body"):
            without_solutions(solution("def f():", "    return 1"))

    def test_a_cell_without_markers_stays_as_it_is(self):
        source = "x = 1\n\n\nprint(x)"
        assert without_solutions(source) == source

    def test_what_is_outside_and_inside_takes_turns(self):
        assert [inside for inside, _ in regions(SOLVED)] == [False, True, False]


class TestCopy:
    def test_has_no_outputs_and_keeps_prose_hints_and_names(self):
        output = new_output("execute_result", {"text/plain": "✓ right: 3"}, execution_count=7)
        hint = "How long?\n\n<details><summary>Hint</summary>\n\nCount.\n</details>"
        cell = new_code_cell(
            SOLVED,
            id="answer",
            execution_count=7,
            outputs=[output],
            metadata={"tags": ["exercise"], "jupyter": {"source_hidden": True}},
        )
        whole = new_notebook(cells=[new_markdown_cell(hint, id="ask"), cell])
        ask, answer = student(whole).cells
        assert ask == whole.cells[0] and (answer.id, answer.metadata.tags) == ("answer", ["exercise"])
        assert (answer.outputs, answer.execution_count) == ([], None)
        assert "source_hidden" not in answer.metadata.jupyter
        assert whole.cells[1].outputs == [output]  # the original is left as it was

    @pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
    def test_of_each_notebook_no_solution_is_left(self, path):
        whole, copy = notebooks.read(path), student(notebooks.read(path))
        for cell, left in zip(whole.cells, copy.cells, strict=True):
            for inside, lines in regions(cell.source) if cell.cell_type == "code" else ():
                for line in filter(str.strip, lines if inside else ()):
                    assert line not in left.source.splitlines(), line

    def test_the_command_writes_all_of_them_where_it_is_told(self, tmp_path):
        done = CliRunner().invoke(notebooks.main, ["student", str(tmp_path / "class")])
        assert done.exit_code == 0, done.output
        assert sorted(path.name for path in (tmp_path / "class").iterdir()) == [
            path.name for path in notebooks.paths()
        ]

    # The first of them in every run, the others with the long tests.
    @pytest.mark.parametrize(
        "path",
        [
            pytest.param(path, id=path.stem, marks=[pytest.mark.soak] if place else [])
            for place, path in enumerate(notebooks.paths())
        ],
    )
    def test_runs_to_its_end_with_every_question_open(self, path, tmp_path, monkeypatch):
        monkeypatch.setenv("SOCKETIO_LAB_MODE", "replay")
        copy = student(notebooks.read(path))
        # Beside what the notebooks name: the copies have a folder of their own in the project.
        folder = tmp_path / "student"
        folder.mkdir()
        (tmp_path / "scenarios").symlink_to(notebooks.ROOT / "scenarios")
        NotebookClient(
            copy, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
        said = [text for cell in copy.cells for text in skeleton.outputs(cell)]
        asked = sum("exercise" in cell.metadata.get("tags", ()) for cell in copy.cells)
        assert sum("… not answered yet" in text for text in said if "<div" not in text) >= asked
        nbformat.validate(copy)
