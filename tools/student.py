"""The student's copy of a notebook: the questions, and room for the answers.

The rule kept here: a copy runs to its end as it is handed out.  What stood
between the markers is replaced by ``...``, for each name that the solution
gave a value, and for what it returned; so the checks below say "not answered
yet", and nothing fails for want of a name.

The markers are nbgrader's (https://nbgrader.readthedocs.io): a teacher can
hand the notebooks to its ``generate_assignment`` as well, which puts its own
stub in their place.
"""

from __future__ import annotations

import ast
import copy
import textwrap
from collections.abc import Iterator, Sequence

from nbformat import NotebookNode

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"


def student(notebook: NotebookNode) -> NotebookNode:
    """A copy without solutions and outputs; hints stay.

    Raises ValueError if a marker has no partner, or what they hold is not Python.
    """
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.source = without_solutions(cell.source)
            cell.outputs, cell.execution_count = [], None
            cell.metadata.get("jupyter", {}).pop("source_hidden", None)
    return made


def without_solutions(source: str) -> str:
    """The source of a cell with ``...`` in the place of each solution."""
    kept: list[str] = []
    for inside, lines in regions(source):
        kept += _room(lines) if inside else lines
    return "\n".join(kept)


def regions(source: str) -> Iterator[tuple[bool, list[str]]]:
    """The lines of a cell by turns outside and inside a solution; the markers left out."""
    inside, lines = False, list[str]()
    for line in source.split("\n"):
        if line.strip() not in (BEGIN, END):
            lines.append(line)
            continue
        if inside == (line.strip() == BEGIN):
            raise ValueError(f"a line {line.strip()!r} has no partner before it")
        yield inside, lines
        inside, lines = not inside, []
    if inside:
        raise ValueError(f"a line {BEGIN!r} has no partner after it")
    yield inside, lines


def _room(solution: Sequence[str]) -> list[str]:
    """What stands where a solution was: its names without values, its result without a value."""
    written = [line for line in solution if line.strip()]
    indent = written[0][: len(written[0]) - len(written[0].lstrip())] if written else ""
    body = ast.parse(textwrap.dedent("\n".join(solution))).body
    names = dict.fromkeys(name for statement in body for name in _names(statement))
    stubs = [f"{name} = ..." for name in names]
    if any(isinstance(statement, ast.Return) for statement in body):
        stubs.append("return ...")
    return [indent + stub for stub in stubs or ["..."]]


def _names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value, in order."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            raise ValueError(f"the solution defines {node.name}: put the markers into its body")
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
