"""What it costs a bid to be watched: time, and memory; beside VizTracer, which does the like.

The server is traced; the client is not, and lives in another process.  The
limits are those of the Python that runs this: its way of reporting calls is
what sets them (sys.monitoring from 3.12 on, sys.setprofile on 3.11).
"""

from __future__ import annotations

import contextlib
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apps import traced
from tests.bench.rounds import Client, Thin, launched, medians
from utils.processes.child import Child
from utils.tracing.collector import Collector
from utils.tracing.scope import Detail

pytestmark = pytest.mark.bench

APPLICATION = ["-m", "tests.apps.echo_server"]
VIZTRACED = [str(Path(__file__).parent / "viztraced.py")]

UNTRACED = "untraced"
STANDING_BY = "installed, switched off"
ESSENTIAL = "essential frames with snapshots"
PLAIN = "all frames without snapshots"
FULL = "all frames, the essential with snapshots"
VIZTRACER = "VizTracer with arguments"

MONITORED = sys.version_info >= (3, 12)

#: At most so many times the untraced round trip.
LIMITS = {
    STANDING_BY: 1.05,
    ESSENTIAL: 1.5 if MONITORED else 2.8,
    PLAIN: 1.5 if MONITORED else 2.4,
}

OPTIONS = {
    UNTRACED: [],
    STANDING_BY: ["--trace"],
    ESSENTIAL: ["--trace", "--detail", Detail.ESSENTIAL.value],
    PLAIN: ["--trace", "--detail", Detail.PLAIN.value],
    FULL: ["--trace", "--detail", Detail.FULL.value],
}


@pytest.fixture
def servers(tmp_path) -> Iterator[dict[str, Child]]:
    """One server for each way of watching, all at once."""
    with contextlib.ExitStack() as stack:
        running = {}
        for number, (name, options) in enumerate(OPTIONS.items()):
            running[name] = stack.enter_context(
                launched(tmp_path, f"server{number}", [*options, *APPLICATION])
            )
            if name not in (UNTRACED, STANDING_BY):
                running[name].request("trace_start")
        running[VIZTRACER] = stack.enter_context(launched(tmp_path, "viztraced", VIZTRACED))
        yield running


def ratios(servers, kind, turns) -> dict[str, float]:
    """How many times the untraced round trip each takes, with bidders of one kind."""
    with contextlib.ExitStack() as stack:
        bidders = {
            name: stack.enter_context(contextlib.closing(kind(server.info["port"])))
            for name, server in servers.items()
        }
        found = medians(bidders, turns)
    print(f"\nPython {sys.version.split()[0]}, p50 of a bid's round trip, {kind.__doc__}")
    for name, needed in found.items():
        limit = f" (at most {LIMITS[name]})" if name in LIMITS and kind is Client else ""
        print(f"  {name:42} {needed / 1000:6.0f} µs  {needed / found[UNTRACED]:5.2f}{limit}")
    return {name: needed / found[UNTRACED] for name, needed in found.items()}


def test_the_round_trip_of_a_bid(servers):
    """The limits are those of a user's bid; with a client that does next to nothing, more shows."""
    bare = ratios(servers, Thin, turns=20)
    found = ratios(servers, Client, turns=30)
    assert {name: found[name] for name, limit in LIMITS.items() if found[name] > limit} == {}
    for ratio in (bare, found):
        assert max(ratio[ESSENTIAL], ratio[PLAIN], ratio[FULL]) < ratio[VIZTRACER]


def test_the_memory_of_a_call_without_a_snapshot():
    def load(calls: int) -> None:
        for number in range(calls // 2):
            traced.outer(number)  # which calls another

    calls = 200_000
    with Collector("bench", roots=[Path(traced.__file__)], detail=Detail.PLAIN, capacity=10**6) as collector:
        load(20_000)
        tracemalloc.start()
        try:
            load(calls)
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    print(f"\n{held / calls:.0f} bytes a call without a snapshot (at most 100)")
    assert len(collector.take().calls) >= calls
    assert held / calls <= 100
