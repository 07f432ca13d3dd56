"""Makes the reference recordings in captures/ anew: all of them, or those that are named.

The rule kept here: a recording is kept only if it is whole (every byte has its
send and its recv) and holds the journeys that it is there to show; and it
tells what made it.
"""

from __future__ import annotations

import inspect
from dataclasses import replace

import click

from scenarios.plays import PLAYS, Play
from utils import lab, recording
from utils.run import Run

#: No recording is larger, so that the repository stays small: bytes of a folder.
LARGEST = 500_000


def record(play: Play, *, mode: str | None = None) -> Run:
    """``play`` once, on a server of its own, or on several."""
    if play.cluster:
        lab.start_cluster(*play.application, **play.cluster, mode=mode)
    else:
        lab.start(*play.application, mode=mode, from_start=play.from_start)
    try:
        return lab.record(play.scenario, name=play.name)
    finally:
        lab.stop()


def with_origin(run: Run, play: Play) -> Run:
    """``run`` with what made it in its description."""
    made = {"made by": "make captures", "scenario": inspect.getsource(play.scenario)}
    meta = replace(run.recording.meta, extra={**run.recording.meta.extra, **made})
    return Run(replace(run.recording, meta=meta))


def complaints(run: Run, play: Play) -> list[str]:
    """Why ``run`` cannot be a reference."""
    found = [f"it does not hold {name!r}" for name in play.journeys if name not in run.journeys]
    report = run.check()
    if not report.whole or (report.unread and not play.unread):
        found.append(f"calls and packets do not agree: {report}")
    if run.recording.meta.bytes_lost:
        found.append(f"the capture missed {run.recording.meta.bytes_lost} bytes")
    return found


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Record all scenarios (or those NAMES) into captures/."""
    known = {play.name: play for play in PLAYS}
    if unknown := set(names) - known.keys():
        raise click.BadParameter(f"there is no {', '.join(sorted(unknown))} among {', '.join(known)}")
    for name in names or known:
        play = known[name]
        run = with_origin(record(play), play)
        if found := complaints(run, play):
            raise click.ClickException(f"{name} was not kept: {'; '.join(found)}")
        folder = recording.save(run.recording, lab.captures() / name)
        size = sum(path.stat().st_size for path in folder.iterdir())
        click.echo(f"{name}: {run.recording.meta.mode}, {size:,} bytes, {', '.join(run.journeys)}")
        if size > LARGEST:
            raise click.ClickException(f"{name} takes {size:,} bytes, more than {LARGEST:,}")


if __name__ == "__main__":
    main()
