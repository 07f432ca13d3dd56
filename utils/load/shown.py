"""A measured comparison, ready to be looked at: its table, its plots, its ratios.

The rule kept here: facts become rows and series here, and nowhere else; how
they look is the views' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from statistics import median
from typing import Any

from utils.errors import InputError
from utils.load import statistics
from utils.load.split import Times
from utils.load.statistics import Estimate
from utils.load.values import Measured, Result
from utils.views import plots_latency, wording
from utils.views.measures import Measure, measures
from utils.views.plots import Plot
from utils.views.view import View


class Comparison:
    """One experiment's results, and everything that a notebook can ask of them."""

    def __init__(self, measured: Measured) -> None:
        self.measured = measured

    def __repr__(self) -> str:
        return str(self.table)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.table._repr_mimebundle_()

    @property
    def names(self) -> list[str]:
        """The variants that were measured."""
        return [result.variant.name for result in self.measured.results]

    def p50(self, name: str) -> float:
        """A variant's median, in ns.  Raises InputError if it was not measured."""
        return statistics.quantile(self.measured.result(name), 0.5).value

    def quiet(self, name: str) -> float:
        """The median of a variant's quietest quarter, in ns: of those that other work held up least.

        Raises InputError if it was not measured.
        """
        return statistics.quantile(self.measured.result(name), 0.125).value

    def ratio(self, name: str, other: str, q: float = 0.5) -> Estimate:
        """How many times ``other``'s quantile ``q`` that of ``name`` is, with its interval.

        Raises InputError if one of them was not measured.
        """
        return statistics.ratio(self.measured.result(name), self.measured.result(other), q)

    @cached_property
    def rows(self) -> tuple[Measure, ...]:
        """What the table says."""
        return tuple(self._measure(result) for result in self.measured.results)

    @cached_property
    def table(self) -> View:
        """All variants, each with its floor beside it."""
        question, missing = self.measured.experiment.question, self.measured.missing
        return measures(question, self.rows, self.conditions, missing)

    @property
    def conditions(self) -> str:
        """Under which circumstances this was measured."""
        told = self.measured.conditions
        loads = sorted(turn.load for result in self.measured.results for turn in result.turns)
        alone = ", one of them the clients'" if told.apart else ""
        versions = ", ".join(
            f"{name} {told.versions[name]}"
            for name in ("Flask-SocketIO", "python-socketio", "Werkzeug")
            if name in told.versions
        )
        return (
            f"Conditions: {wording.count(told.cores, 'core')}{alone}, "
            f"load of {loads[0]:.1f} to {loads[-1]:.1f}, CPython {told.python}, {told.platform}; {versions}; "
            f"capture {told.capture}, tracing {told.tracing}"
        )

    def distribution(self, *names: str) -> Plot:
        """The latencies of these variants (of all, if none is named), whole."""
        series = [
            plots_latency.Series(result.variant.name, statistics.pooled(result).tolist())
            for result in self._chosen(names)
        ]
        return plots_latency.distribution(series, self.conditions)

    def medians(self, *names: str) -> Plot:
        """Their medians, each with its interval."""
        rows = [
            plots_latency.Span(result.variant.name, *statistics.quantile(result, 0.5))
            for result in self._chosen(names)
        ]
        return plots_latency.spans(rows, self.conditions)

    def knee(self, what: str = "the server") -> Plot:
        """Latency against load, of the variants that were asked at a rate.  Raises InputError if none was."""
        points = [
            plots_latency.Loaded(
                result.variant.workload.rate,
                statistics.throughput(result),
                statistics.quantile(result, 0.5).value,
                statistics.quantile(result, 0.99).value,
            )
            for result in self.measured.results
            if result.variant.workload.rate is not None
        ]
        if not points:
            raise InputError(
                "there is no load to draw",
                why="no variant of this comparison was asked at a rate",
                next_step="draw its distribution() or its medians()",
            )
        return plots_latency.knee(points, what, self.conditions)

    def fan_out(self, *names: str) -> Plot:
        """Client by client, when the news were heard.  Raises InputError if there were none."""
        series = [
            plots_latency.Series(result.variant.name, statistics.by_client(result.turns).tolist())
            for result in self._chosen(names)
            if result.variant.workload.mark
        ]
        if not series:
            raise InputError(
                "there are no news to draw",
                why="no variant that was chosen tells all clients something",
                next_step="draw its distribution() or its medians()",
            )
        return plots_latency.fan_out(series, self.conditions)

    def _chosen(self, names: tuple[str, ...]) -> list[Result]:
        return [self.measured.result(name) for name in names or self.names]

    def floor(self, result: Result) -> Result | None:
        """The first floor that moves as many bytes to as many clients as ``result``."""
        own = result.variant.workload
        for other in self.measured.results:
            work = other.variant.workload
            same = (work.size, work.clients, bool(work.mark)) == (own.size, own.clients, bool(own.mark))
            if other.variant.floor and same:
                return other
        return None

    def _measure(self, result: Result) -> Measure:
        floor, work = self.floor(result), result.variant.workload
        p50 = statistics.quantile(result, 0.5)
        times = None if floor is None or floor is result else statistics.ratio(result, floor).value
        is_open = work.rate is not None
        return Measure(
            name=result.variant.name,
            p50=p50.value,
            low=p50.low,
            high=p50.high,
            p99=statistics.quantile(result, 0.99).value if is_open else None,
            times_floor=times,
            rate=statistics.throughput(result) if is_open else None,
            cpu=statistics.server_cpu(result),
            floor=result.variant.floor,
            unanswered=sum(turn.unanswered for turn in result.turns),
            refused=sum(turn.refused for turn in result.turns),
        )


class Apart:
    """A round trip told apart by its packets: what the server took, and what the client did."""

    def __init__(self, times: Sequence[Times]) -> None:
        self.times = tuple(times)

    @property
    def server_share(self) -> float:
        """The part of the round trip that passes between the request's packet and the answer's, 0 to 1."""
        return median(each.server / (each.out + each.server + each.back) for each in self.times)

    @property
    def plot(self) -> Plot:
        """The three parts, one after another."""
        out, server, back = zip(*((each.out, each.server, each.back) for each in self.times), strict=True)
        conditions = f"{len(self.times)} echoes, untraced; times between packet and packet"
        return plots_latency.split(out, server, back, conditions)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.plot._repr_mimebundle_()

    def __repr__(self) -> str:
        return str(self.plot)
