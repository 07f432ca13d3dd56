"""Keeps the notebooks: ``run`` makes their outputs anew, ``check`` only looks, ``student`` copies.

The rule kept here: what is committed is what the notebook's own cells gave, in
order, in a fresh kernel, all of one run; and nothing in it tells when, where or
by whom.
"""

from __future__ import annotations

import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from tools import skeleton
from tools.student import student

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

#: What Jupyter calls a cell that nobody named: eight hexadecimal digits, or a UUID.
UNNAMED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")

#: What an output may not tell, and what to call it.
TELLTALE = (
    (re.compile(r"\bat 0x[0-9a-f]+\b|\b0x[0-9a-f]{9,}\b"), "an address in memory"),
    (re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|var|private|opt)/[\w.-]+"), "a path of this machine"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d"), "when it was run"),
    # In a dump of bytes, a row may begin within this machine's own.
    (
        re.compile(r"\b(?!127\.|2?7\.0\.0\.1\b|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}\b(?![.\w])"),
        "an address of a machine",
    ),
)


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
    """Take out what differs from machine to machine, and what only a live kernel can show.

    A solution is folded, so that it opens on demand.
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_VIEW, None)
        if cell.cell_type == "code":  # what was shown while one waited is empty by now
            cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
        if "exercise" in cell.metadata.get("tags", ()):
            cell.metadata.setdefault("jupyter", {})["source_hidden"] = True


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
        if "exercise" in cell.metadata.get("tags", ()) and not is_folded(cell):
            yield f"cell {cell.id} shows its solution unasked: run `make notebooks`"
        for said in skeleton.outputs(cell):
            yield from (f"cell {cell.id} tells {what}" for what in telltales(said))
    yield from skeleton.complaints(notebook)


def is_folded(cell: NotebookNode) -> bool:
    """Whether JupyterLab shows a cell's source on demand only."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def telltales(said: str) -> Iterator[str]:
    """What an output tells of the machine that it was made on: the kind, and the words."""
    said = re.sub(r"base64,[A-Za-z0-9+/=]+", "", said)
    for pattern, what in TELLTALE:
        if found := pattern.search(said):
            yield f"{what}: {found[0]!r}"
    here = {str(ROOT), str(Path.home()), tempfile.gettempdir(), sys.prefix, socket.gethostname()}
    for name in sorted(here - {"/", "localhost"}):
        if re.search(rf"(?<![\w/]){re.escape(name)}(?![\w-])", said):
            yield f"a name of this machine: {name!r}"


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


@main.command("student")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "student")
def student_command(folder: Path) -> None:
    """Write the student's copies into FOLDER: without solutions and outputs, with their hints.

    Beside the notebooks' own folder, where their links lead as they do there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths():
        nbformat.write(student(read(path)), folder / path.name)
    click.echo(f"{len(paths())} notebooks without solutions are in {folder}")


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
