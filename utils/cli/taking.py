"""One recording in the making: an application that is run, watched, and written down.

The rule kept here: however it ends (Ctrl-C, a signal, the end of the scenario
or of the time, the application's own end), what was recorded is kept, and what
it lacks is said.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from utils.cli.console import note, progress
from utils.cli.recordings import FOLDER
from utils.cli.until import Until
from utils.errors import InputError, ProcessError

if TYPE_CHECKING:
    from utils.capture.rights import Mode
    from utils.records import Recording
    from utils.subject.application import Application
    from utils.subject.server import Server
    from utils.subject.session import Session

#: Signals that end a recording in order, beside Ctrl-C: not every system has each.
_ENDING = ("SIGTERM", "SIGHUP", "SIGBREAK")


@dataclass
class Ending:
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
def _ended_by_signals(ending: Ending) -> Iterator[None]:
    """Ctrl-C and the system's signals to end mean the same."""
    numbers = [getattr(signal, name) for name in ("SIGINT", *_ENDING) if hasattr(signal, name)]
    before = {number: signal.signal(number, ending.signalled) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Taking:
    """What is to be recorded: an application in ``mode``, until the scenario or ``until`` ends it."""

    application: Application
    mode: Mode
    folder: Path
    scenario: Callable[[Session], object] | None = None
    until: Until = field(default_factory=Until)
    port: int | None = None
    keep_secrets: bool = False
    ending: Ending = field(default_factory=Ending)
    error: Exception | None = None
    status: int | None = None  # the application's, if it ended by itself

    def take(self) -> Recording:
        """Run it, record it, and write the folder; what went wrong meanwhile is told by :meth:`complain`.

        Raises ProcessError if it never listens.
        """
        from utils import recording
        from utils.subject.server import Server
        from utils.subject.session import record_live

        name, served = self.application.name, self.application.words[0] == "--serve"
        with _ended_by_signals(self.ending):
            server = Server.watch(self.application, self.mode, port=None if served else self.port)
            try:
                ends = "The scenario" if self.scenario is not None else str(self.until)
                note(f"Recording {server.url} ({self.mode.name}: {self.mode.why}). {ends} ends it.")
                watch_no_longer = self.until.watch(server)
                try:
                    made = record_live(self._play(server), server, name, finish=self._finish)
                finally:
                    watch_no_longer()
                recording.save(made, self.folder)
            finally:
                self.ending.protect()
                server.stop()
        return made

    def _finish(self, made: Recording) -> Recording:
        """With the sources that ran, and without secrets."""
        from dataclasses import replace

        from utils.recording import redacting, sources
        from utils.subject.application import secrets_of

        with progress("Writing the recording"):
            made = replace(made, sources=sources.collect(made))
            if self.keep_secrets:
                return redacting.kept(made)
            return redacting.redacted(made, also=secrets_of(self.application.words))

    def _play(self, server: Server) -> Callable[[Session], None]:
        def go_on(session: Session) -> None:
            """Until the scenario, what was asked for, the user or the application ends it."""
            assert server.child is not None
            try:
                if self.scenario is not None:
                    self.scenario(session)
                elif why := self.until.wait(server.child.wait):
                    note(f"Ended: {why}.")
            except KeyboardInterrupt:
                pass
            except Exception as error:  # what was recorded until then is kept; it is told afterwards
                self.error = error
            self.ending.protect()
            self.status = server.child.wait(0)

        return go_on

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


def folder_of(application: Application, output: Path | None = None) -> Path:
    """Where its recording goes.  Raises InputError if something else is there."""
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
