"""A solution is out of sight, and at hand."""

from __future__ import annotations

from nbformat.v4 import new_code_cell, new_notebook

from handouts.solutions import set_apart


def test_a_solution_is_set_apart_and_the_original_left_alone():
    solved = "### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION\ncheck(answer)"
    notebook = new_notebook(cells=[new_code_cell(solved), new_code_cell("1 + 1")])
    asked, plain = set_apart(notebook).cells
    assert asked.source == "answer = ...\ncheck(answer)" and asked.metadata.solution == "answer = 42"
    assert plain.source == "1 + 1" and "solution" not in plain.metadata
    assert notebook.cells[0].source == solved
