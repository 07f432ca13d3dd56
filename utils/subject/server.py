"""The application under study, in a process of its own.

The rule kept here: the application is run from outside and unchanged, as
``coverage run`` does; it listens on 127.0.0.1 only, writes into a log file,
and is gone when the notebook's kernel is gone, however that ended.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from utils.capture.live import LiveCapture
from utils.capture.rights import Mode
from utils.errors import InputError, ProcessError
from utils.libraries import installations
from utils.libraries.installations import Installation
from utils.processes.child import Child
from utils.records import Service
from utils.subject.application import Application

if TYPE_CHECKING:
    from utils.records import Trace

#: The name of the server's process in every recording.
PROCESS = "server"

#: The file of its trace, in its own folder.
TRACE_FILE = f"{PROCESS}.trace.json.gz"

#: Seconds that it may take to write its trace.
_PATIENCE = 600.0


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """A started application.  In replay mode there is none, and ``child`` is None.

    ``capture`` stands by for its packets, in live mode; ``folder`` is one of
    its own, for its log and its trace.
    """

    application: Application
    mode: Mode
    folder: Path | None = None
    child: Child | None = None
    capture: LiveCapture | None = None
    from_start: bool = False
    process: str = PROCESS

    @classmethod
    def start(cls, module: str, arguments: Sequence[str], mode: Mode, *, from_start: bool = False) -> Server:
        """Start ``python -m module arguments``, and wait until it listens.

        ``from_start`` traces it from its first line on: its recordings then
        hold how the application was built and began to serve, too.

        It runs in a fresh folder of its own, so that what it writes (a
        database, say) is new each time and litters nobody's notebooks; modules
        beside the notebook can be started all the same.  Raises ProcessError if
        it never listens.
        """
        application = Application.of_module(module, arguments, _folder_of(module))
        if mode.name == "replay":
            return cls(application, mode, from_start=from_start)
        folder = Path(tempfile.mkdtemp(prefix="socketio-lab-"))
        paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
        env = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        server = cls._launch(application, mode, folder, [], env, from_start, where=folder)
        server.wait_until_ready()
        return server

    @classmethod
    def one_of_several(
        cls, module: str, arguments: Sequence[str], mode: Mode, process: str, environment: Mapping[str, str]
    ) -> Server:
        """The same as one of several, which has a name of its own, ``process``, and more in its environment.

        It is not waited for, and has no capture of its own.
        """
        application = Application.of_module(module, arguments, _folder_of(module))
        folder = Path(tempfile.mkdtemp(prefix="socketio-lab-"))
        paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
        env = {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        return cls._launch(application, mode, folder, [], env, False, where=folder, process=process)

    @classmethod
    def watch(cls, application: Application, mode: Mode, *, port: int | None = None) -> Server:
        """Start ``application`` where its user stands, and return when it is about to listen.

        It is traced from its first line on, says what it says to the user, and
        waits for :meth:`go`.  It may take as long as it likes to come so far.
        Raises ProcessError if it ends before.
        """
        folder = Path(tempfile.mkdtemp(prefix="socketio-lab-"))
        options = ["--hold", "--terminal", "--trace-file", str(folder / TRACE_FILE)]
        if port is not None:
            options += ["--port", str(port)]
        # What it says is read as it is said, and not in pieces of 8 kB.
        env = {"PYTHONUNBUFFERED": "1"}
        server = cls._launch(application, mode, folder, options, env, True, where=None)
        server.wait_until_ready(threading.TIMEOUT_MAX)
        return server

    @classmethod
    def _launch(
        cls,
        application: Application,
        mode: Mode,
        folder: Path,
        options: Sequence[str],
        env: Mapping[str, str],
        from_start: bool,
        *,
        where: Path | None,
        process: str = PROCESS,
    ) -> Server:
        # Ready to record, but not yet, unless it is asked for: to trace the imports takes time.
        options = [*options, "--process", process, "--start" if from_start else "--trace"]
        if mode.name == "tap":
            options.append("--tap")
        if application.root is not None:
            options += ["--root", str(application.root)]
        child = Child.launch(
            "utils.tracing.launcher",
            [*options, *application.words],
            name=application.name,
            log=folder / "server.log",
            folder=where,
            env=os.environ | dict(env),
            python=application.python,
            loud=where is None,
        )
        # Several are captured together.
        capture = LiveCapture() if mode.name == "live" and process == PROCESS else None
        return cls(application, mode, folder, child, capture, from_start, process)

    def wait_until_ready(self, deadline: float = 30.0) -> None:
        """Wait until it listens, for so many seconds at most.  Raises ProcessError if it does not."""
        assert self.child is not None
        try:
            if self.capture is not None:  # it gets ready meanwhile
                self.capture.stand_by()
            self.child.wait_until_ready(deadline)
        except BaseException:
            self.stop()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can be used: it runs, or its recording stands in for it."""
        return self.child is None or self.child.alive

    @property
    def port(self) -> int:
        """The port that it listens on; 0 in replay mode."""
        return int(self.child.info["port"]) if self.child else 0

    @property
    def installation(self) -> Installation:
        """What the Python has installed that it runs in."""
        if self.child is None:
            return installations.here()
        return Installation.told(self.child.info["installation"])

    @property
    def url(self) -> str:
        """Where it is reached: always by the literal address, never by a name."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes that serve: itself."""
        return (self,)

    @property
    def services(self) -> Mapping[int, Service]:
        """What listens, by its port."""
        return {self.port: Service(self.process)}

    def address(self, name: str | None = None) -> str:
        """The URL of what goes by ``name``.  Raises InputError if that is another."""
        if name not in (None, self.process):
            raise InputError(f"there is no {name!r}", why=f"one server was started, {self.process!r}")
        return self.url

    @property
    def log(self) -> Path | None:
        """The file that holds its output; None in replay mode."""
        return self.child.log if self.child else None

    def serves(self, module: str, arguments: Sequence[str], mode: Mode, *, from_start: bool = False) -> bool:
        """Whether it is the very server that these words would start."""
        wanted = Application.of_module(module, arguments).words, mode.name, from_start
        return self.alive and wanted == (self.application.words, self.mode.name, self.from_start)

    def stop(self) -> None:
        """Stop it; a second time, nothing happens."""
        if self.child is not None:
            self.child.stop()
        if self.capture is not None:
            self.capture.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ── its tracer ───────────────────────────────────────────────────────────

    def trace_start(self) -> None:
        """Trace from here on; what was traced before is forgotten, unless it goes from the start."""
        if self.child is not None:
            if not self.from_start:
                self.child.request("trace_clear")
            self.child.request("trace_start")

    def trace_peers(self) -> list[int]:
        """The ports of the clients whose connections it still serves."""
        if self.child is None or not self.child.alive:
            return []
        return list(self.child.request("trace_peers")["ports"])

    def trace_stop(self) -> None:
        """Trace no longer; what was traced is kept."""
        if self.child is not None and self.child.alive:
            self.child.request("trace_stop")

    def trace(self) -> Trace | None:
        """What was traced; None if the application ended, and could not leave its trace."""
        from utils.tracing import store

        if self.child is None or self.folder is None:
            raise ValueError("a replayed server traces nothing")
        path = self.folder / TRACE_FILE
        try:
            # Millions of calls take their time.
            self.child.request("trace_save", path=str(path), deadline=_PATIENCE)
        except ProcessError:
            # It has ended, or just does: then it leaves its trace by itself, if it was asked to.
            if self.child.wait(_PATIENCE) is None:
                raise
        return store.load(path) if path.exists() else None

    # ── an application that waits for its watcher ────────────────────────────

    def go(self) -> None:
        """Let it listen, if it waits for that."""
        if self.child is not None:
            self.child.request("go")

    def ports(self) -> list[int]:
        """All TCP ports that it listens on; none if it has ended."""
        if self.child is None or not self.child.alive:
            return []
        return list(self.child.request("ports")["ports"])

    # ── its tap ──────────────────────────────────────────────────────────────

    def tap_listen(self) -> None:
        """Hear all bytes that pass its sockets from here on."""
        if self.child is not None:
            self.child.request("tap_listen")

    def tap_heard(self, path: Path) -> tuple[Trace, int]:
        """What passed since the last time, by way of the file ``path``; how often it found no room."""
        from utils.tracing import store

        if self.child is None:
            raise ValueError("a replayed server hears nothing")
        answer = self.child.request("tap_heard", path=str(path))
        return store.load(path), int(answer["dropped"])

    def tap_end(self) -> None:
        """Hear no more."""
        if self.child is not None and self.child.alive:
            self.child.request("tap_end")

    def __repr__(self) -> str:
        """What runs, how its packets are seen and why so, and where it listens."""
        if not self.alive:
            return f"{self.application.name}: ended; its log is {self.log}"
        where = "no server runs" if self.child is None else self.url
        return f"{self.application.name}, mode {self.mode.name}: {self.mode.why} ({where})"


def _folder_of(module: str) -> Path | None:
    """The folder that holds ``module``, whose functions are traced beside the stack's."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
