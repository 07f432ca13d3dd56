"""The database that the servers share: a file of SQLite's, or a PostgreSQL of their own.

The rule kept here: it is fresh, lives in the cluster's folder, and goes with
it; PostgreSQL listens on a Unix socket in there and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from utils.cluster import programs
from utils.errors import ProcessError
from utils.processes.child import Child

NAME = "PostgreSQL"

#: The user in the database, and, for who is root, the user that runs it: PostgreSQL refuses root.
_OWNER, _RUNNER = "auction", "postgres"

#: How long it may take to let somebody in, and how often that is asked, in seconds.
_PATIENCE, _POLL = 30.0, 0.05


@dataclass(frozen=True, slots=True)
class Database:
    """Where the servers keep what they must not lose."""

    url: str
    child: Child | None = None  # SQLite is no process
    socket: Path | None = None

    def wait_until_ready(self) -> None:
        """Wait until it answers.  Raises ProcessError if it never does."""
        if self.child is None or self.socket is None:
            return
        self.child.wait_until_ready()
        # It lets nobody in before it has looked through its files: ask as its own tools do.
        asking = [str(programs.find("pg_isready")), "-q", "-h", str(self.socket.parent)]
        deadline = time.monotonic() + _PATIENCE
        while subprocess.run(asking, check=False).returncode:
            if time.monotonic() > deadline:
                raise ProcessError("PostgreSQL does not come up", next_step=f"read {self.child.log}")
            time.sleep(_POLL)

    def stop(self) -> None:
        """End it."""
        if self.child is not None:
            self.child.stop()


def sqlite(folder: Path) -> Database:
    """A file in ``folder``."""
    return Database(f"sqlite:///{folder / 'cluster.sqlite3'}")


def postgresql(folder: Path) -> Database:
    """A PostgreSQL in ``folder``, which is not waited for.

    Raises EnvironmentLack if it is not installed, ProcessError if it cannot be set up.
    """
    initdb, postgres = programs.find("initdb"), programs.find("postgres")
    home = folder / "pg"
    home.mkdir()
    user = _RUNNER if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(home, user)
        folder.chmod(0o711)  # it has to come through
    data = home / "data"
    command = [
        *(str(initdb), "-D", str(data), "-A", "trust", "-U", _OWNER),
        *("--no-sync", "--locale=C", "-E", "UTF8"),
    ]
    made = subprocess.run(command, cwd=home, user=user, capture_output=True, text=True, check=False)
    if made.returncode:
        raise ProcessError("PostgreSQL could not be set up", why=made.stderr.strip())
    answer = home / ".s.PGSQL.5432"
    options = [
        "-c",
        "listen_addresses=",
        "-c",
        f"unix_socket_directories={home}",
        "-c",
        "max_connections=300",
    ]
    child = programs.keep(
        NAME, [str(postgres), "-D", str(data), *options], home, unix_socket=answer, user=user
    )
    return Database(f"postgresql://{_OWNER}@/postgres?host={home}", child, answer)
