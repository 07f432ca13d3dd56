"""Plots of latencies: distributions, the knee, the fan-out, and one option changed.

The rule kept here: the title is the finding, with its number from the data;
series differ in line and marker as well as in colour, and are named where they
end; axes say their unit, and a logarithmic one says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from utils.latency.attribution import Attribution
from utils.views import wording
from utils.views.palette import INKS, marks
from utils.views.plots import Plot, drawable

#: So many characters of the conditions stand in a line: they begin where the axes do.
_LINE = 92

_LINES = ("-", "--", "-.", ":")
_HATCHES = ("..", "//", "xx")
_MARKERS = ("o", "s", "^", "D", "v", "P")

#: Of a decade, where a logarithmic axis that is shorter has its numbers.
_NAMED = (2, 3, 5, 7)

#: The percentiles that are marked.
_MARKED = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Series:
    """Latencies under one name, in ns, sorted."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of one rate of requests: asked for and granted a second; quantiles in ns."""

    rate: float
    granted: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Span:
    """A median with its interval, in ns."""

    name: str
    p50: float
    low: float
    high: float


def distribution(series: Sequence[Series], conditions: str) -> Plot:
    """The share of requests that were answered within a time, for each series.

    Raises ValueError if there is none.
    """
    if not series:
        raise ValueError("a distribution needs at least one series")
    fastest = min(series, key=lambda one: float(np.quantile(one.values, 0.5)))
    slowest = max(series, key=lambda one: float(np.quantile(one.values, 0.5)))
    finding = f"{_name(slowest.name)}: half within {_at(slowest, 0.5)}, 99 % within {_at(slowest, 0.99)}"
    if slowest is not fastest:
        ratio = float(np.quantile(slowest.values, 0.5) / np.quantile(fastest.values, 0.5))
        finding = (
            f"{_name(slowest.name)} takes {wording.times(ratio)} {_name(fastest.name)} at the median: "
            f"{_at(slowest, 0.5)} against {_at(fastest, 0.5)}"
        )
    figure, axes = _figure(finding, conditions, 4.2)
    for place, one in enumerate(series):
        values = np.asarray(one.values, float) / 1e6
        shares = np.arange(1, len(values) + 1) / len(values)
        axes.step(values, shares, where="post", label=drawable(one.name), **_style(place, marker=False))
        marked = [float(np.quantile(values, q)) for q in _MARKED]
        axes.plot(marked, _MARKED, linestyle="", **_marker(place))
    axes.set_xscale("log")
    _milliseconds(axes.xaxis)
    axes.set_xlabel("from due to over (ms, logarithmic); marked: 50 %, 90 %, 99 %")
    axes.set_ylabel("share of requests")
    axes.set_ylim(0, 1.02)
    _legend(axes)
    each = "; ".join(
        f"{_name(one.name)}: p50 {_at(one, 0.5)}, p90 {_at(one, 0.9)}, p99 {_at(one, 0.99)}" for one in series
    )
    return _plot(
        figure,
        f"Distributions of latencies: {_names(series)}",
        finding,
        f"Empirical distribution functions of latencies. {each}. {conditions}",
    )


def knee(points: Sequence[Loaded], what: str, conditions: str, *, bend: float = 3.0) -> Plot:
    """Latency against load; past the knee the median exceeds ``bend`` times that of the lowest rate.

    Raises ValueError if there is no point.
    """
    if not points:
        raise ValueError("a load curve needs at least one point")
    points = sorted(points, key=lambda point: point.rate)
    calm = points[0].p50
    held = [point for point in points if point.p50 <= bend * calm and point.granted >= 0.9 * point.rate]
    broken = [point for point in points if point not in held and point.rate > points[0].rate]
    last = held[-1] if held else points[0]
    finding = (
        f"{_name(what)} holds {last.rate:,.0f} requests a second (median {wording.duration(round(last.p50))})"
    )
    if broken:
        first = broken[0]
        finding += f"; at {first.rate:,.0f} the median is {wording.duration(round(first.p50))}"
    figure, axes = _figure(finding, conditions, 4.0)
    rates = [point.rate for point in points]
    for place, (label, values) in enumerate(
        (("p50", [point.p50 for point in points]), ("p99", [point.p99 for point in points]))
    ):
        axes.plot(rates, np.array(values) / 1e6, label=label, **_style(place))
    axes.axvline(last.rate, color="#404040", linestyle=":", linewidth=1)
    axes.annotate(
        "the knee", (last.rate, axes.get_ylim()[1]), xytext=(4, -10), textcoords="offset points", fontsize=9
    )
    axes.set_yscale("log")
    _milliseconds(axes.yaxis)
    axes.set_xlabel("requests a second, at random moments (open load)")
    axes.set_ylabel("from due to answered (ms, logarithmic)")
    axes.set_xlim(left=0)
    _legend(axes)
    each = "; ".join(
        f"{point.rate:,.0f} a second: {point.granted:,.0f} granted, "
        f"p50 {wording.duration(round(point.p50))}, p99 {wording.duration(round(point.p99))}"
        for point in points
    )
    return _plot(
        figure,
        f"Latency of {_name(what)} against load: {wording.count(len(points), 'rate')}",
        finding,
        f"Line chart of the latency of {_name(what)} against the rate of requests. {each}. {conditions}",
    )


def fan_out(series: Sequence[Series], conditions: str) -> Plot:
    """Client by client, when the news were heard; each series holds one time a client, the first first.

    Raises ValueError if there is none.
    """
    if not series:
        raise ValueError("a fan-out needs at least one series")
    most = max(series, key=lambda one: (len(one.values), one.values[-1]))
    finding = (
        f"{_name(most.name)}: the first of {len(most.values)} hears after "
        f"{wording.duration(round(most.values[0]))}, "
        f"the last after {wording.duration(round(most.values[-1]))}"
    )
    figure, axes = _figure(finding, conditions, 4.0)
    for place, one in enumerate(series):
        clients = np.arange(1, len(one.values) + 1)
        style = _style(place) | {"markevery": max(1, len(one.values) // 8)}
        axes.plot(clients, np.asarray(one.values, float) / 1e6, label=drawable(one.name), **style)
    axes.set_xlabel("clients that have heard")
    axes.set_ylabel("since the news were due (ms)")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    _legend(axes)
    each = "; ".join(
        f"{_name(one.name)}: first {wording.duration(round(one.values[0]))}, "
        f"last {wording.duration(round(one.values[-1]))}"
        for one in series
    )
    return _plot(
        figure,
        f"Fan-out, client by client: {_names(series)}",
        finding,
        f"Line chart of the time until the news were heard, client by client. {each}. {conditions}",
    )


def spans(rows: Sequence[Span], conditions: str) -> Plot:
    """Medians with their intervals, one a line: two ways of doing a thing, or one option before and after.

    The finding compares the slowest with the fastest.  Raises ValueError if there is no row.
    """
    if not rows:
        raise ValueError("a comparison needs at least one row")
    slow, fast = max(rows, key=lambda row: row.p50), min(rows, key=lambda row: row.p50)
    finding = (
        f"{_name(slow.name)} takes {wording.times(slow.p50 / fast.p50)} {_name(fast.name)}: "
        f"{wording.duration(round(slow.p50))} against {wording.duration(round(fast.p50))}"
    )
    figure, axes = _figure(finding, conditions, 1.6 + 0.42 * len(rows))
    for place, row in enumerate(rows):
        left, right = row.p50 - row.low, row.high - row.p50
        style = _marker(place) | {"linestyle": "", "capsize": 4, "elinewidth": 1.6}
        error = [[max(0.0, left) / 1e6], [max(0.0, right) / 1e6]]
        axes.errorbar(row.p50 / 1e6, place, xerr=error, **style)
        axes.annotate(
            wording.duration(round(row.p50)),
            (row.p50 / 1e6, place),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(rows)), [drawable(row.name) for row in rows], parse_math=False)
    axes.invert_yaxis()
    axes.margins(y=0.3)
    axes.set_xscale("log")
    _milliseconds(axes.xaxis)
    axes.set_xlabel("median, and where it lies in 95 of 100 draws (ms, logarithmic)")
    each = "; ".join(
        f"{_name(row.name)}: {wording.duration(round(row.p50))}, between {wording.duration(round(row.low))} "
        f"and {wording.duration(round(row.high))}"
        for row in rows
    )
    return _plot(
        figure,
        f"Medians with their intervals: {_names(rows)}",
        finding,
        f"Dot plot of medians with their intervals. {each}. {conditions}",
    )


def attributed(found: Attribution, what: str) -> Plot:
    """The hops of a round trip in their order, the tracer's cost set apart, held against the untraced total.

    What no hop explains is a part of its own.  Where the hops are longer than
    the total, what they have too much goes back from their end to it.
    """
    traced = wording.duration(round(found.traced_ns))
    rounds = wording.count(found.rounds, "traced round trip")
    conditions = f"Medians of the quietest {rounds} ({traced}), without the tracer's calls; total: untraced."
    notes = ["dotted: what the tracer's calls cost, and is not counted"]
    if found.overcorrected_ns >= 1:
        excess = wording.duration(round(found.overcorrected_ns))
        notes.append(f"where they are taken to cost too much ({excess} in all), nothing is left")
    rest = ("explained by no hop", found.unexplained_ns)
    if found.slowed_ns:
        rest = ("slower when traced, beyond what its calls cost", -found.slowed_ns)
    rows = [
        (one.label, one.process, one.corrected_ns, one.taken_off_ns) for one in (*found.shares, found.waking)
    ]
    rows.append((rest[0], "", rest[1], 0.0))
    finding = _told(found)
    figure, axes = _figure(finding, conditions, 1.6 + 0.32 * (len(rows) + 1))
    drawn_as = marks(process for _, process, _, _ in rows if process)
    left = 0.0
    for place, (_, process, length, tracing) in enumerate(rows):
        mark = drawn_as.get(process)
        ink = mark.ink.light if mark else "#404040"
        bar: dict[str, Any] = {"edgecolor": ink, "height": 0.62, "linewidth": 1.1}
        bar |= {"facecolor": ink + "59" if mark else "none"}
        axes.barh(place, length / 1e6, left=left / 1e6, hatch=mark.hatch if mark else "", **bar)
        end = left + length
        if tracing:
            bar |= {"facecolor": "none", "linestyle": ":"}
            axes.barh(place, tracing / 1e6, left=end / 1e6, **bar)
        axes.annotate(
            wording.duration(round(length)),
            ((max(left, end) + tracing) / 1e6, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
        left = end
    axes.barh(len(rows), found.untraced_ns / 1e6, height=0.62, facecolor="#d9d9d9", edgecolor="#404040")
    labels = [*(drawable(wording.shorten(_name(row[0]), 48)) for row in rows), "in all, untraced"]
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.02)
    axes.axvline(found.untraced_ns / 1e6, color="#404040", linewidth=1)
    axes.set_xlabel("ms; " + ";\n".join(notes))
    each = "; ".join(
        f"{_name(label)}: {wording.duration(round(length))}, tracing {wording.duration(round(tracing))}"
        for label, _, length, tracing in rows
    )
    return _plot(
        figure,
        f"Attribution of {_name(what)}: {wording.count(len(found.shares), 'hop')}",
        finding,
        f"Waterfall chart of the latency of {_name(what)}, one bar a hop. {each}. "
        f"{conditions} {'; '.join(notes)}.",
    )


def _told(found: Attribution) -> str:
    """What the hops come to, beside the untraced total."""
    untraced = wording.duration(round(found.untraced_ns))
    if found.slowed_ns:
        explained = wording.duration(round(found.explained_ns))
        return f"Untraced {untraced}; traced, and without the tracer's calls, still {explained}"
    largest = max(found.shares, key=lambda share: share.corrected_ns)
    share, rest = largest.corrected_ns / found.untraced_ns, wording.duration(round(found.unexplained_ns))
    return f"Of {untraced}, {_name(largest.label)} takes {share:.0%}; {rest} are explained by no hop"


def split(out: Sequence[float], server: Sequence[float], back: Sequence[float], conditions: str) -> Plot:
    """Client, server and client again, told apart by packets; ns, one of each a request.

    Raises ValueError if there is none.
    """
    if not len(server):
        raise ValueError("a split needs at least one request")
    parts = (
        ("client: send until its packet is seen", out),
        ("server: its packet until the answer's", server),
        ("client: the answer's packet until recv returns", back),
    )
    middles = [float(np.median(values)) for _, values in parts]
    finding = (
        f"Between the packets, the server takes {wording.duration(round(middles[1]))}: "
        f"{middles[1] / sum(middles):.0%} of the round trip"
    )
    figure, axes = _figure(finding, conditions, 3.0)
    left = 0.0
    for place, ((_, values), middle) in enumerate(zip(parts, middles, strict=True)):
        ink = INKS[place].light
        bar: dict[str, Any] = {"height": 0.6, "facecolor": ink + "59", "edgecolor": ink}
        axes.barh(place, middle / 1e6, left=left / 1e6, hatch=_HATCHES[place], **bar)
        low, high = (wording.duration(round(float(each))) for each in np.quantile(values, [0.25, 0.75]))
        note: dict[str, Any] = {
            "xytext": (5, 0),
            "textcoords": "offset points",
            "va": "center",
            "fontsize": 9,
        }
        told = f"{wording.duration(round(middle))} (half: {low} to {high})"
        axes.annotate(told, ((left + middle) / 1e6, place), **note)
        left += middle
    axes.set_yticks(range(3), [name for name, _ in parts])
    axes.invert_yaxis()
    axes.margins(x=0.65)  # behind the last bar stands the longest text
    axes.set_xlim(left=0)
    axes.set_xlabel("medians, one after another (ms)")
    each = "; ".join(
        f"{name}: {wording.duration(round(middle))}" for (name, _), middle in zip(parts, middles, strict=True)
    )
    text = "A round trip told apart by its packets: client, server, client"
    return _plot(figure, text, finding, f"Bar chart of a round trip's parts, medians. {each}. {conditions}")


def _plot(figure: Figure, text: str, finding: str, description: str) -> Plot:
    return Plot(figure, f"{text}.", f"{finding}.", description)


def _figure(finding: str, conditions: str, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.5, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    title = drawable(wording.shorten(finding, 110))
    figure.suptitle(title, x=0.01, ha="left", weight="bold", size=11.5, parse_math=False)
    axes.set_title(
        "\n".join(wrap(drawable(wording.shorten(conditions, 2 * _LINE)), _LINE)),
        loc="left",
        fontsize=8.5,
        color="#404040",
        pad=8,
        parse_math=False,
    )
    axes.grid(color="#d9d9d9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _style(place: int, *, marker: bool = True) -> dict[str, Any]:
    line = {"linestyle": _LINES[place % len(_LINES)], "linewidth": 1.8}
    if marker:
        return line | _marker(place)
    return line | {"color": INKS[place % len(INKS)].light}


def _marker(place: int) -> dict[str, Any]:
    return {
        "color": INKS[place % len(INKS)].light,
        "marker": _MARKERS[place % len(_MARKERS)],
        "markersize": 6,
        "markeredgecolor": "white",
    }


def _milliseconds(axis: Any) -> None:
    """Powers of ten are named; between them some, where there are fewer than two of these."""

    def between(value: float, _: int) -> str:
        low, high = axis.get_view_interval()
        first = round(value / 10 ** floor(log10(value)))
        return f"{value:g}" if high < 20 * low and first in _NAMED else ""

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(between))


def _legend(axes: Axes) -> None:
    legend = axes.legend(frameon=False, fontsize=9, loc="best", handlelength=3.2)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _at(series: Series, q: float) -> str:
    return wording.duration(round(float(np.quantile(series.values, q))))


def _name(text: str) -> str:
    return wording.visible(text)


def _names(rows: Sequence[Series] | Sequence[Span]) -> str:
    return ", ".join(_name(row.name) for row in rows)
