"""``socketio-lab lab``: JupyterLab, at the first notebook.

The rule kept here: the notebooks are read where they stand, in a checkout; what
opens them is the checkout's own tools/tasks.py, so that ``make lab`` and this
are one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click

from utils.cli.console import examples
from utils.errors import EnvironmentLack

#: What makes a folder a checkout.
_SIGNS = ("notebooks/00_start_here.ipynb", "tools/tasks.py")


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples("socketio-lab lab", "socketio-lab lab --no-browser --port 8890"),
)
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def command(jupyter_options: tuple[str, ...]) -> None:
    """Open JupyterLab at the first notebook.

    The notebooks are those of the checkout that holds the current folder, or
    else of the one that this program was installed from.  JUPYTER_OPTIONS go to
    JupyterLab.
    """
    root = checkout()
    _become([sys.executable, str(root / "tools" / "tasks.py"), "lab", *jupyter_options])


def checkout() -> Path:
    """The checkout whose notebooks are meant.  Raises EnvironmentLack if there is none."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if all((folder / sign).is_file() for sign in _SIGNS):
            return folder
    raise EnvironmentLack(
        "there are no notebooks here",
        why="neither this folder nor the installed package belongs to a checkout of socketio-lab",
        next_step="clone its repository, and call `socketio-lab lab` in that folder",
    )


def _become(command: list[str]) -> NoReturn:
    """Go on as ``command``: Ctrl-C reaches it alone, so that it can ask and shut down in order."""
    if os.name != "nt":
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command))
