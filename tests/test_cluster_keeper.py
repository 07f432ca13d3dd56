"""A kept program ends with its parent, however that ends; and says why it did not begin."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually
from utils.cluster import programs
from utils.errors import ProcessError
from utils.processes.child import Child

#: Listens at the port that is its last argument, and ignores what it can.
STUBBORN = (
    "import signal, socket, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "while True: s.accept()\n"
)
OBEDIENT = STUBBORN.replace("signal.SIG_IGN", "signal.SIG_DFL")


def keep(folder: Path, program: str) -> Child:
    port = programs.free_port()
    child = programs.keep("a program", [sys.executable, "-c", program, str(port)], folder, port=port)
    child.wait_until_ready()
    assert child.info["port"] == port
    return child


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("program", [OBEDIENT, STUBBORN])
def test_a_stop_ends_it(tmp_path, program):
    child = keep(tmp_path, program)
    pid = child.info["pid"]
    child.stop()
    eventually(lambda: gone(pid), "the program's end")


@pytest.mark.skipif(sys.platform != "linux", reason="who ends a program when its parent is killed is Linux")
def test_when_the_keeper_is_killed_so_is_the_program(tmp_path):
    child = keep(tmp_path, STUBBORN)
    os.kill(child.pid, signal.SIGKILL)
    eventually(lambda: gone(child.info["pid"]), "the program's end")
    child.stop()


def test_when_the_program_is_killed_the_keeper_ends(tmp_path):
    child = keep(tmp_path, OBEDIENT)
    os.kill(child.info["pid"], signal.SIGKILL)
    eventually(lambda: not child.alive, "the keeper's end")
    child.stop()


def test_a_program_that_ends_before_it_listens_is_an_error_with_its_words(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('the moon is too far')"]
    child = programs.keep("a program", command, tmp_path, port=programs.free_port())
    with pytest.raises(ProcessError, match="the moon is too far"):
        child.wait_until_ready()


def test_a_program_that_is_none_is_an_error(tmp_path):
    child = programs.keep("a program", [str(tmp_path / "nothing")], tmp_path, port=1)
    with pytest.raises(ProcessError, match="cannot be run"):
        child.wait_until_ready()


def test_it_is_ready_when_its_unix_socket_answers(tmp_path):
    path = tmp_path / "s"
    program = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\ns.accept()\ns.accept()\n"
    command = [sys.executable, "-c", program, str(path)]
    child = programs.keep("a program", command, tmp_path, unix_socket=path)
    child.wait_until_ready()
    child.stop()
