"""``socketio-lab record``: any application, unchanged, watched from its first line to the end.

The rule kept here: the result on standard output is where the recording is;
what it holds and what it lacks is said beside it.
"""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from utils.cli.console import as_json, examples, json_option, note
from utils.cli.taking import Taking, folder_of
from utils.cli.until import Until, WhenType


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=examples(
        "socketio-lab record -- python -m chat",
        "socketio-lab record -- chat.py --debug",
        "socketio-lab record 'shop:create_app()'",
        "socketio-lab record --scenario plays.py:two_chat -- python -m chat",
        "socketio-lab record --until 'game over' --until 5m -o recordings/game -- flask --app chat run",
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write [default: recordings/NAME, numbered if it is there].",
)
@click.option(
    "--scenario",
    metavar="FILE[:FUNCTION]",
    help="What to play: a function of a session, in a Python file. Without it, use your browser.",
)
@click.option(
    "--until",
    metavar="WHEN",
    multiple=True,
    type=WhenType(),
    help="End after a time (30s, 5m, 1h), or when an event of that name has passed; the first of several.",
)
@click.option(
    "--mode", type=click.Choice(["live", "tap"]), help="How packets are captured [default: the best]."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Which port, of several; for module:app, on which."
)
@click.option(
    "--keep-secrets", is_flag=True, help="Leave passwords, tokens and cookies in it: for your eyes alone."
)
@json_option
@click.argument("application", nargs=-1, type=click.UNPROCESSED, required=True)
def command(
    output: Path | None,
    scenario: str | None,
    until: tuple[float | str, ...],
    mode: str | None,
    port: int | None,
    keep_secrets: bool,
    for_program: bool,
    application: tuple[str, ...],
) -> None:
    """Run an application, and record its packets and its code.

    APPLICATION is any Flask-SocketIO or python-socketio application (threads or
    gevent), as you would start it: python -m MODULE, SCRIPT, flask run, or
    module:app. It runs unchanged, and says what it says; only a reloader is
    switched off. The recording ends with the scenario, with Ctrl-C, with the
    application, or when --until says so, and is written then.

    Passwords, cookies, tokens, keys and what clients authenticate with are left
    out of the recording: they are known by their names. What is secret but has
    no such name (a card's number as an event's argument, say) is kept.
    """
    from utils.capture import rights
    from utils.subject.application import Application
    from utils.subject.scenario import load

    if scenario is not None and until:
        raise click.UsageError("--until is for a recording without --scenario, which ends with the scenario.")
    wanted = Application.of_words(application, port or 0)
    taking = Taking(
        wanted,
        rights.choose_mode(mode),
        folder_of(wanted, output),
        None if scenario is None else load(scenario),
        Until(until),
        port,
        keep_secrets,
    )
    # While the application starts, there is time for it.
    threading.Thread(
        target=import_module, args=("utils.subject.session",), name="imports", daemon=True
    ).start()
    _tell(_facts(taking.take()), taking.folder, for_program)
    taking.complain()


def _facts(made: Any) -> dict[str, Any]:
    from utils.run import Run

    run = Run(made)
    meta = made.meta
    return {
        "mode": meta.mode,
        "port": meta.port,
        "other_ports": meta.extra.get("other ports", []),
        "secrets": meta.extra["secrets"],
        "packets": len(made.segments),
        "messages": len(run.messages),
        "calls": {trace.process: len(trace.calls) for trace in made.traces},
        "facts_lost": sum(trace.lost for trace in made.traces),
        "packets_dropped": meta.packets_dropped,
        "bytes_lost": meta.bytes_lost,
        "journeys": list(run.journeys),
    }


def _tell(found: dict[str, Any], folder: Path, for_program: bool) -> None:
    """The result on standard output; what it holds and lacks, beside it."""
    if for_program:
        as_json({"recording": str(folder), **found})
        return
    calls = ", ".join(f"{count:,} calls of the {process}" for process, count in found["calls"].items())
    note(f"{found['packets']:,} packets, {found['messages']:,} messages, {calls or 'no calls'}.")
    if "server" not in found["calls"]:
        note("The application was ended before it could leave its trace: there are packets alone.")
    for what, count in (
        ("facts of the trace gave way to later ones", found["facts_lost"]),
        ("packets were dropped by the kernel", found["packets_dropped"]),
        ("bytes are missing from the capture", found["bytes_lost"]),
    ):
        if count:
            note(f"{count:,} {what}.")
    if found["other_ports"]:
        others = ", ".join(map(str, found["other_ports"]))
        note(f"It also listens on {others}: --port records another one.")
    click.echo(str(folder))
