"""A busy recording of real shape: a real one, again and again, each time by other clients and later.

python -m tests.bench.busy FOLDER     makes it, reports it, and prints what that took
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from utils import lab
from utils.records import Endpoint, Flow, Recording
from utils.run import Run

CALLS, PACKETS = 100_000, 20_000

#: How much later each copy is, in nanoseconds.
LATER = 2_000_000_000


def busy() -> Recording:
    """At least so many calls and packets; the later copies were not traced."""
    one = lab.replay("one_bid").recording
    copies = -(-PACKETS // len(one.segments))
    traced = -(-CALLS // sum(len(trace.calls) for trace in one.traces))
    port = one.meta.port
    # Each copy has a hundred ports of its own: those of its clients, in their order.
    known = sorted({end.port for segment in one.segments for end in segment.flow} - {port})

    def flow(old: Flow, copy: int) -> Flow:
        def end(e: Endpoint) -> Endpoint:
            return e if e.port == port else Endpoint(e.host, 10_000 + copy * len(known) + known.index(e.port))

        return Flow(end(old.source), end(old.destination))

    segments = [
        replace(one_, time_ns=one_.time_ns + copy * LATER, flow=flow(one_.flow, copy))
        for copy in range(copies)
        for one_ in one.segments
    ]
    traces = []
    for trace in one.traces:
        calls, transfers, handoffs = [], [], []
        top = max(call.id for call in trace.calls) + 1
        for copy in range(traced):
            ids, late, threads = copy * top, copy * LATER, copy * 1_000_003
            calls += [
                replace(
                    c, id=c.id + ids, thread=c.thread + threads, enter_ns=c.enter_ns + late,
                    parent=None if c.parent is None else c.parent + ids,
                    leave_ns=None if c.leave_ns is None else c.leave_ns + late,
                )
                for c in trace.calls
            ]  # fmt: skip
            transfers += [
                replace(
                    t, thread=t.thread + threads, flow=flow(t.flow, copy), start_ns=t.start_ns + late,
                    end_ns=t.end_ns + late, call=None if t.call is None else t.call + ids,
                )
                for t in trace.transfers
            ]  # fmt: skip
            handoffs += [
                replace(h, given=h.given + ids, taken=h.taken + ids, given_ns=h.given_ns + late, taken_ns=h.taken_ns + late)
                for h in trace.handoffs
            ]  # fmt: skip
        names = {ident + c * 1_000_003: name for c in range(traced) for ident, name in trace.threads.items()}
        traces.append(
            replace(
                trace, calls=tuple(calls), transfers=tuple(transfers), handoffs=tuple(handoffs), threads=names
            )
        )
    return Recording(one.meta, segments, tuple(traces))


def main(folder: Path) -> None:
    recording = busy()
    run = Run(recording)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    path = run.report(folder / "busy.html")
    took = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    calls = sum(len(trace.calls) for trace in recording.traces)
    print(calls, len(recording.segments), round(took, 1), held, peak, path.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
