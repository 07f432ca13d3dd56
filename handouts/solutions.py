"""An exercise in a hand-out: the question in sight, its solution set apart.

The rule kept here: what a cell's solution is, its two markers say, as for the
student's copy (tools/student.py), whose form of the cell stands in sight.
"""

from __future__ import annotations

import copy

from nbformat import NotebookNode

from tools.student import regions, without_solutions


def set_apart(notebook: NotebookNode) -> NotebookNode:
    """A copy in which solved cells are unsolved, their solutions under ``cell.metadata.solution``."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "code":
            solved = [line for inside, lines in regions(cell.source) if inside for line in lines]
            if solved:
                cell.metadata["solution"] = "\n".join(solved).strip("\n")
                cell.source = without_solutions(cell.source)
    return made
