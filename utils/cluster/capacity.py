"""What a cluster can carry: measured beside predicted, and a picture up to a million clients.

The rule kept here: what was measured, what the model was fitted to and what it
only predicts are told apart; and how far the prediction was off stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from utils.cluster.model import ASSUMPTIONS, FULL, Measurements, Model, Point, fit
from utils.views import tables, text
from utils.views.markup import html
from utils.views.palette import INKS
from utils.views.plots import Plot
from utils.views.view import HTML, View

_HEADER = ("processes", "members", "measured", "predicted", "off by", "")

#: Up to so many clients is drawn.
_SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
_MARKERS, _LINES = "os^D", ("-", "--", "-.", ":")


@dataclass(frozen=True, slots=True)
class Capacity:
    """Measurements, and the model that was fitted to them."""

    measured: Measurements
    model: Model

    @classmethod
    def of(cls, measured: Measurements) -> Capacity:
        return cls(measured, fit(measured.points))

    @property
    def worst(self) -> float:
        """How far the prediction was off, at most, where the model had not seen the measurement: a share."""
        return max(abs(self.model.error(point)) for point in self.measured.held_out)

    def costs(self) -> View:
        """Each measurement beside what the model says; those at the end it had not seen."""
        rows = [*self._rows(self.measured.points, "fitted"), *self._rows(self.measured.held_out, "held out")]
        caption = "CPU time of all servers for one broadcast"
        right = frozenset(range(5))
        table = tables.table(caption, _HEADER, rows, right=right)
        return View(f"{caption}\n{text.table([_HEADER, *rows], right=right)}", {HTML: html(table)})

    def _rows(self, points: tuple[Point, ...], what: str) -> Iterator[list[str]]:
        for point in points:
            said = self.model.broadcast(point.processes, point.members)
            yield [
                str(point.processes),
                str(point.members),
                f"{point.servers_us:,.0f} µs",
                f"{said:,.0f} µs",
                f"{self.model.error(point):+.0%}",
                what,
            ]

    def assumptions(self) -> View:
        """What the model takes for granted."""
        return View("\n".join(f"{number}. {said}" for number, said in enumerate(ASSUMPTIONS, 1)), {})

    def scale(self, members: int = 100, *rates: float) -> Plot:
        """The processes that clients need, in rooms of ``members``, at so many broadcasts a second."""
        rates = rates or (1 / 60, 1 / 10, 1.0)
        figure = Figure(figsize=(7.6, 4.2), layout="constrained")
        axes = figure.subplots()
        broken = []
        for place, rate in enumerate(rates):
            needs = [self.model.need(size, max(1, size // members), rate) for size in _SIZES]
            carried = [need for need in needs if need.processes is not None]
            lost = [need for need in needs if need.processes is None]
            axes.plot(
                [need.clients for need in carried],
                [need.processes or 0 for need in carried],
                label=f"one broadcast a room every {1 / rate:.3g} s",
                color=INKS[place % len(INKS)].light,
                marker=_MARKERS[place % len(_MARKERS)],
                linestyle=_LINES[place % len(_LINES)],
            )
            if lost:
                broken.append(
                    f"every {1 / rate:.3g} s: {lost[0].clients:,} clients are too many ({lost[0].limit})"
                )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("clients (logarithmic)")
        axes.set_ylabel("processes, a core each (logarithmic)")
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
        most = self.model.need(_SIZES[-1], _SIZES[-1] // members, rates[0])
        period = f"{1 / rates[0]:.3g} s"
        needed = f"{most.processes} processes" if most.processes else "no number of processes is enough"
        memory = f"{most.memory_bytes / 1e9:,.0f} GB for the connections"
        finding = f"A million clients in rooms of {members}, a bid in each every {period}: {needed}, {memory}"
        axes.set_title(finding, fontsize=9, loc="left")
        ends = "; ".join(broken) or "it does not"
        description = f"{finding}. Predicted beyond the measurements. Where a line ends: {ends}."
        return Plot(
            figure,
            f"Processes for up to a million clients, full at {FULL:.0%} of a core",
            finding,
            description,
        )
