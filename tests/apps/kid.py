"""A supervised child for the tests: what it does is told by its arguments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from utils.supervision import Control


def main(how: str) -> int:
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
    if how == "has a child":
        # It inherits nothing of the channel, ignores politeness, and would live on.
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        control.serve({"child": lambda _: {"pid": other.pid}}, on_parent_gone=over.set)
        control.ready()
        over.wait()
        return 0
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        control.serve({}, on_parent_gone=lambda: None)
        control.ready()
        threading.Event().wait()
    print("printed by the program", flush=True)
    control.serve(
        {
            "add": lambda words: {"sum": words["a"] + words["b"]},
            "break": lambda words: {"never": 1 // 0},
            "exit": lambda words: os._exit(7),
            "stdin": lambda words: {"read": sys.stdin.read()},
        },
        on_parent_gone=over.set,
    )
    control.ready(pid=os.getpid())
    over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
