"""``socketio-lab diff``: one journey in two recordings, or of one scenario on two environments.

The rule kept here: as with ``diff`` itself, the status says whether there is a
difference: 0 for none, 1 for some.  Two environments are recorded alike, by
the same scenario with the same client, and compared as any two recordings are.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from utils.cli.console import Status, as_json, examples, json_option, note, progress
from utils.cli.recordings import RecordingType, find, load
from utils.cli.taking import Taking, folder_of
from utils.errors import InputError

if TYPE_CHECKING:
    from utils.records import Step
    from utils.run import Run
    from utils.versions.stackdiff import Row

    _ParamType = click.ParamType[str]
else:  # older ones are not generic
    _ParamType = click.ParamType

_LEVELS = ("library", "essential", "all")


class _BothSides(click.Command):
    """What stands behind two dashes is the application that is run on both sides."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the application's words away, and read the rest as usual."""
        if "--" in args:
            dashes = args.index("--")
            ctx.meta["application"] = tuple(args[dashes + 1 :])
            args = args[:dashes]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The usage names the application, too."""
        return [*super().collect_usage_pieces(ctx), "[-- APPLICATION...]"]


class _SideType(_ParamType):
    """A recording, or an environment: which of the two, the other options tell."""

    name = "side"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """As for a recording; the shell's own files lead to an environment."""
        return RecordingType().shell_complete(ctx, param, incomplete)


@click.command(
    cls=_BothSides,
    epilog=examples(
        "socketio-lab diff report_then report_now route",
        "socketio-lab diff recordings/chat recordings/chat-2 --level all",
        "socketio-lab diff .venv-old .venv-new --scenario plays.py:two_chat -- python -m chat",
        "socketio-lab diff python3.12 python3.13 say --scenario plays.py:two_chat -- chat:app",
        "socketio-lab diff report_then report_now --json",
    ),
)
@click.argument("left", type=_SideType())
@click.argument("right", type=_SideType())
@click.argument("journey", required=False)
@click.option(
    "--scenario",
    metavar="FILE[:FUNCTION]",
    help="What to play in the environments LEFT and RIGHT with the APPLICATION: a function of a session.",
)
@click.option(
    "--level", type=click.Choice(_LEVELS), default="essential", show_default=True, help="How deep to look."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    left: str,
    right: str,
    journey: str | None,
    scenario: str | None,
    level: str,
    for_program: bool,
) -> None:
    """Compare a journey in two recordings, step beside step.

    LEFT and RIGHT are recordings, by path or by name; JOURNEY is what is
    compared, the first event of LEFT if it is left out.  Which steps stayed,
    moved, changed, came and went is told, and the versions that differ.

    With --scenario, LEFT and RIGHT are environments: a virtual environment's
    folder, or a Python, 3.11 or newer.  The APPLICATION is recorded in both,
    as `record` would do it, and the two recordings, which are kept, are
    compared.  Nothing of ours has to be installed there.
    """
    from utils.records import Level
    from utils.versions.stackdiff import Fate, compare
    from utils.views import sidebyside

    application = ctx.meta.get("application", ())
    if bool(scenario) != bool(application):
        raise click.UsageError("--scenario FILE and -- APPLICATION go together.")
    sides = _recorded((left, right), scenario, application) if scenario else (find(left), find(right))
    with progress("Comparing"):
        one, other = map(load, sides)
        name = journey or one.first_event()
        sources = one.recording.sources, other.recording.sources
        rows = compare(one.journey(name), other.journey(name), Level[level.upper()], sources)
        versions = one.recording.meta.versions, other.recording.meta.versions
        shown = sidebyside.diff(rows, name, versions)
    if for_program:
        as_json(
            {
                "recordings": [*map(str, sides)],
                "journey": name,
                "versions": [*map(dict, versions)],
                "wholes": [_whole(one), _whole(other)],
                "steps": [*map(_row, rows)],
            }
        )
    else:
        click.echo(f"{_wholes(one, other)}\n\n{shown.text}")
    differs = any(row.fate is not Fate.SAME for row in rows)
    ctx.exit(Status.FOUND if differs else Status.FINE)


# ── one scenario on two environments ─────────────────────────────────────────


def _recorded(environments: tuple[str, str], scenario: str, words: tuple[str, ...]) -> list[Path]:
    """The application of ``words``, recorded in each environment while the scenario is played."""
    from utils.capture import rights
    from utils.subject.application import Application
    from utils.subject.scenario import load as loaded

    wanted = Application.of_words(words)
    pythons = [*map(_python, environments)]
    folders = []
    for python in pythons:
        application = replace(wanted, python=(python, *wanted.python[1:]))
        folder = folder_of(application)
        # Loaded each time: what it keeps in its module must not make a difference.
        taking = Taking(application, rights.choose_mode(None), folder, loaded(scenario))
        note(f"{python}:")
        taking.take()
        taking.complain()
        if taking.ending.asked:
            raise KeyboardInterrupt
        folders.append(folder)
    note(f"Kept: {folders[0]} and {folders[1]}; name them instead to compare another journey.")
    return folders


def _python(word: str) -> str:
    """The interpreter of an environment.  Raises InputError if there is none."""
    inside = Path(word) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    for candidate in (inside, Path(word)):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate.absolute())
    if not Path(word).exists() and (found := shutil.which(word)) is not None:
        return found
    raise InputError(
        f"there is no environment {word!r}",
        why="it is neither a folder with a Python in it nor a Python",
        next_step="name the folder that `python -m venv` made, or a Python: .venv, python3.12",
    )


# ── what is told ─────────────────────────────────────────────────────────────


def _whole(run: Run) -> dict[str, Any]:
    """The size of a whole recording."""
    from utils.wire.units import Side

    sizes = {side: [len(one.unit.raw) for one in run.messages if one.side is side] for side in Side}
    return {
        "messages of clients": len(sizes[Side.CLIENT]),
        "messages of the server": len(sizes[Side.SERVER]),
        "bytes of clients": sum(sizes[Side.CLIENT]),
        "bytes of the server": sum(sizes[Side.SERVER]),
        **{f"calls of the {trace.process}": len(trace.calls) for trace in run.recording.traces},
    }


def _wholes(one: Run, other: Run) -> str:
    """Both side by side, and the journeys that only one of them holds."""
    from utils.views import text

    left, right = _whole(one), _whole(other)
    rows = [[what, f"{left.get(what, 0):,}", f"{right.get(what, 0):,}"] for what in {**left, **right}]
    table = text.table([["whole recordings", "left", "right"], *rows], right=frozenset({1, 2}))
    told = [table]
    for side, mine, theirs in (("left", one, other), ("right", other, one)):
        if alone := [name for name in mine.journeys if name not in theirs.journeys]:
            told.append(f"journeys of the {side} alone: {', '.join(alone)}")
    return "\n".join(told)


def _row(row: Row) -> dict[str, Any]:
    return {"fate": row.fate.value, "left": _step(row.left), "right": _step(row.right)}


def _step(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "kind": step.kind.value,
        "title": step.title,
        "library": None if step.library is None else step.library.name,
        "file": None if step.excerpt is None else step.excerpt.path,
        "line": None if step.excerpt is None else step.excerpt.current,
        "link": None if step.link is None else step.link.url,
        "bytes": None if step.message is None else len(step.message.unit.raw),
    }
