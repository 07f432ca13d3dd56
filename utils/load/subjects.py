"""The servers that are measured: each a process of its own, unchanged, untraced, and gone with its parent.

The rule kept here: what is measured runs as it would for anybody; the launcher
only tells when it listens.  gevent lives in an environment of its own, because
python-socketio takes it wherever it finds it; it is made once, below build/.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

import psutil

from utils.errors import EnvironmentLack
from utils.load.values import Subject
from utils.processes.child import Child

ROOT = Path(__file__).resolve().parent.parent.parent

#: How long a server may take to listen, in seconds.
PATIENCE = 60.0


class Running:
    """A started server.  Raises EnvironmentLack if it needs what is not here, ProcessError if it fails."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        python = str(gevent_python()) if subject.gevent else sys.executable
        self.folder = Path(tempfile.mkdtemp(prefix="socketio-lab-"))
        paths = [str(Path.cwd()), str(ROOT), os.environ.get("PYTHONPATH", "")]
        given = {name: value or secrets.token_hex(16) for name, value in subject.environment}
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | given
        try:
            self.child = Child.launch(
                "utils.tracing.launcher",
                ["-m", subject.module, *subject.arguments],
                name=subject.module,
                log=self.folder / "server.log",
                folder=self.folder,
                env=environment,
                python=python,
            )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def port(self) -> int:
        """Where it listens; waits until it does."""
        self.child.wait_until_ready(PATIENCE)
        return int(self.child.info["port"])

    def cpu_ns(self) -> int:
        """What its process has taken of processors so far."""
        times = psutil.Process(self.child.pid).cpu_times()
        return int((times.user + times.system) * 1e9)

    def stop(self) -> None:
        """End it; a second time, nothing happens."""
        self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def gevent_python() -> Path:
    """The Python of the environment that has gevent beside everything of this one; made if it is not there.

    Raises EnvironmentLack if it cannot be made: gevent has to be fetched once.
    """
    folder = ROOT / "build" / f"gevent-{sys.implementation.cache_tag}"
    if not folder.exists():
        try:
            _make(folder)
        except (subprocess.SubprocessError, OSError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise EnvironmentLack(
                "gevent cannot be measured here",
                why=f"its environment could not be made: {str(said).strip()[-300:]}",
                next_step="connect to a package index once; everything else is measured without it",
            ) from error
    return _python(folder)


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(folder: Path) -> None:
    """Make it beside, and put it into its place whole: of two who do so at a time, the first one's stays."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as beside:
        made = Path(beside) / folder.name
        _run(sys.executable, "-m", "venv", "--without-pip", str(made))
        site = Path(sysconfig.get_path("purelib", vars={"base": str(made), "platbase": str(made)}))
        ours = sysconfig.get_path("purelib")
        (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n", encoding="utf-8")
        constraints = ("--constraint", str(ROOT / "constraints.txt"))
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(_python(made)))
        _run(*pip, "install", "--quiet", *constraints, "gevent")
        try:
            made.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
