"""What the auction's tests stand on: a real PostgreSQL, real servers, real clients."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import socketio
from bidders import DEADLINE, close_what_the_library_left_open, connect
from processes import Process
from werkzeug.serving import BaseWSGIServer

from lab_server import serving
from lab_server.app import Auction, create_auction
from lab_server.settings import Settings


@pytest.fixture(autouse=True)
def no_socket_is_left() -> Iterator[None]:
    """No test's connection is found open, and complained of, in the middle of another test."""
    yield
    close_what_the_library_left_open()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The folder of a private PostgreSQL cluster's socket; the cluster lives as long as the tests."""
    programs = _postgresql_programs()
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # short: a socket's path has 107 bytes
    # PostgreSQL refuses to run as root.
    who: dict[str, Any] = {"user": "postgres"} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            timeout=60,
            **who,
        )

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "auction", "--no-sync", "--locale=C", "-E", "UTF8")
    options = f"-k {folder} -c listen_addresses='' -c max_connections=200"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield str(folder)
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _postgresql_programs() -> Path:
    candidates = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("initdb")
    if found:
        candidates.insert(0, Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    message = "PostgreSQL's initdb and pg_ctl are not installed (Debian: apt install postgresql)"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of its own, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'auction.sqlite3'}"
    folder = request.getfixturevalue("postgresql")
    name = f"auction_{uuid.uuid4().hex}"
    with psycopg.connect(f"host={folder} user=auction dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return f"postgresql://auction@/{name}?host={folder}"


@dataclass(frozen=True)
class Served:
    """An auction that is served from a thread of the tests' own process."""

    auction: Auction
    server: BaseWSGIServer
    thread: threading.Thread

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self.server.port

    def stop(self) -> None:
        """Stop it, as a signal does; a second time, nothing happens."""
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join(DEADLINE)
            serving.take_leave(self.auction, self.server)

    @property
    def connections(self) -> serving.Connections:
        """The TCP connections that are being served."""
        return self.server.RequestHandlerClass.connections  # type: ignore[no-any-return,attr-defined]

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start a server in this process: ``serve(lessons=..., limits=...)``; all end with the test."""
    with ExitStack() as stack:

        def start(**changes: Any) -> Served:
            name = f"{uuid.uuid4().hex}.sqlite3"
            settings = replace(Settings(database=f"sqlite:///{tmp_path / name}"), **changes)
            auction = create_auction(settings)
            server = serving.make(auction, "127.0.0.1", 0)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            auction.clock.start()

            served = Served(auction, server, thread)
            stack.callback(served.stop)
            return served

        yield start


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A server with the settings of a class."""
    return serve()


@pytest.fixture
def join_in(served: Served) -> Iterator[Callable[..., socketio.SimpleClient]]:
    """Connect clients to ``served``: ``join_in(namespace=..., auth=...)``; all leave with the test."""
    clients: list[socketio.SimpleClient] = []

    def connect_one(**options: Any) -> socketio.SimpleClient:
        clients.append(connect(served.url, **options))
        return clients[-1]

    yield connect_one
    for client in clients:
        client.disconnect()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start the auction as a process: ``start("--lesson", "seed")``; all end with the test."""
    started: list[Process] = []

    def one(*arguments: str, **options: Any) -> Process:
        started.append(Process(tmp_path, *arguments, **options))
        return started[-1]

    yield one
    for each in started:
        each.kill()
