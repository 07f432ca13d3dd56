"""Keeps the notebooks: ``run`` makes their outputs anew, ``check`` only looks.

The rule kept here: what is committed is what the notebook's own cells gave, in
order, in a fresh kernel, all of one run; and nothing in it tells when, where or
by whom.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

#: A cell longer than this does work that belongs into a module.
LONGEST_CELL = 15

#: What Jupyter calls a cell that nobody named: eight hexadecimal digits, or a UUID.
UNNAMED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")


def paths() -> list[Path]:
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def run(path: Path) -> None:
    """Run a notebook in a fresh kernel, and write it with its outputs.

    Raises nbclient.exceptions.CellExecutionError if a cell fails; the file
    stays as it was.
    """
    notebook = read(path)
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    tidy(notebook)
    nbformat.write(notebook, path)


def tidy(notebook: NotebookNode) -> None:
    """Take out what differs from machine to machine, and what only a live kernel can show."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_VIEW, None)


def complaints(path: Path) -> Iterator[str]:
    """What is wrong with a committed notebook; without outputs nbval would compare nothing."""
    notebook = read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "its cells were not run in order, once: run `make notebooks`"
    if not any(cell.outputs for cell in code):
        yield "it has no outputs: run `make notebooks`"
    if "widgets" in notebook.metadata:
        yield "it keeps the state of its widgets: run `make notebooks`"
    if "version" in notebook.metadata.get("language_info", {}):
        yield "it tells which Python it was run with: run `make notebooks`"
    for cell in notebook.cells:
        if UNNAMED.fullmatch(cell.get("id", "0" * 8)):
            yield f"cell {cell.get('id')} has no name of its own: give it an id that says what it is for"
    for cell in code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"cell {cell.id} ends in an error"
        if any(WIDGET_VIEW in output.get("data", {}) for output in cell.outputs):
            yield f"cell {cell.id} keeps a widget's view, which no reader can open"
        if "execution" in cell.metadata:
            yield f"cell {cell.id} tells when it was run: run `make notebooks`"
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if len(lines) > LONGEST_CELL:
            yield f"cell {cell.id} has {len(lines)} lines: move the work into a module"


@click.group()
def main() -> None:
    """Keep the notebooks."""


@main.command("run")
@click.argument("names", nargs=-1)
def run_command(names: tuple[str, ...]) -> None:
    """Make the outputs of all notebooks (or of those NAMES) anew."""
    known = {path.stem: path for path in paths()}
    if unknown := set(names) - known.keys():
        raise click.BadParameter(f"there is no {', '.join(sorted(unknown))} among {', '.join(known)}")
    for name in names or known:
        click.echo(f"running {known[name].name}")
        run(known[name])


@main.command("check")
def check_command() -> None:
    """Say what is wrong with the committed notebooks."""
    found = [f"{path.name}: {complaint}" for path in paths() for complaint in complaints(path)]
    for line in found:
        click.echo(line)
    click.echo(f"{len(paths())} notebooks looked at, {len(found)} complaints")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
