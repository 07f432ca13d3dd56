"""The programs that a cluster is made of: found, started, and waited for.

The rule kept here: what is not installed is said once, with the remedy, before
anything is started; and everything listens on the loopback only.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from utils.errors import EnvironmentLack
from utils.processes.child import Child

#: Where distributions keep the programs of system services and of PostgreSQL.
_MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
_POSTGRESQL = Path("/usr/lib/postgresql")

#: Program → the package of Debian that brings it.
PACKAGES = {
    "redis-server": "redis-server",
    "nginx": "nginx",
    "initdb": "postgresql",
    "pg_isready": "postgresql",
    "postgres": "postgresql",
}


def find(program: str) -> Path:
    """Where ``program`` is.  Raises EnvironmentLack if it is not installed."""
    versions = sorted(_POSTGRESQL.glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    folders = [os.environ.get("PATH", ""), *_MORE_FOLDERS, *map(str, versions)]
    found = shutil.which(program, path=os.pathsep.join(folders))
    if found is None:
        package = PACKAGES.get(program, program)
        raise EnvironmentLack(
            f"{program} is not installed",
            why="several processes of an application need it to work together",
            next_step=f"install it (on Debian: apt install {package}), or look at the recordings: "
            "they need none of it (SOCKETIO_LAB_MODE=replay)",
        )
    return Path(found)


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def free_port() -> int:
    """A port of the loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keep(
    name: str,
    command: list[str],
    folder: Path,
    *,
    port: int | None = None,
    unix_socket: Path | None = None,
    user: str | None = None,
    env: dict[str, str] | None = None,
) -> Child:
    """Run ``command`` until we end, in ``folder``; its output goes into NAME.log there.

    It is ready when ``port`` or ``unix_socket`` answers: see
    :meth:`~utils.processes.child.Child.wait_until_ready`.
    """
    options = [] if port is None else ["--port", str(port)]
    options += [] if unix_socket is None else ["--socket", str(unix_socket)]
    options += [] if user is None else ["--user", user]
    return Child.launch(
        "utils.cluster.keeper",
        [*options, "--", *command],
        name=name,
        log=folder / f"{name.replace(' ', '-')}.log",
        folder=folder,
        env={**os.environ, **(env or {}), "PYTHONPATH": _project()},
    )


def _project() -> str:
    """Where the keeper finds itself, whatever folder it runs in."""
    return os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
