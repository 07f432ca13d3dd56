"""A kernel in its own network namespace sees packets live, obeys an interrupt, and leaves nothing behind.

Where the system refuses a namespace, what is promised instead is held: the
reason in a clause, and a JupyterLab without that kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.test_lab import running
from tests.waiting import eventually
from tools import tasks
from utils.capture import private, rights

LOOK = """
import fcntl, os, socket, struct
from utils.capture import private
from utils.capture.rights import choose_mode
with socket.socket() as s:
    answer = fcntl.ioctl(s, 0x8913, struct.pack("16sh22x", b"lo", 0))
print(choose_mode().name, choose_mode().why == private.INSIDE, private.inside())
print(struct.unpack_from("h", answer, 16)[0] & 1, os.readlink("/proc/self/ns/net"))
print(*(name for _, name in socket.if_nameindex()))
"""

RECORD = """
from utils import lab
lab.start("lab_server", "--port", "0", "--lesson", "seed", mode="live")

def one_bid(session):
    alice, bob = session.connect("alice"), session.connect("bob")
    alice.emit("replace old value", {"lot": 1, "cents": 12500})
    for client in (alice, bob):
        client.receive(timeout=30)

run = lab.record(one_bid)
meta = run.recording.meta
print(meta.mode, meta.bytes_lost, len(run.recording.segments))
print(run.check("replace old value").whole, run.received("replaced values")["bob"])
"""


class Kernel:
    """The private kernel, started as JupyterLab does it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def pid(self) -> int:
        return self.manager.provisioner.process.pid

    def run(self, code: str) -> list[str]:
        """The lines that ``code`` prints."""
        told: list[str] = []
        reply = self.client.execute_interactive(
            code, timeout=90, output_hook=lambda m: told.append(m["content"].get("text", ""))
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(told).splitlines()


@contextlib.contextmanager
def start(prefix: Path, transport: str = "ipc"):
    """A manager of the kernel, which is installed below ``prefix``."""
    private.install(prefix)
    # A folder of pytest's has a longer name than a Unix socket may have.
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as short:
        patch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
        manager = KernelManager(
            kernel_name=private.NAME, transport=transport, connection_file=f"{short}/kernel.json"
        )
        manager.start_kernel(stderr=subprocess.PIPE if transport == "tcp" else None)
        try:
            yield manager
        finally:
            manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path):
    """The kernel; None where the system refuses it."""
    if private.available() is not None:
        yield None
        return
    with start(tmp_path) as manager:
        started = Kernel(manager)
        try:
            yield started
        finally:
            started.client.stop_channels()


def test_it_is_available_here_or_a_clause_says_why():
    reason = private.available()
    assert reason is None or (len(reason) > 20 and "\n" not in reason)


class TestRefused:
    def test_a_system_that_forbids_it_is_quoted(self, monkeypatch):
        failing = [sys.executable, "-c", "import sys; sys.exit('unshare: Operation not permitted')"]
        monkeypatch.setattr(private, "_command", lambda *_: failing)
        assert private.available() == (
            "this system does not let a user make a network namespace (unshare: Operation not permitted)"
            if sys.platform == "linux"
            else "network namespaces are a part of Linux"
        )

    def test_a_system_without_the_program_says_so(self, monkeypatch):
        monkeypatch.setattr(private, "_command", lambda *_: ["no-such-program"])
        assert "no-such-program" in private.available() or sys.platform != "linux"

    def test_another_system_is_not_tried(self, monkeypatch):
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr(subprocess, "run", None)
        assert private.available() == "network namespaces are a part of Linux"


class TestSpecification:
    def test_it_is_valid_and_names_this_python_and_no_secret(self, tmp_path, monkeypatch):
        monkeypatch.setenv("JUPYTER_TOKEN", "0123456789abcdef0123")
        path = private.install(tmp_path)
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
        found = KernelSpecManager().get_kernel_spec(private.NAME)
        assert Path(found.resource_dir) == path.parent
        assert found.argv[:2] == ["unshare", "-Urn"] and sys.executable in found.argv
        assert "{connection_file}" in found.argv
        assert (found.interrupt_mode, found.display_name, found.env) == ("message", private.TITLE, {})
        assert "0123456789abcdef0123" not in path.read_text()

    def test_it_is_written_once(self, tmp_path):
        path = private.install(tmp_path)
        os.utime(path, (1, 1))
        assert private.install(tmp_path) == path and path.stat().st_mtime == 1
        path.write_text("{}")
        assert json.loads(private.install(tmp_path).read_text()) == private.kernelspec()

    def test_it_belongs_to_this_environment_unless_told_otherwise(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        assert private.install() == tmp_path / "share/jupyter/kernels/socketio-lab-private/kernel.json"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this Python knows no Unix sockets")
class TestSockets:
    def test_a_short_folder_holds_them_and_nothing_is_left_in_it(self):
        with tempfile.TemporaryDirectory() as short:
            folder = Path(short, "runtime")
            assert private.holds_sockets(folder) and not list(folder.iterdir())

    def test_a_long_one_does_not(self, tmp_path):
        assert not private.holds_sockets(tmp_path / ("x" * 60))

    def test_nor_does_one_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").touch()
        assert not private.holds_sockets(tmp_path / "file" / "runtime")


class TestOffer:
    """JupyterLab gets the kernel where it is of use and works, and is left alone elsewhere."""

    @pytest.fixture
    def system(self, monkeypatch, tmp_path):
        """A Linux on which a user without rights may have a namespace."""
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
        monkeypatch.setattr(rights, "refusal", lambda: "a packet socket was refused")
        monkeypatch.setattr(private, "available", lambda: None)
        monkeypatch.setattr(private, "holds_sockets", lambda folder: True)
        return SimpleNamespace(set=monkeypatch.setattr, installed=lambda: private.place().is_file())

    def test_a_user_without_rights_is_offered_it(self, system):
        assert rights.choose_mode().remedy.startswith("run JupyterLab")
        assert tasks.private_network() == ["--KernelManager.transport=ipc"] and system.installed()
        assert private.TITLE in rights.choose_mode().remedy

    @pytest.mark.parametrize(
        ("owner", "name", "answer"),
        [
            (sys, "platform", "darwin"),
            (os, "geteuid", lambda: 0),
            (rights, "refusal", lambda: None),
            (private, "available", lambda: "forbidden"),
            (private, "holds_sockets", lambda folder: False),
        ],
    )
    def test_nobody_else_is(self, system, owner, name, answer):
        system.set(owner, name, answer)
        assert tasks.private_network() == [] and not system.installed()

    def test_an_environment_that_is_read_only_is_left_as_it_is(self, system):
        def install():
            raise PermissionError

        system.set(private, "install", install)
        assert tasks.private_network() == []


class TestKernel:
    def test_packets_are_seen_live_on_a_loopback_of_its_own(self, kernel):
        if kernel is None:
            return refused()
        mode, says_so, inside, up, namespace, *interfaces = " ".join(kernel.run(LOOK)).split()
        assert (mode, says_so, inside, up) == ("live", "True", "True", "1")
        assert not private.inside()
        assert namespace != str(Path("/proc/self/ns/net").readlink()) and "lo" in interfaces

    def test_a_bid_is_recorded_live_and_the_kernels_end_leaves_no_process(self, kernel):
        if kernel is None:
            return refused()
        first, second = kernel.run(RECORD)
        mode, lost, packets = first.split()
        assert (mode, lost) == ("live", "0") and int(packets) > 20
        assert second == "True [[{'lot': 1, 'cents': 12500}]]"
        started = [kernel.pid, *(c.pid for c in psutil.Process(kernel.pid).children(recursive=True))]
        assert len(started) >= 2  # the kernel and the server; the sniffer is gone with the recording
        os.kill(kernel.pid, signal.SIGKILL)
        kernel.manager.provisioner.process.wait()
        assert eventually(lambda: not any(map(running, started)))

    def test_an_interrupt_ends_the_cell_and_nothing_else(self, kernel):
        if kernel is None:
            return refused()
        kernel.run("from utils import lab; server = lab.start('lab_server', '--port', '0', mode='live')")
        for _ in range(5):
            # Many short sleeps: a signal that comes just before one begins would not end a long one, in any
            # kernel.  And after an error a kernel drops what is already waiting, unless told not to.
            code = "import time; print('running', flush=True)\nwhile True:\n    time.sleep(0.05)"
            kernel.client.execute(code, stop_on_error=False)
            # The line's end may come in a message of its own.
            while kernel.client.get_iopub_msg(timeout=60)["content"].get("text", "").strip() != "running":
                pass
            kernel.manager.interrupt_kernel()
            assert kernel.client.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
        assert kernel.run("print(server.alive)") == ["True"]

    def test_without_unix_sockets_it_ends_at_once_and_says_what_is_missing(self, tmp_path):
        if private.available() is not None:
            return refused()
        with start(tmp_path, transport="tcp") as manager:
            process = manager.provisioner.process
            with process.stderr as said:
                assert b"--KernelManager.transport=ipc" in said.read()
            assert process.wait(timeout=60) == 1


def refused() -> None:
    """What is promised where there is no namespace: JupyterLab starts as ever."""
    assert tasks.private_network() == []
