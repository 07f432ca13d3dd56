"""Gives the clients' process one core, and the servers the others.

The rule kept here: who measures and what is measured do not take turns on one
core, nor does the scheduler decide anew in each run.  A wake-up on the same
core costs a fraction of one on another: left to chance, a floor of some
microseconds is two or three times as high in one turn as in the next.  A
machine with one core, or a system that places nothing (macOS), is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import psutil


def apart(clients: int, servers: Iterable[int]) -> bool:
    """Place the process ``clients`` on the last core, and each of the ``servers`` on all others.

    All are process ids.  Returns whether this system could.
    """
    cores = _cores()
    if len(cores) < 2:
        return False
    _place(clients, cores[-1:])
    for server in servers:
        _place(server, cores[:-1])
    return True


def _cores() -> list[int]:
    """The cores on which this process may run, if it can be told where to."""
    me = psutil.Process()
    return sorted(me.cpu_affinity()) if hasattr(me, "cpu_affinity") else []


def _place(process: int, cores: list[int]) -> None:
    if not hasattr(os, "sched_setaffinity"):
        psutil.Process(process).cpu_affinity(cores)
        return
    # Linux places each thread by itself; those to come inherit the place of the one that starts them.
    for thread in psutil.Process(process).threads():
        try:
            os.sched_setaffinity(thread.id, cores)
        except ProcessLookupError:
            continue  # it has just ended
