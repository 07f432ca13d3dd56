"""Several processes of one application, started and stopped as one.

The rule kept here: an application finds its parts in its environment, by names
that begin with its own (``LAB_SERVER_MESSAGE_QUEUE``), as Flask's and click's
prefixed variables do; nothing else is asked of it.  The processes are called
"server 1", "server 2" and so on, in recordings, views and logs alike.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from utils.capture.live import LiveCapture
from utils.capture.rights import Mode
from utils.cluster import databases, programs, proxy, queue
from utils.cluster.databases import Database
from utils.cluster.proxy import Proxy, Sticky
from utils.cluster.queue import Queue
from utils.errors import InputError
from utils.records import Service
from utils.subject.application import Application
from utils.subject.server import Server

#: What Flask-SocketIO calls its channel, unless it is told otherwise.
CHANNEL = "flask-socketio"

DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started.  ``traced`` servers can be recorded; others run as they are."""

    module: str
    arguments: tuple[str, ...] = ()
    servers: int = 2
    sticky: str = Sticky.COOKIE
    database: str = "sqlite"
    traced: bool = True
    open_queue: bool = False  # for everybody on this machine, to see what that means
    python: str = sys.executable  # of servers that are not traced

    def __post_init__(self) -> None:
        if self.servers < 1:
            raise InputError("a cluster needs a server", next_step="ask for one at least")
        if self.sticky not in list(Sticky):
            raise InputError(
                f"{self.sticky!r} leads nobody back to the same server",
                next_step=f"choose one of {', '.join(Sticky)}",
            )
        if self.database not in DATABASES:
            raise InputError(
                f"there is no database {self.database!r}", next_step=f"choose one of {', '.join(DATABASES)}"
            )

    @property
    def prefix(self) -> str:
        """How the variables of the application's environment begin."""
        return self.module.partition(".")[0].upper()


@dataclass(slots=True, repr=False)
class Cluster:
    """A running cluster.  In replay mode there is none, and ``folder`` is None."""

    plan: Plan
    mode: Mode
    folder: Path | None = None
    capture: LiveCapture | None = None
    queue: Queue | None = None
    database: Database | None = None
    proxy: Proxy | None = None
    _servers: dict[str, Server] = field(default_factory=dict)
    _environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, plan: Plan, mode: Mode) -> Cluster:
        """Start everything, and wait until it can be used.

        Raises EnvironmentLack if a program is not installed, ProcessError if
        one does not come up; nothing is left running then.
        """
        if mode.name == "replay":
            return cls(plan, mode)
        for program in ("redis-server", "nginx"):
            programs.find(program)
        # Short: the path of a Unix socket has 107 bytes at most.
        cluster = cls(plan, mode, Path(tempfile.mkdtemp(prefix="lab-")))
        try:
            cluster._start()
        except BaseException:
            cluster.stop(keep_logs=True)
            raise
        return cluster

    def _start(self) -> None:
        plan, folder = self.plan, self.folder
        assert folder is not None
        if self.mode.name == "live" and plan.traced:
            self.capture = LiveCapture()
            self.capture.stand_by()
        self.queue = Queue.launch(folder, CHANNEL, open_to_all=plan.open_queue)
        self.database = (
            databases.sqlite(folder) if plan.database == "sqlite" else databases.postgresql(folder)
        )
        self.queue.wait_until_ready()
        self.database.wait_until_ready()
        given = {
            "DATABASE": self.database.url,
            "MESSAGE_QUEUE": self.queue.url,
            "SECRET_KEY": secrets.token_hex(32),
            "AUCTIONEER_TOKEN": secrets.token_urlsafe(16),
            "BEHIND_PROXY": "1",
        }
        self._environment = {f"{plan.prefix}_{name}": value for name, value in given.items()}
        names = [f"server {number}" for number in range(1, plan.servers + 1)]
        ports = {name: programs.free_port() for name in names}
        for name in names:
            self._servers[name] = self._launch(name, ports[name])
        for server in self._servers.values():
            server.wait_until_ready()
        self.proxy = Proxy.launch(folder, ports, Sticky(plan.sticky))
        self.proxy.wait_until_ready()

    def _launch(self, name: str, port: int) -> Server:
        plan, folder = self.plan, self.folder
        assert folder is not None
        env = {**self._environment, f"{plan.prefix}_PORT": str(port)}
        if plan.traced:
            return Server.one_of_several(plan.module, plan.arguments, self.mode, name, env)
        command = [plan.python, "-m", plan.module, *plan.arguments]
        child = programs.keep(name, command, folder, port=port, env=env)
        return Server(self.application, self.mode, None, child, process=name)

    # ── what a session asks ──────────────────────────────────────────────────

    @property
    def application(self) -> Application:
        """What each server runs."""
        return Application.of_module(self.plan.module, self.plan.arguments)

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes of the application."""
        return tuple(self._servers.values())

    @property
    def port(self) -> int:
        """The port of the first server; 0 in replay mode."""
        return self.servers[0].port if self._servers else 0

    @property
    def services(self) -> Mapping[int, Service]:
        """What listens, by its port."""
        found = {server.port: Service(name) for name, server in self._servers.items()}
        if self.queue is not None:
            found[self.queue.port] = Service(queue.NAME, "redis", traced=False)
        if self.proxy is not None:
            found[self.proxy.port] = Service(proxy.NAME, traced=False)
        return found

    def address(self, name: str | None = None) -> str:
        """The URL of a server, or of nginx, which stands before all of them."""
        if name in (None, proxy.NAME):
            return f"http://127.0.0.1:{self.proxy.port if self.proxy else 0}"
        return self.server(str(name)).url

    @property
    def url(self) -> str:
        """Where clients come to."""
        return self.address()

    # ── its servers, one by one ──────────────────────────────────────────────

    def server(self, name: str) -> Server:
        """The server of that name.  Raises InputError if there is none."""
        if name not in self._servers:
            raise InputError(
                f"there is no {name!r} in this cluster",
                why=f"it has {', '.join(self._servers) or 'none that runs'}",
            )
        return self._servers[name]

    def serving(self, address: str) -> str:
        """The server at that address, which nginx tells in its cookie.  Raises InputError if none is."""
        for name, server in self._servers.items():
            if address == f"127.0.0.1:{server.port}":
                return name
        raise InputError(f"no server of this cluster is at {address}")

    def kill(self, name: str) -> None:
        """End a server as a power cut would: by SIGKILL, without a word to anybody."""
        server = self.server(name)
        assert server.child is not None
        with suppress(ProcessLookupError):
            os.kill(int(server.child.info["pid"]), signal.SIGKILL)
        server.stop()

    def revive(self, name: str) -> None:
        """Start a killed server again, at its old port.  Raises ProcessError if it does not come up."""
        port = self.server(name).port
        self.server(name).stop()
        self._servers[name] = self._launch(name, port)
        self._servers[name].wait_until_ready()

    @property
    def alive(self) -> bool:
        """Whether it can be used: a server runs, and all that it needs; or a recording stands in for it."""
        parts = [part.child for part in (self.queue, self.proxy, self.database) if part is not None]
        running = all(child is None or child.alive for child in parts)
        return running and (not self._servers or any(server.alive for server in self.servers))

    def serves(self, plan: Plan, mode: Mode) -> bool:
        """Whether it is the very cluster that these words would start, and whole."""
        whole = self.alive and all(server.alive for server in self.servers)
        return whole and (plan, mode.name) == (self.plan, self.mode.name)

    @property
    def log(self) -> Path | None:
        """Where the logs are: the first server's; None in replay mode."""
        return self.servers[0].log if self._servers else None

    def stop(self, *, keep_logs: bool = False) -> None:
        """Stop everything; a second time, nothing happens."""
        for part in (self.proxy, *self._servers.values(), self.queue, self.database, self.capture):
            if isinstance(part, LiveCapture):
                part.close()
            elif part is not None:
                part.stop()
        if self.folder is not None and not keep_logs:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __repr__(self) -> str:
        """What runs, where, and how its packets are seen."""
        plan = self.plan
        what = f"{plan.module} × {plan.servers}, mode {self.mode.name}: {self.mode.why}"
        if self.folder is None:
            return f"{what} (nothing runs)"
        listening = ", ".join(f"{one.name} {port}" for port, one in self.services.items())
        return f"{what} ({self.url}; {listening})"
