"""Takes an experiment's variants in turns, and returns what they gave.

The rule kept here: A B A B, in mixed order, so that a busy moment of the
machine meets all alike; the first turn of each warms up; one that cannot run
here is named with its reason, and the others are measured.
"""

from __future__ import annotations

import os
import platform
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from utils import libraries
from utils.errors import EnvironmentLack
from utils.load import placement
from utils.load.subjects import Running
from utils.load.values import Conditions, Experiment, Measured, Result, Subject, Turn, Variant
from utils.processes.child import Child

#: How long one turn may take, in seconds.
LONGEST_TURN = 120.0

#: How long it may take to connect all clients of a workload, in seconds.
CONNECTING = 120.0

Progress = Callable[[str], object]


def measure(experiment: Experiment, progress: Progress = lambda what: None) -> Measured:
    """Measure it now.  ``progress`` is told what is being done.

    Raises ProcessError if a server or the clients' process fails.
    """
    with ExitStack() as stack:
        driver = stack.enter_context(clients())
        progress(f"{experiment.name}: servers start")
        running, missing = _start(experiment, stack)
        placed = placement.apart(driver.pid, {server.child.pid for server in running.values()})
        able = [variant for variant in experiment.variants if variant.name in running]
        for variant in able:
            progress(f"{experiment.name}: {variant.name} connects")
            connect(driver, variant, running[variant.name])
        taken: dict[str, list[Turn]] = {variant.name: [] for variant in able}
        chance = random.Random(experiment.name)
        for number in range(experiment.turns + 1):
            for variant in chance.sample(able, len(able)):
                progress(f"{experiment.name}: turn {number} of {experiment.turns}, {variant.name}")
                turn = take(driver, variant, running[variant.name], number)
                if number:
                    taken[variant.name].append(turn)
        results = tuple(Result(variant, tuple(taken[variant.name])) for variant in able)
        return Measured(experiment, results, replace(conditions(), apart=placed), missing)


@contextmanager
def clients() -> Iterator[Child]:
    """The clients' process."""
    with tempfile.TemporaryDirectory(prefix="socketio-lab-") as folder:
        log = Path(folder) / "clients.log"
        with Child.start("utils.load.driver", [], name="the clients' process", log=log) as child:
            yield child


def connect(driver: Child, variant: Variant, server: Running) -> None:
    """Connect the variant's clients."""
    words = {"handle": variant.name, "workload": msgspec.to_builtins(variant.workload)}
    driver.request("connect", port=server.port, deadline=CONNECTING, **words)


def take(driver: Child, variant: Variant, server: Running, seed: int) -> Turn:
    """One turn of a connected variant."""
    load, cpu = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0, server.cpu_ns()
    work = variant.workload
    words = {"handle": variant.name, "workload": msgspec.to_builtins(work), "count": work.count}
    answer = driver.request("run", seed=seed, deadline=LONGEST_TURN, **words)
    turn = msgspec.convert(answer["turn"], Turn)
    return replace(turn, server_cpu_ns=server.cpu_ns() - cpu, load=round(load, 2))


def stamped(driver: Child, variant: Variant, seed: int) -> dict[int, tuple[int, int]]:
    """One more turn: by number, when each request was sent and when its answer was here (ns)."""
    work = variant.workload
    words = {"handle": variant.name, "workload": msgspec.to_builtins(work), "count": work.count}
    answer = driver.request("run", seed=seed, stamps=True, deadline=LONGEST_TURN, **words)
    return {number: (sent, answered) for number, sent, answered in answer["stamps"] if answered}


def conditions() -> Conditions:
    """The circumstances here and now."""
    versions = {library: libraries.distribution(library).version for library in libraries.STACK}
    return Conditions(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        platform=platform.system(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        versions=versions,
    )


def _start(experiment: Experiment, stack: ExitStack) -> tuple[dict[str, Running], dict[str, str]]:
    """Each variant's server, all started before one is waited for; and what cannot run here.

    Variants with the same subject share its server; who tells news to all has one of its own.
    """
    started: dict[tuple[Subject, str], Running] = {}
    running: dict[str, Running] = {}
    missing: dict[str, str] = {}
    for variant in experiment.variants:
        key = variant.subject, variant.name if variant.workload.mark else ""
        try:
            if key not in started:
                started[key] = Running(variant.subject)
                stack.callback(started[key].stop)
            running[variant.name] = started[key]
        except EnvironmentLack as lack:
            missing[variant.name] = str(lack)
    return running, missing
