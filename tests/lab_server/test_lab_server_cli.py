"""The process: how it starts, what it says, how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests
from bidders import DEADLINE, RawClient, ask, bid, connect
from click.testing import CliRunner
from processes import READY, Process

from lab_server.cli import main
from lab_server.lessons import SHOWS, Lesson
from tests.waiting import eventually


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def test_help_names_every_lesson() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for lesson in Lesson:
        assert lesson in result.output
        assert SHOWS[lesson] in result.output


def test_no_secret_is_an_option() -> None:
    assert not {option.name for option in main.params} & {"secret_key", "auctioneer_token"}


def test_when_it_says_so_it_listens(start: Callable[..., Process]) -> None:
    server = start()
    assert server.pid == server.process.pid
    health = requests.get(server.url + "/healthz", timeout=DEADLINE).json()
    assert health["status"] == "ok"
    assert health["instance"] == server.instance


def test_the_heartbeat_may_be_faster(start: Callable[..., Process]) -> None:
    opened = requests.get(
        start("--ping-interval", "3").url + "/socket.io/?EIO=4&transport=polling", timeout=DEADLINE
    )
    assert '"pingInterval":3000' in opened.text


def test_it_listens_on_this_machine_only(start: Callable[..., Process]) -> None:
    addresses = [
        each.laddr.ip
        for each in psutil.Process(start().pid).net_connections("tcp")
        if each.status == "LISTEN"
    ]
    assert addresses == ["127.0.0.1"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_within_a_second(start: Callable[..., Process], number: signal.Signals) -> None:
    server = start()
    clients = [connect(server.url) for _ in range(5)]
    raw = RawClient(server.url)
    polling = connect(server.url, transports=["polling"])
    asked = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(DEADLINE) == 0
    print(f"stopped after {time.monotonic() - asked:.2f} s")
    assert raw.receive() == "1"
    assert server.lines()[-1]["message"] == "stopped"
    assert "Traceback" not in server.log.read_text()
    assert port_is_free(server.port)
    for client in (*clients, polling):
        client.disconnect()
    raw.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_it_can_be_interrupted_although_its_shell_ignored_interrupts(start: Callable[..., Process]) -> None:
    server = start(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(DEADLINE) == 0


def test_it_stops_when_the_pipe_from_its_parent_ends(start: Callable[..., Process]) -> None:
    server = start("--stop-with-parent", stdin=subprocess.PIPE)
    assert server.process.stdin
    server.process.stdin.close()
    assert server.process.wait(DEADLINE) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a parent's id never changes there")
def test_it_stops_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [
        sys.executable,
        "-m",
        "lab_server",
        "--stop-with-parent",
        "--database",
        f"sqlite:///{tmp_path}/a.sqlite3",
    ]
    program = (
        f"import subprocess, time; log = open({str(log)!r}, 'w');"
        f"subprocess.Popen({command!r}, stdin=subprocess.DEVNULL, stdout=log, stderr=log); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    ready = eventually(lambda: log.exists() and READY.search(log.read_text()), "ready")
    parent.kill()
    parent.wait()
    eventually(
        lambda: not psutil.pid_exists(int(ready[1])) or "stopped" in log.read_text(), "the server's end"
    )
    eventually(lambda: port_is_free(int(ready[3].rpartition(":")[2])), "the port's release")


def test_without_the_option_it_outlives_a_closed_pipe(start: Callable[..., Process]) -> None:
    server = start(stdin=subprocess.PIPE)
    assert server.process.stdin
    server.process.stdin.close()
    assert requests.get(server.url + "/healthz", timeout=DEADLINE).ok


def test_secrets_come_from_the_environment_and_go_to_no_log(start: Callable[..., Process]) -> None:
    secrets = {"LAB_SERVER_SECRET_KEY": "a-planted-key", "LAB_SERVER_AUCTIONEER_TOKEN": "a-planted-token"}
    server = start("--log-level", "debug", env={**os.environ, **secrets})
    auctioneer = connect(server.url, namespace="/auctioneer", auth={"token": "a-planted-token"})
    assert ask(auctioneer, "close", {"lot": 1, "in_seconds": 60})["ok"]
    auctioneer.disconnect()
    for secret in secrets.values():
        assert secret not in server.log.read_text()


def test_the_log_has_one_object_a_line_and_no_session_ids(start: Callable[..., Process]) -> None:
    server = start("--log-level", "info")
    client = connect(server.url)
    ask(client, "bid", bid(1, "Ada", 12_000))
    sid = client.client.eio.sid
    client.disconnect()
    requests.get(server.url + "/lots?a=secret", timeout=DEADLINE)
    eventually(lambda: any(line.get("path") == "/lots" for line in server.lines()))
    text = server.log.read_text()
    assert sid not in text
    assert "secret" not in text
    plain = [line for line in text.splitlines() if not line.startswith("{")]
    assert [line.split()[0] for line in plain] == ["The", "Process"]


def test_the_auction_goes_on_after_a_restart(start: Callable[..., Process]) -> None:
    first = start()
    client = connect(first.url)
    placed = ask(client, "bid", bid(1, "Ada", 12_000))["bid"]
    first.process.kill()
    first.process.wait()
    client.disconnect()
    second = start()
    assert second.instance != first.instance
    assert requests.get(second.url + "/lots/1", timeout=DEADLINE).json()["bids"] == [placed]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--database", "sqlite:////no/such/folder/a.sqlite3"], "the database cannot be used"),
        (["--database", "nonsense"], "the database cannot be used"),
        (["--database", "mongodb://x"], "the database cannot be used"),
        (["--host", "0.0.0.0"], "--allowed-host"),
        (["--lesson", "nonsense"], "leftover-frames"),
        (["--port", "99999"], "65535"),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
