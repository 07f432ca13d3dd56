"""Keeps one program running for as long as its parent lives: ``python -m utils.cluster.keeper``.

The rule kept here: the program knows nothing of us, and does not outlive us.
This process holds the pipe from the parent (see :mod:`utils.processes`); at
its end the program is told to stop, and killed if it does not.  Should this
process itself be killed, Linux kills the program in the same moment.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from utils.processes.control import Control

#: How often is looked whether the program listens, in seconds.
_POLL = 0.01

#: How long a program that is told to stop may take, in seconds; then it is killed.
_GRACE = 3.0

_PR_SET_PDEATHSIG = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; end with it, or end it with the parent."""
    parser = argparse.ArgumentParser(prog="python -m utils.cluster.keeper")
    parser.add_argument("--port", type=int, help="it is ready when this port of the loopback answers")
    parser.add_argument("--socket", type=Path, help="it is ready when this Unix socket answers")
    parser.add_argument("--user", help="run it as this user")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    command = chosen.program[1:] if chosen.program[:1] == ["--"] else chosen.program
    control = Control.take_over()
    try:
        running = subprocess.Popen(command, preexec_fn=_with_us(chosen.user))
    except OSError as error:
        control.failed(f"{command[0]} cannot be run: {error.strerror}")
        return
    control.serve({}, on_parent_gone=lambda: _end(running))
    threading.Thread(target=_announce, args=(control, running, chosen), daemon=True).start()
    status = running.wait()
    sys.exit(abs(status))


def _with_us(user: str | None) -> Callable[[], None]:
    """What the program does before it begins: become ``user``, and ask to be killed with us."""
    ids = None if user is None else pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def prepare() -> None:
        if ids is not None:
            os.setgroups([])
            os.setgid(ids.pw_gid)
            os.setuid(ids.pw_uid)
        if libc is not None:  # last: to become another user takes it off
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return prepare


def _announce(control: Control, running: subprocess.Popen[bytes], chosen: argparse.Namespace) -> None:
    """Say that the program is ready, or that it ended before."""
    while not _answers(chosen):
        if running.poll() is not None:
            control.failed(f"it ended with status {running.returncode}")
            return
        time.sleep(_POLL)
    control.ready(pid=running.pid, port=chosen.port)


def _answers(chosen: argparse.Namespace) -> bool:
    if chosen.socket is not None:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(chosen.socket)) == 0
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", chosen.port)) == 0


def _end(running: subprocess.Popen[bytes]) -> None:
    """Tell the program to stop, and see that it does."""
    with contextlib.suppress(OSError):
        running.terminate()
    try:
        running.wait(_GRACE)
    except subprocess.TimeoutExpired:
        running.kill()


if __name__ == "__main__":
    main()
