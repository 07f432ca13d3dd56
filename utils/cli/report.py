"""``socketio-lab report``: the open-source report of a recording.

The rule kept here: what the report says is made in :mod:`utils.report`; here it
is only said where it goes.  A file that is there already is not replaced unless
it was named.
"""

from __future__ import annotations

from pathlib import Path

import click

from utils.cli.console import examples, note, progress
from utils.cli.recordings import RecordingType, load
from utils.errors import InputError

_FORMS = ("md", "html", "ipynb")

#: In the place of a file: standard output.
_STANDARD = "-"


@click.command(
    epilog=examples(
        "socketio-lab report recordings/chat",
        "socketio-lab report recordings/chat -o report.md --deep",
        "socketio-lab report recordings/chat --to ipynb",
        "socketio-lab report report_now -o - --to md | less",
    )
)
@click.argument("recording", type=RecordingType())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; - for the screen.",
)
@click.option(
    "--to", "form", type=click.Choice(_FORMS), help="The form; by default what the file ends in, or html."
)
@click.option(
    "--deep/--short",
    default=False,
    help="Every step that does the work, with its lines; or only where a library calls another.",
    show_default=True,
)
def command(recording: Path, output: Path | None, form: str | None, deep: bool) -> None:
    """Write the open-source report of a recording.

    \b
    It tells what was recorded and on what versions, the licence of every
    library that ran, and for each thing that the application did (its pages,
    its events, what it sent, connections and their ends) the whole chain of
    calls from the socket to the application's line and back, the bytes with
    the lines that wrote and read them, and where the time went; and what was
    not seen.

    \b
    md     Markdown, for a repository
    html   one page that needs no network
    ipynb  a notebook that asks the recording itself

    The same recording gives the same bytes.  RECORDING is a recording's folder
    or name, or a capture file, of which the calls are not known.
    """
    from utils.report.write import form_of, pieces

    standard = output is not None and str(output) == _STANDARD
    if output is None or standard:
        form = form or "html"
    path = output or Path(f"{recording.name.partition('.')[0]}-report.{form}")
    if output is None and path.exists():
        raise InputError(
            f"{path} is there already", next_step=f"name the file to write: -o {path}, to replace it"
        )
    form = form or form_of(path)
    with progress("Writing the report"):
        run = load(recording)
        if standard:
            for piece in pieces(run, form, deep=deep):
                click.echo(piece, nl=False)
            return
        run.report(path, form=form, deep=deep)
    note(f"wrote {path}")
