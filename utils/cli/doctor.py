"""``socketio-lab doctor``: the self-check.

The rule kept here: whatever is to be mended comes with the one thing to do, and
makes the status 1.
"""

from __future__ import annotations

import click

from utils.cli.console import Status, as_json, examples, json_option


@click.command(epilog=examples("socketio-lab doctor", "socketio-lab doctor --json"))
@json_option
@click.pass_context
def command(ctx: click.Context, for_program: bool) -> None:
    """Say what this machine has, and what to mend.

    Nothing is started and nothing is changed by looking.
    """
    from utils.selfcheck import check
    from utils.views import tables

    rows = check()
    if for_program:
        as_json([{**row._asdict(), "remedy": "" if row.ok else row.remedy} for row in rows])
    else:
        click.echo(tables.checks(rows).text)
    ctx.exit(Status.FINE if all(row.ok for row in rows) else Status.FOUND)
