"""A supervised child for the tests: what it does is told by its arguments."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from utils.processes.control import Control


def main() -> int:
    how = sys.argv[1]
    if how == "talks early":
        print("printed at once before there was a channel", flush=True)
        print("printed before there was a channel")
    control = Control.take_over()
    over = threading.Event()
    if how == "dies":
        print("this is why", flush=True)
        return 3
    if how == "fails":
        control.failed("no luck today")
        return 1
    if how == "silent":
        control.serve({}, on_parent_gone=over.set)
        over.wait()
        return 0
    if how == "slow":
        time.sleep(0.5)
    print("printed by the program", flush=True)
    control.serve(
        {
            "add": lambda words: {"sum": words["a"] + words["b"]},
            "break": lambda words: {"never": 1 // 0},
            "exit": lambda words: os._exit(7),
            "stdin": lambda words: {"read": sys.stdin.read()},
            "wait": lambda words: time.sleep(words["seconds"]) or {},
            "unspeakable": lambda words: {"object": object()},
            "child": lambda words: {"pid": _start_another()},
        },
        on_parent_gone=_never_mind if how == "stubborn" else over.set,
    )
    control.ready(pid=os.getpid())
    over.wait()
    return 0


def _never_mind() -> None:
    raise RuntimeError("a program that fails to end")


def _start_another() -> int:
    """A process that inherits nothing of the channel, and would live on."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


if __name__ == "__main__":
    sys.exit(main())
