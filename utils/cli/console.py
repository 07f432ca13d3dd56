"""What every command prints, where it goes, and the status that it leaves.

The rule kept here: standard output carries the result alone; whoever reads it
by a program gets no note, no colour and no progress in it.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import IO, Any

import click

from utils.errors import EnvironmentLack, InputError, LabError, ProcessError

#: Work that takes no longer than this, in seconds, shows no progress.
PATIENCE = 2.0


class Status(IntEnum):
    """The exit status of every command."""

    FINE = 0
    FOUND = 1  # it did its work, and found something wrong, or a difference
    USAGE = 2  # the words of the command line are not understood (click's own)
    INPUT = 3  # what was handed in cannot be used: no recording, a damaged one
    LACK = 4  # this machine lacks a right, a part or a port
    PROCESS = 5  # the application, or another process that was started, did not do its part
    INTERRUPTED = 130  # by Ctrl-C, where that is not the regular end


#: What the help of the group says of it.
STATUS_HELP = (
    "Exit status: 0 all is well, 1 something wrong or different was found, 2 the command line is not "
    "understood, 3 what was handed in cannot be used, 4 this machine lacks something, 5 the application "
    "or another process failed, 130 interrupted."
)


class Failure(click.ClickException):
    """A :class:`~utils.errors.LabError` as one clear message, without a traceback."""

    def __init__(self, error: LabError) -> None:
        super().__init__(str(error))
        self.error = error
        self.exit_code = int(status_of(error))  # type: ignore[misc]

    def show(self, file: IO[Any] | None = None) -> None:
        """What happened, why, and what to do, a line each."""
        stream = file or sys.stderr
        click.secho(f"Error: {self.error.what}", file=stream, fg="red" if _is_terminal(stream) else None)
        if self.error.why:
            click.echo(f"  Why: {self.error.why}", file=stream)
        if self.error.next_step:
            click.echo(f"  Next: {self.error.next_step}", file=stream)


def status_of(error: LabError) -> Status:
    """Whose fault it is, as a number."""
    for kind, status in (
        (InputError, Status.INPUT),
        (EnvironmentLack, Status.LACK),
        (ProcessError, Status.PROCESS),
    ):
        if isinstance(error, kind):
            return status
    return Status.FOUND


def note(text: str) -> None:
    """Tell the user something that is no part of the result."""
    click.echo(text, err=True)


def as_json(value: Any) -> None:
    """Print ``value`` for a program: one JSON document, its members in the order they were given."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def examples(*lines: str) -> str:
    """The end of a command's help: lines that can be typed as they stand."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def json_option(function: Any) -> Any:
    """``--json``, where a program would read the result."""
    return click.option(
        "--json", "for_program", is_flag=True, help="Print one JSON document, for a program."
    )(function)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show that ``what`` is going on, if it takes longer than a moment and a terminal looks on."""
    if not _is_terminal(sys.stderr):
        yield
        return
    ended = threading.Event()

    def show() -> None:
        if ended.wait(PATIENCE):
            return
        from rich.console import Console

        with Console(stderr=True).status(f"{what} ..."):
            ended.wait()

    shower = threading.Thread(target=show, name="progress", daemon=True)
    shower.start()
    try:
        yield
    finally:
        ended.set()
        shower.join()


def _is_terminal(stream: Any) -> bool:
    return bool(getattr(stream, "isatty", bool)())
