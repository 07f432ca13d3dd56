"""``socketio-lab show``: a recording, step by step, in JupyterLab or as one page.

The rule kept here: what is shown is what a notebook's own cell would show; the
page needs no network and no server, and a notebook that is there already is
opened as it is, with whatever its owner wrote into it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from utils.cli.console import examples, note, progress
from utils.cli.recordings import RecordingType, load

if TYPE_CHECKING:
    from utils.run import Run

_LEVELS = ("library", "essential", "all")


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "socketio-lab show recordings/chat",
        "socketio-lab show recordings/chat say",
        "socketio-lab show recordings/chat say --html say.html",
        "socketio-lab show one_bid --text",
        "socketio-lab show somebody.pcapng --html seen.html",
    ),
)
@click.argument("recording", type=RecordingType())
@click.argument("journey", required=False)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page, which any browser opens from anywhere.",
)
@click.option("--text", "as_text", is_flag=True, help="Print it.")
@click.option(
    "--level", type=click.Choice(_LEVELS), default="library", show_default=True, help="How deep to look."
)
@click.option(
    "--no-open", is_flag=True, help="Only write the notebook, beside the recording; do not open JupyterLab."
)
def command(
    recording: Path, journey: str | None, page: Path | None, as_text: bool, level: str, no_open: bool
) -> None:
    """Show a recording step by step.

    It opens in JupyterLab, in a small notebook beside the recording: choose
    Run > Run All Cells there. JOURNEY is what is shown first: an event, a page
    ("GET /"), or a step of the protocols ("open", "connect", ...); left out, the
    first event. Of a capture file alone there are the packets, and no calls.
    """
    if page is None and not as_text:
        with progress("Reading"):
            run = load(recording)
            notebook = _notebook(run, recording, journey, level)
        click.echo(str(notebook))
        if not no_open:
            _open(notebook)
        return
    with progress("Reading"):
        run = load(recording)
        text = _text(run, journey, level) if as_text else None
        if page is not None:
            _write_page(run, page, journey, level)
    if text is not None:
        click.echo(text)
    if page is not None:
        note(f"wrote {page}")


def _chosen(run: Run, journey: str | None) -> str:
    """The journey that is meant.  Raises InputError if there is none."""
    if journey is not None:
        return journey
    events = {packet.event for _, packet in run.messages.socketio() if packet.event}
    ready = [name for name in run.journeys if name in events] or list(run.journeys)
    return ready[0] if ready else run.first_event()


def _text(run: Run, journey: str | None, level: str) -> str:
    from utils.records import Level
    from utils.views import text

    if not run.recording.traces:
        return run.packets(event=journey, most=len(run.messages)).text
    return text.journey_text(run.journey(_chosen(run, journey)), Level[level.upper()])


def _write_page(run: Run, path: Path, journey: str | None, level: str) -> None:
    from utils.records import Level
    from utils.views.page import still

    if run.recording.traces:
        run.page(_chosen(run, journey), path, level=Level[level.upper()])
        return
    views = [run.packets(event=journey, most=len(run.messages)), run.ladder(journey), run.findings()]
    path.write_text(still(run.recording.meta.name, views), encoding="utf-8")


def _notebook(run: Run, recording: Path, journey: str | None, level: str) -> Path:
    """The notebook beside the recording; one that is there stays as it is."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    recording = recording.resolve()
    path = recording.with_name(f"{recording.name.partition('.')[0]}.ipynb")
    if path.exists():
        return path
    if not os.access(path.parent, os.W_OK):
        path = Path.cwd() / path.name
    verb = "load" if recording.is_dir() else "read"
    where = os.path.relpath(recording, path.parent)
    cells = [
        new_markdown_cell(f"# {run.recording.meta.name}\n\nChoose *Run → Run All Cells*.", id="title"),
        new_code_cell(f"from utils import lab\n\nrun = lab.{verb}({where!r})\nrun", id="load"),
    ]
    if run.recording.traces:
        number = _LEVELS.index(level) + 1
        shown = f"run.stepper({_chosen(run, journey)!r}, level={number})"
        cells += [
            new_code_cell("run.journeys", id="journeys"),
            new_code_cell(shown, id="stepper"),
        ]
    else:
        about = "" if journey is None else repr(journey)
        cells += [
            new_code_cell(f"run.ladder({about})", id="ladder"),
            new_code_cell("run.findings()", id="findings"),
        ]
    cells.append(new_code_cell("run.packets()", id="packets"))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
    return path


def _open(notebook: Path) -> NoReturn:
    """Go on as JupyterLab; its links to installed files work below the notebook's folder."""
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{notebook.name}",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    environment = os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"}
    if os.name != "nt":
        os.execve(command[0], command, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command, env=environment))
