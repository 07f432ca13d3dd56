"""``python -m handouts book`` and ``python -m handouts slides``: make the hand-outs.

The rule kept here: words for a terminal, nothing else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from handouts import building, course, running
from utils.errors import LabError

BUILD = course.ROOT / "build"


@click.command()
@click.argument("kinds", nargs=-1, type=click.Choice(sorted(building.KINDS)), required=True)
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), default=BUILD, help="The folder to write into."
)
@click.option(
    "--as-committed", is_flag=True, help="Run nothing: take the committed outputs, without widgets."
)
def main(kinds: tuple[str, ...], to: Path, as_committed: bool) -> None:
    """Make the notebooks into a BOOK of pages, or into SLIDES, below build/.

    The notebooks are run in replay, or in the mode that SOCKETIO_LAB_MODE names.
    """
    try:
        chapters = course.chapters()
        notebooks = [chapter.notebook for chapter in chapters]
        if not as_committed:
            mode = os.environ.get("SOCKETIO_LAB_MODE", "replay")
            click.echo(f"running {len(chapters)} notebooks in mode {mode}, those that changed")
            notebooks = running.run_all(chapters, BUILD / "run", mode)
        for kind in kinds:
            click.echo(f"{kind}: {building.build(kind, chapters, notebooks, to / kind)}")
    except LabError as error:
        click.echo(f"socketio-lab: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
