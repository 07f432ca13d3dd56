"""``socketio-lab record``: any application, unchanged, watched from its first line to the end.

The rule kept here: however it ends (Ctrl-C, a signal, the end of the scenario
or of the time, the application's own end), what was recorded is kept, and what
it lacks is said.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from utils.cli.console import as_json, examples, json_option, note, progress
from utils.cli.recordings import FOLDER
from utils.cli.until import Until, WhenType
from utils.errors import InputError, ProcessError

if TYPE_CHECKING:
    from utils.records import Recording
    from utils.subject.application import Application
    from utils.subject.server import Server
    from utils.subject.session import Session

#: Signals that end a recording in order, beside Ctrl-C: not every system has each.
_ENDING = ("SIGTERM", "SIGHUP", "SIGBREAK")


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
    from utils.subject.server import Server

    if scenario is not None and until:
        raise click.UsageError("--until is for a recording without --scenario, which ends with the scenario.")
    wanted = Application.of_words(application, port or 0)
    played = None if scenario is None else load(scenario)
    chosen = rights.choose_mode(mode)
    folder = _folder(output, wanted)
    # While the application starts, there is time for it.
    threading.Thread(
        target=import_module, args=("utils.subject.session",), name="imports", daemon=True
    ).start()
    with _ended_by_signals() as ending:
        server = Server.watch(wanted, chosen, port=port if wanted.words[0] != "--serve" else None)
        try:
            enough = Until(until)
            note(f"Recording {server.url} ({chosen.name}: {chosen.why}). {enough} ends it.")
            taking = _Taking(server, played, enough, ending, keep_secrets)
            found = taking.take(wanted.name, folder)
        finally:
            ending.protect()
            server.stop()
    _tell(found, folder, for_program)
    taking.complain()


@dataclass
class _Ending:
    """Whether the user has had enough."""

    asked: bool = False
    saving: bool = False

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """Interrupt what is going on; but what is being written is written."""
        if self.saving:
            note("The recording is being written.")
            return
        self.asked = True
        raise KeyboardInterrupt

    def protect(self) -> None:
        """From here on nothing is interrupted."""
        self.saving = True


@contextmanager
def _ended_by_signals() -> Iterator[_Ending]:
    """Ctrl-C and the system's signals to end mean the same."""
    ending = _Ending()
    numbers = [getattr(signal, name) for name in ("SIGINT", *_ENDING) if hasattr(signal, name)]
    before = {number: signal.signal(number, ending.signalled) for number in numbers}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _Taking:
    """One recording in the making."""

    server: Server
    scenario: Callable[[Session], object] | None
    until: Until
    ending: _Ending
    keep_secrets: bool = False
    error: Exception | None = None
    status: int | None = None  # the application's, if it ended by itself

    def take(self, name: str, folder: Path) -> dict[str, Any]:
        """Record, and write the folder; what can be said of it."""
        from utils import recording
        from utils.subject.session import record_live

        watch_no_longer = self.until.watch(self.server)
        try:
            made = record_live(self._go_on, self.server, name, finish=self._finish)
        finally:
            watch_no_longer()
        recording.save(made, folder)
        return _facts(made)

    def _finish(self, made: Recording) -> Recording:
        """With the sources that ran, and without secrets."""
        from dataclasses import replace

        from utils.recording import redacting, sources
        from utils.subject.application import secrets_of

        with progress("Writing the recording"):
            made = replace(made, sources=sources.collect(made.traces))
            if self.keep_secrets:
                return redacting.kept(made)
            return redacting.redacted(made, also=secrets_of(self.server.application.words))

    def _go_on(self, session: Session) -> None:
        """Until the scenario, what was asked for, the user or the application ends it."""
        assert self.server.child is not None
        try:
            if self.scenario is None:
                if why := self.until.wait(self.server.child.wait):
                    note(f"Ended: {why}.")
            else:
                self.scenario(session)
        except KeyboardInterrupt:
            pass
        except Exception as error:  # what was recorded until then is kept; it is told afterwards
            self.error = error
        self.ending.protect()
        self.status = self.server.child.wait(0)

    def complain(self) -> None:
        """Raise what went wrong meanwhile, now that the recording is safe."""
        if self.status:
            raise ProcessError(
                f"the application ended with status {self.status}",
                why="see what it said above",
                next_step="the recording holds what came before",
            )
        if self.error is not None:
            traceback.print_exception(self.error)
            raise ProcessError(
                "the scenario did not come to its end",
                why=f"{type(self.error).__name__}: {self.error}",
                next_step="mend it, or the application; the recording holds what came before",
            ) from self.error


def _folder(output: Path | None, application: Application) -> Path:
    """Where the recording goes.  Raises InputError if something else is there."""
    from utils.recording import replaceable

    if output is not None:
        if not replaceable(output):
            raise InputError(
                f"{output} is no recording, and is left alone",
                next_step="name a folder that is not there yet, or one that holds a recording",
            )
        return output
    number, folder = 1, Path(FOLDER) / application.name
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{application.name}-{number}")
    return folder


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
