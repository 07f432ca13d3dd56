"""Where the time of an untraced round trip goes, told by traced ones.

The rule kept here: tracing costs time, so a traced hop is corrected by what
its own calls cost, measured apart; what is left is held against the untraced
total, and the difference is told as what no hop explains, whichever way it
falls.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import median

from utils.latency.hops import hops
from utils.records import Call, Journey, Trace


@dataclass(frozen=True, slots=True)
class Share:
    """One hop of the way, in ns: as traced, and what of it was the tracer's own."""

    label: str
    process: str
    traced_ns: float
    tracing_ns: float

    @property
    def corrected_ns(self) -> float:
        """Without the tracer's share, and never less than nothing."""
        return max(0.0, self.traced_ns - self.tracing_ns)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The hops of one kind of round trip; medians over the ``rounds`` quietest of them.

    ``waking_ns`` is what passed between hops: nobody worked, a thread was to
    be woken.  ``untraced_ns`` is the total that is explained.
    """

    shares: tuple[Share, ...]
    waking_ns: float
    traced_ns: float
    untraced_ns: float
    rounds: int

    @property
    def unexplained_ns(self) -> float:
        """The untraced total without the corrected hops and the waking; negative if they are more."""
        return self.untraced_ns - self.waking_ns - sum(share.corrected_ns for share in self.shares)


def attribute(
    journeys: Sequence[Journey], traces: Sequence[Trace], untraced_ns: float, per_call_ns: float
) -> Attribution:
    """The medians of the quietest quarter of ``journeys``, held against ``untraced_ns``.

    In the others something else ran meanwhile, and the hops tell of that; and
    those whose chain is not that of most of them are left out.  Raises
    ValueError if there is none.
    """
    if not journeys:
        raise ValueError("an attribution needs at least one journey")
    rounds = [_round(journey, traces, per_call_ns) for journey in journeys]
    chains = Counter(_chain(shares) for shares, _, _ in rounds)
    usual = chains.most_common(1)[0][0]
    rounds = sorted((one for one in rounds if _chain(one[0]) == usual), key=itemgetter(2))
    rounds = rounds[: -(-len(rounds) // 4)]
    shares = tuple(
        Share(
            those[0].label,
            those[0].process,
            median(share.traced_ns for share in those),
            median(share.tracing_ns for share in those),
        )
        for those in zip(*(shares for shares, _, _ in rounds), strict=True)
    )
    waking = median(between for _, between, _ in rounds)
    whole = median(total for _, _, total in rounds)
    return Attribution(shares, waking, whole, untraced_ns, len(rounds))


def _chain(shares: Sequence[Share]) -> tuple[str, ...]:
    return tuple(share.label for share in shares)


def _round(journey: Journey, traces: Sequence[Trace], per_call_ns: float) -> tuple[list[Share], float, float]:
    """The shares of one journey, what passed between them, and the whole."""
    found: list[Share] = []
    between, until = 0, 0
    for hop in sorted(hops(journey), key=lambda hop: hop.start_ns):
        begin, end = max(hop.start_ns, until), max(hop.end_ns, until)
        between += begin - until
        tracing = _tracing(hop.process, journey.start_ns + begin, journey.start_ns + end, traces, per_call_ns)
        found.append(Share(hop.label, hop.process, end - begin, min(tracing, end - begin)))
        until = end
    return found, between, until


def _tracing(process: str, begin: int, end: int, traces: Sequence[Trace], per_call_ns: float) -> float:
    """What the calls that began in that time cost, in that process: its threads share one lock."""
    calls = 0
    for trace in traces:
        if trace.process == process:
            # By enter_ns, as they stand in a trace.
            first = bisect_left(trace.calls, begin, key=_entered)
            calls += bisect_left(trace.calls, end, key=_entered) - first
    return calls * per_call_ns


def _entered(call: Call) -> int:
    return call.enter_ns
