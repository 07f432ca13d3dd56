"""Where the time of an untraced round trip goes, told by traced ones.

The rule kept here: tracing costs time, so what was traced is corrected by what
its own calls cost, measured apart, between the hops as well as in them; what
is left is held against the untraced total.  It may be less: then something is
explained by no hop.  It may be more: tracing also slows what it does not
record, and threads that wait for a traced one.  Nothing is scaled to fit; the
difference is told by its name, and so is a correction that is larger than what
it corrects.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import median

from utils.latency.hops import hops
from utils.records import Journey, Trace


@dataclass(frozen=True, slots=True)
class Share:
    """One part of the way, in ns: as traced, and what the tracer's calls meanwhile are taken to cost."""

    label: str
    process: str
    traced_ns: float
    tracing_ns: float

    @property
    def corrected_ns(self) -> float:
        """Without the tracer's cost, and never less than nothing."""
        return max(0.0, self.traced_ns - self.tracing_ns)

    @property
    def taken_off_ns(self) -> float:
        """What the correction took off: all that it asks for, if there is as much."""
        return min(self.traced_ns, self.tracing_ns)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The hops of one kind of round trip; medians over the ``rounds`` quietest of them.

    ``waking`` is what passed between hops: the last one tidied up, a thread
    was to be woken.  ``untraced_ns`` is the total that is to be explained.
    """

    shares: tuple[Share, ...]
    waking: Share
    traced_ns: float
    untraced_ns: float
    rounds: int

    @property
    def explained_ns(self) -> float:
        """What the hops and the waking between them make up, corrected."""
        return sum(share.corrected_ns for share in (*self.shares, self.waking))

    @property
    def unexplained_ns(self) -> float:
        """What of the untraced total no hop explains; 0 if they explain all of it."""
        return max(0.0, self.untraced_ns - self.explained_ns)

    @property
    def slowed_ns(self) -> float:
        """By how much the traced run is slower, beyond what the tracer's calls cost; 0 if it is not."""
        return max(0.0, self.explained_ns - self.untraced_ns)

    @property
    def overcorrected_ns(self) -> float:
        """What the corrections ask for and could not take off: the tracer cost less than it is taken to."""
        return sum(share.tracing_ns - share.taken_off_ns for share in (*self.shares, self.waking))


def attribute(
    journeys: Sequence[Journey], traces: Sequence[Trace], untraced_ns: float, per_call_ns: float
) -> Attribution:
    """The medians of the quietest quarter of ``journeys``, held against ``untraced_ns``.

    In the others something else ran meanwhile, and the hops tell of that; so
    ``untraced_ns`` should be the median of a quietest quarter, too.  Those
    whose chain is not that of most of them are left out.  Raises ValueError if
    there is none.
    """
    if not journeys:
        raise ValueError("an attribution needs at least one journey")
    noted = _noted(traces)
    rounds = [_round(journey, noted, per_call_ns) for journey in journeys]
    chains = Counter(_chain(shares) for shares, _, _ in rounds)
    usual = chains.most_common(1)[0][0]
    rounds = sorted((one for one in rounds if _chain(one[0]) == usual), key=itemgetter(2))
    rounds = rounds[: -(-len(rounds) // 4)]
    shares = tuple(_middle(those) for those in zip(*(shares for shares, _, _ in rounds), strict=True))
    waking = _middle([between for _, between, _ in rounds])
    whole = median(total for _, _, total in rounds)
    return Attribution(shares, waking, whole, untraced_ns, len(rounds))


def _chain(shares: Sequence[Share]) -> tuple[str, ...]:
    return tuple(share.label for share in shares)


def _middle(shares: Sequence[Share]) -> Share:
    """The medians of one part of several journeys."""
    traced, tracing = (
        median(each) for each in zip(*((s.traced_ns, s.tracing_ns) for s in shares), strict=True)
    )
    return Share(shares[0].label, shares[0].process, traced, tracing)


def _round(
    journey: Journey, noted: Mapping[str, list[int]], per_call_ns: float
) -> tuple[list[Share], Share, float]:
    """The shares of one journey, what passed between them, and the whole."""

    def cost(processes: set[str], begin: int, end: int) -> float:
        """A call is noted twice, when it begins and when it ends; each is half of what it costs."""
        begin, end = journey.start_ns + begin, journey.start_ns + end
        moments = [noted.get(process, []) for process in processes]
        return sum(bisect_left(each, end) - bisect_left(each, begin) for each in moments) / 2 * per_call_ns

    found: list[Share] = []
    between, between_cost, until, before = 0, 0.0, 0, ""
    for hop in sorted(hops(journey), key=lambda hop: hop.start_ns):
        begin, end = max(hop.start_ns, until), max(hop.end_ns, until)
        between += begin - until
        between_cost += cost({before, hop.process}, until, begin)
        found.append(Share(hop.label, hop.process, end - begin, cost({hop.process}, begin, end)))
        until, before = end, hop.process
    return found, Share("between hops: a thread is to be woken", "wire", between, between_cost), until


def _noted(traces: Sequence[Trace]) -> dict[str, list[int]]:
    """By process, whose threads share one lock: the moments at which its tracer had to do, in order."""
    found: dict[str, list[int]] = {}
    for trace in traces:
        moments = found.setdefault(trace.process, [])
        moments.extend(call.enter_ns for call in trace.calls)
        moments.extend(call.leave_ns for call in trace.calls if call.leave_ns is not None)
        moments.sort()
    return found
