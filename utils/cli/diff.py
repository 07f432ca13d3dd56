"""``socketio-lab diff``: one journey in two recordings.

The rule kept here: as with ``diff`` itself, the status says whether there is a
difference: 0 for none, 1 for some.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from utils.cli.console import Status, as_json, examples, json_option, progress
from utils.cli.recordings import RecordingType, load

if TYPE_CHECKING:
    from utils.records import Step
    from utils.versions.stackdiff import Row

_LEVELS = ("library", "essential", "all")


@click.command(
    epilog=examples(
        "socketio-lab diff report_then report_now route",
        "socketio-lab diff recordings/chat recordings/chat-2 --level all",
        "socketio-lab diff report_then report_now --json",
    )
)
@click.argument("left", type=RecordingType())
@click.argument("right", type=RecordingType())
@click.argument("journey", required=False)
@click.option(
    "--level", type=click.Choice(_LEVELS), default="essential", show_default=True, help="How deep to look."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context, left: Path, right: Path, journey: str | None, level: str, for_program: bool
) -> None:
    """Compare a journey in two recordings, step beside step.

    LEFT and RIGHT are recordings, by path or by name; JOURNEY is what is
    compared, the first event of LEFT if it is left out.  Which steps stayed,
    moved, changed, came and went is told, and the versions that differ.
    """
    from utils.records import Level
    from utils.versions.stackdiff import Fate, compare
    from utils.views import sidebyside

    with progress("Comparing"):
        one, other = load(left), load(right)
        name = journey or one.first_event()
        sources = one.recording.sources, other.recording.sources
        rows = compare(one.journey(name), other.journey(name), Level[level.upper()], sources)
        versions = one.recording.meta.versions, other.recording.meta.versions
        shown = sidebyside.diff(rows, name, versions)
    if for_program:
        as_json({"journey": name, "versions": [*map(dict, versions)], "steps": [*map(_row, rows)]})
    else:
        click.echo(shown.text)
    ctx.exit(Status.FINE if all(row.fate is Fate.SAME for row in rows) else Status.FOUND)


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
    }
