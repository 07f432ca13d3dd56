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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from utils.capture.live import LiveCapture
from utils.capture.rights import Mode
from utils.supervision import Child

if TYPE_CHECKING:
    from utils.records import Trace

#: The name of the server's process in every recording.
PROCESS = "server"


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """A started application.  In replay mode there is none, and ``child`` is None.

    ``capture`` stands by for its packets, in live mode.
    """

    module: str
    arguments: tuple[str, ...]
    mode: Mode
    folder: Path | None = None
    child: Child | None = None
    capture: LiveCapture | None = None
    from_start: bool = False

    @classmethod
    def start(cls, module: str, arguments: Sequence[str], mode: Mode, *, from_start: bool = False) -> Server:
        """Start it, and wait until it listens.  Raises ProcessError if it never does.

        ``from_start`` traces it from its first line on: its recordings then
        hold how the application was built and began to serve, too.

        It runs in a fresh folder of its own, so that what it writes (a
        database, say) is new each time and litters nobody's notebooks; modules
        beside the notebook can be started all the same.
        """
        if mode.name == "replay":
            return cls(module, tuple(arguments), mode, from_start=from_start)
        folder = Path(tempfile.mkdtemp(prefix="socketio-lab-"))
        # Ready to record, but not yet, unless it is asked for: to trace the imports takes time.
        options = ["--process", PROCESS, "--start" if from_start else "--trace"]
        if mode.name == "tap":
            options.append("--tap")
        if (root := _folder_of(module)) is not None:
            options += ["--root", root]
        paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
        capture = LiveCapture() if mode.name == "live" else None
        try:
            child = Child.launch(
                "utils.tracing.launcher",
                [*options, "-m", module, *arguments],
                name=module,
                log=folder / "server.log",
                folder=folder,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )
            if capture is not None:  # it gets ready meanwhile
                capture.stand_by()
            child.wait_until_ready()
        except BaseException:
            if capture is not None:
                capture.close()
            raise
        return cls(module, tuple(arguments), mode, folder, child, capture, from_start)

    @property
    def alive(self) -> bool:
        """Whether it can be used: it runs, or its recording stands in for it."""
        return self.child is None or self.child.alive

    @property
    def port(self) -> int:
        """The port that it listens on; 0 in replay mode."""
        return int(self.child.info["port"]) if self.child else 0

    @property
    def url(self) -> str:
        """Where it is reached: always by the literal address, never by a name."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path | None:
        """The file that holds its output; None in replay mode."""
        return self.child.log if self.child else None

    def serves(self, module: str, arguments: Sequence[str], mode: Mode, *, from_start: bool = False) -> bool:
        """Whether it is the very server that these words would start."""
        wanted = (module, tuple(arguments), mode.name, from_start)
        return self.alive and wanted == (self.module, self.arguments, self.mode.name, self.from_start)

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
        return [] if self.child is None else list(self.child.request("trace_peers")["ports"])

    def trace_stop(self) -> None:
        """Trace no longer; what was traced is kept."""
        if self.child is not None:
            self.child.request("trace_stop")

    def trace(self) -> Trace:
        """What was traced."""
        from utils.tracing import store

        if self.child is None or self.folder is None:
            raise ValueError("a replayed server traces nothing")
        path = self.folder / "server.trace.json.gz"
        self.child.request("trace_save", path=str(path))
        return store.load(path)

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
            return f"{self.module}: ended; its log is {self.log}"
        where = "no server runs" if self.child is None else self.url
        return f"{self.module}, mode {self.mode.name}: {self.mode.why} ({where})"


def _folder_of(module: str) -> str | None:
    """The folder that holds ``module``, whose functions are traced beside the stack's."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    return None if spec is None or spec.origin is None else str(Path(spec.origin).parent)
