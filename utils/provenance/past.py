"""Which calls can have led to a send, and to which a receive can have led.

The rule kept here: one call can have led to another if it came before it in
the same thread, or before a hand-off into that thread, and so on.  Nearness in
time proves nothing; that there is no such way rules a call out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping

from utils.records import Trace

Thread = tuple[str, int]  # process, and the thread in it
Bounds = Mapping[Thread, int]  # thread → a time in it


class Past:
    """The order of cause in the recorded processes: for each thread, what it knows of the others."""

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._taken: dict[Thread, list[int]] = defaultdict(list)
        self._known: dict[Thread, list[dict[Thread, int]]] = defaultdict(list)
        self._given: dict[Thread, list[int]] = defaultdict(list)
        self._reached: dict[Thread, list[dict[Thread, int]]] = defaultdict(list)
        for trace in traces:
            self._add(trace)

    def _add(self, trace: Trace) -> None:
        threads = {call.id: (trace.process, call.thread) for call in trace.calls}
        found = [
            (handoff.given_ns, threads[handoff.given], handoff.taken_ns, threads[handoff.taken])
            for handoff in trace.handoffs
            if handoff.given in threads and handoff.taken in threads
        ]
        for given_ns, giver, taken_ns, taker in sorted(found, key=lambda one: one[2]):
            latest = dict(self.before(giver, given_ns))
            for thread, bound in self._known[taker][-1].items() if self._known[taker] else ():
                latest[thread] = max(bound, latest.get(thread, 0))
            self._taken[taker].append(taken_ns)
            self._known[taker].append(latest)
        # Backwards, and so the lists too: the latest gift first.
        for given_ns, giver, taken_ns, taker in sorted(found, reverse=True):
            earliest = dict(self.after(taker, taken_ns))
            for thread, bound in self._reached[giver][-1].items() if self._reached[giver] else ():
                earliest[thread] = min(bound, earliest.get(thread, bound))
            self._given[giver].append(-given_ns)
            self._reached[giver].append(earliest)

    def before(self, thread: Thread, time_ns: int) -> Bounds:
        """For each thread, up to when it can have led to what ``thread`` did at ``time_ns``."""
        index = bisect_right(self._taken[thread], time_ns) - 1
        known = self._known[thread][index] if index >= 0 else {}
        return {**known, thread: time_ns}

    def after(self, thread: Thread, time_ns: int) -> Bounds:
        """For each thread, from when it can have been led to by what ``thread`` did at ``time_ns``."""
        index = bisect_right(self._given[thread], -time_ns) - 1
        reached = self._reached[thread][index] if index >= 0 else {}
        return {**reached, thread: time_ns}
