"""Several gevent processes on one Redis and one PostgreSQL, behind nginx; all of it real."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from bidders import DEADLINE, RawClient, ask, bid, connect, hear
from processes import READY

from tests.waiting import eventually

pytestmark = pytest.mark.network

TOKEN = "a-token-for-this-test"
CLOSE_FRAME = bytes([0x88, 0x82, 0, 0, 0, 0]) + (1000).to_bytes(2, "big")
PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has gevent and redis beside everything of this one.

    They are kept out of this one: python-socketio takes gevent when it finds it, and every
    application that does not name its mode would be another one.
    """
    folder = tmp_path_factory.mktemp("production")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    ours = [sysconfig.get_path("purelib"), str(PROJECT)]
    lines = [f"import site; site.addsitedir({each!r})\n" for each in ours]
    Path(site, "ours.pth").write_text("".join(lines))
    install = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet"]
    constraints = ["--constraint", str(PROJECT / "constraints.txt")]
    subprocess.run([*install, *constraints, "gevent", "redis"], check=True, timeout=300)
    return interpreter


def needed(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        message = f"{program} is not installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Cluster:
    """Redis, a database, and processes of the auction."""

    def __init__(self, python: Path, folder: Path, database: str, stack: ExitStack) -> None:
        self.python, self.folder, self.stack = python, folder, stack
        port = free_port()
        self._run("redis", [needed("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""])
        eventually(lambda: accepts(port), "Redis")
        self.environment = {
            **os.environ,
            "LAB_SERVER_DATABASE": database,
            "LAB_SERVER_MESSAGE_QUEUE": f"redis://127.0.0.1:{port}/0",
            "LAB_SERVER_SECRET_KEY": "a-key-for-this-test",
            "LAB_SERVER_AUCTIONEER_TOKEN": TOKEN,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def _run(self, name: str, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **options)

        def end() -> None:
            process.kill()
            process.wait()

        self.stack.callback(end)
        return process

    def add(self, *options: str) -> str:
        """Start another process; its URL."""
        name = f"auction-{len(self.processes)}"
        command = [str(self.python), "-m", "lab_server.production", *options]
        self.processes.append(self._run(name, command, env=self.environment))
        process, log = self.processes[-1], self.folder / f"{name}.log"
        ready = eventually(lambda: READY.search(log.read_text()) or process.poll() is not None, "ready")
        assert isinstance(ready, re.Match), log.read_text()
        return str(ready[3])

    def add_nginx(self, urls: list[str]) -> str:
        """Start nginx with the project's own configuration, in front of these; its URL."""
        port = free_port()
        text = (PROJECT / "lab_server" / "deploy" / "nginx.conf").read_text().replace("8000", str(port))
        for number, url in enumerate(urls, 8001):
            text = text.replace(f"127.0.0.1:{number}", url.removeprefix("http://"))
        (self.folder / "auction.conf").write_text(text)
        temporary = "".join(
            f"{each}_temp_path {self.folder}/{each};"
            for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/nginx.pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {temporary} include {self.folder}/auction.conf; }}\n"
        )
        self._run("nginx", [needed("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
        eventually(lambda: accepts(port), "nginx")
        return f"http://127.0.0.1:{port}"

    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("auction-*.log")))


@pytest.fixture
def cluster(python: Path, postgresql: str, tmp_path: Path) -> Iterator[Cluster]:
    name = f"cluster_{time.time_ns()}"
    with psycopg.connect(f"host={postgresql} user=auction dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    with ExitStack() as stack:
        yield Cluster(python, tmp_path, f"postgresql://auction@/{name}?host={postgresql}", stack)


@pytest.fixture
def meet() -> Iterator[Callable[..., Any]]:
    clients = []

    def one(url: str, **options: Any) -> Any:
        clients.append(connect(url, **options))
        return clients[-1]

    yield one
    for client in clients:
        client.disconnect()


def test_what_happens_in_one_process_is_told_in_the_other(cluster: Cluster, meet: Callable[..., Any]) -> None:
    first, second = cluster.add(), cluster.add()
    ada, grace = meet(first), meet(second)
    ask(ada, "join", {"lot": 1})
    ask(grace, "join", {"lot": 1})
    answer = ask(ada, "bid", bid(1, "Ada", 12_000))
    for each in (ada, grace):
        assert hear(each, "bids placed") == {"lot": 1, "bids": [answer["bid"]]}
    assert ask(grace, "bid", bid(1, "Grace", 12_000))["error"]["code"] == "too_low"

    auctioneer = meet(second, namespace="/auctioneer", auth={"token": TOKEN})
    picture = b"\xff\xd8\xff" + bytes(range(256)) * 500
    assert ask(auctioneer, "picture", {"lot": 1, "content": picture})["ok"]
    for each in (ada, grace):
        assert hear(each, "picture")["content"] == picture

    # Both clocks watch the lot: it is counted down to each client once, and closed once.  (The
    # clock of the process that was not told looks every two seconds.)
    ask(auctioneer, "close", {"lot": 1, "in_seconds": 4})
    for each in (ada, grace):
        counted = [hear(each, "countdown")["seconds"]]
        while counted[-1] > 1:
            counted.append(hear(each, "countdown")["seconds"])
        assert counted in ([4, 3, 2, 1], [3, 2, 1], [2, 1])
        assert hear(each, "lot closed")["lot"]["highest"]["bidder"] == "Ada"
        ask(each, "lots")
        assert [event for event, *_ in each.input_buffer if event == "lot closed"] == []
    assert "Traceback" not in cluster.logs()


def test_when_a_process_is_killed_its_clients_go_on_with_another(
    cluster: Cluster, meet: Callable[..., Any]
) -> None:
    url = cluster.add_nginx([cluster.add("--behind-proxy"), cluster.add("--behind-proxy")])
    ada = meet(url)
    assert ada.transport == "websocket"
    placed = ask(ada, "bid", bid(1, "Ada", 12_000))["bid"]
    before = requests.get(f"{url}/healthz", timeout=DEADLINE).json()["instance"]
    (served_by,) = [
        each for number, each in enumerate(cluster.processes)
        if before in (cluster.folder / f"auction-{number}.log").read_text()
    ]  # fmt: skip
    served_by.kill()
    eventually(lambda: not ada.connected, "the loss of the connection")
    again = meet(url)
    assert requests.get(f"{url}/healthz", timeout=DEADLINE).json()["instance"] != before
    assert ask(again, "join", {"lot": 1})["bids"] == [placed]
    polling = meet(url, transports=["polling"])
    assert ask(polling, "bid", bid(1, "Grace", 12_500))["ok"]


def test_a_stopped_process_tells_its_clients(cluster: Cluster) -> None:
    raw = RawClient(cluster.add())
    cluster.processes[0].terminate()
    assert raw.receive() == "1"
    assert raw.closing_code() == 1000
    assert cluster.processes[0].wait(DEADLINE) == 0
    assert "Traceback" not in cluster.logs()


def test_the_cures_hold_here_too(cluster: Cluster) -> None:
    url = cluster.add()
    raw = RawClient(url)
    raw.sock.sendall(CLOSE_FRAME + b"not http\r\n\r\n")
    left = b"".join(iter(lambda: raw.sock.recv(4096), b""))
    assert b"HTTP" not in left
    raw.close()
    for packet in ("x", "42[[1]]", "451000-[]", '42["connect"]', "4" * 600_000):
        raw = RawClient(url)
        raw.join_namespace()
        raw.send(packet)
        assert raw.closing_code() in (1000, 1002, 1009)
    assert "Traceback" not in cluster.logs()


def test_a_large_message_to_a_slow_reader_arrives_whole(cluster: Cluster, meet: Callable[..., Any]) -> None:
    """Under gevent a send may take a part only, and simple-websocket does not look."""
    url = cluster.add()
    slow = RawClient(url)
    slow.join_namespace()
    slow.send('421["join",{"lot":1}]')
    content = b"\xff\xd8\xff" + bytes(250_000)
    auctioneer = meet(url, namespace="/auctioneer", auth={"token": TOKEN})
    for _ in range(40):  # far more than the system's buffers take
        assert ask(auctioneer, "picture", {"lot": 1, "content": content})["ok"]
    sizes = []
    while sizes.count(len(content)) < 40:
        packet = slow.receive()
        if isinstance(packet, bytes):
            sizes.append(len(packet))
    assert set(sizes) == {len(content), min(sizes)}
    slow.close()


def test_without_its_secrets_it_does_not_start(python: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAB_SERVER_")}
    command = [str(python), "-m", "lab_server.production"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "LAB_SERVER_DATABASE" in done.stderr
