"""The group of all commands: ``socketio-lab``, or ``python -m utils.cli``.

The rule kept here: no command's module is imported before it is called, so
each has its one line of help in the table here; a test holds the two equal.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from utils.cli.console import STATUS_HELP, Failure, Status, examples
from utils.errors import LabError

#: The name of the program, wherever it was started from.
PROGRAM = "socketio-lab"

#: Each command, in the order of the help, with the first line of its own.
COMMANDS = {
    "doctor": "Say what this machine has, and what to mend.",
    "lab": "Open JupyterLab at the first notebook.",
    "record": "Run an application, and record its packets and its code.",
    "show": "Show a recording step by step.",
    "report": "Write the open-source report of a recording.",
    "diff": "Compare a journey in two recordings, step beside step.",
    "export": "Write a recording in a format that other tools read.",
    "bench": "Measure the stack: the standard comparison, or NAMES of it.",
}


class Lazy(click.Group):
    """Finds its commands by their names, when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; its module is imported here."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"utils.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing what it names."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of the lab is a message and a status."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            raise Failure(error) from error
        except KeyboardInterrupt:
            ctx.exit(Status.INTERRUPTED)


def _version() -> str:
    try:
        return version(PROGRAM)
    except PackageNotFoundError:  # run from its folder, without having been installed
        return "not installed"


@click.command(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"""{STATUS_HELP}

\b
Completion in bash (zsh and fish likewise), in ~/.bashrc:
  eval "$(_SOCKETIO_LAB_COMPLETE=bash_source {PROGRAM})"

{examples(f"{PROGRAM} doctor", f"{PROGRAM} lab", f"{PROGRAM} COMMAND --help")}
""",
)
@click.version_option(_version(), prog_name=PROGRAM, message="%(prog)s %(version)s")
def group() -> None:
    """See what a Socket.IO application does: every byte on the wire, and the line that made it."""


def main() -> None:
    """The entry point."""
    group.main(prog_name=PROGRAM)
