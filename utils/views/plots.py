"""Plots of what was measured, drawn to be believed.

The rule kept here: the title states the finding with its number from the data;
units stand on the axis; a process is told by hatch and by name as well as by
colour; a traced run says that it was traced.  Each plot carries a text for
those who do not see it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.latency.hops import Hop
from utils.records import Journey
from utils.views import wording
from utils.views.markup import css, element, html
from utils.views.palette import marks
from utils.views.view import HTML, PLAIN

_DPI = 144

_TRACED = "Traced run: times include the tracer's own cost."


@dataclass(frozen=True, slots=True, repr=False)
class Plot:
    """A figure with its finding and its description; a notebook shows all three.

    ``text`` holds nothing measured, so that two runs compare.
    """

    figure: Figure
    text: str
    finding: str
    description: str

    def png(self) -> bytes:
        """The figure as PNG."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        width = round(self.figure.get_figwidth() * 96)
        image = element(
            "img",
            alt=self.description,
            src="data:image/png;base64," + base64.b64encode(self.png()).decode("ascii"),
            width=str(width),
            style=css(max_width="100%", height="auto", border_radius=".4em"),
        )
        caption = element("figcaption", self.finding)
        figure = element("figure", image, caption, class_="lab-plot", style=css(margin="0"))
        return {PLAIN: self.text, HTML: html(figure)}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def waterfall(hops: Sequence[Hop], journey: Journey) -> Plot:
    """Where the time of ``journey`` went: one bar a hop, on one clock, in ms.

    Raises ValueError if there is no hop.
    """
    if not hops:
        raise ValueError("a waterfall needs at least one hop")
    begin = min(hop.start_ns for hop in hops)
    whole = max(hop.end_ns for hop in hops) - begin
    longest = max(hops, key=lambda hop: hop.duration_ns)
    share = longest.duration_ns / whole if whole else 1.0
    finding = (
        f"The longest hop, {wording.visible(longest.label)}, takes "
        f"{wording.duration(longest.duration_ns)} of {wording.duration(whole)} ({share:.0%})"
    )
    conditions = _TRACED if journey.traced else "Untraced run."
    figure = Figure(figsize=(9.5, 1.5 + 0.32 * len(hops)), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    _draw_bars(axes, hops, begin, whole)
    axes.set_xlabel("time since the first hop began (ms)")
    figure.suptitle(
        drawable(wording.shorten(finding, 110)), x=0.01, ha="left", weight="bold", size=11.5, parse_math=False
    )
    axes.set_title(conditions, loc="left", fontsize=9.5, color="#404040", pad=8)

    name = wording.visible(journey.name)
    each = "; ".join(f"{wording.visible(hop.label)}: {wording.duration(hop.duration_ns)}" for hop in hops)
    return Plot(
        figure,
        f"Latency of {name}, hop by hop: {wording.count(len(hops), 'hop')}. {conditions}",
        f"{finding}. {conditions}",
        f"Bar chart of the latency of {name}, one bar a hop. {each}. {conditions}",
    )


def _draw_bars(axes: Axes, hops: Sequence[Hop], begin: int, whole: int) -> None:
    drawn_as = marks(hop.process for hop in hops)
    for place, hop in enumerate(hops):
        mark = drawn_as[hop.process]
        start, length = (hop.start_ns - begin) / 1e6, hop.duration_ns / 1e6
        tint = mark.ink.light + "59"  # a third of the ink, so that the hatch shows
        ink = mark.ink.light
        bar: dict[str, Any] = {"facecolor": tint, "edgecolor": ink, "hatch": mark.hatch, "linewidth": 1.1}
        axes.barh(place, length, left=start, height=0.62, **bar)
        # The number stands beside the bar, on the side where there is room.
        left = hop.end_ns - begin > 0.82 * whole and hop.start_ns - begin > 0.18 * whole
        axes.annotate(
            wording.duration(hop.duration_ns),
            (start if left else start + length, place),
            xytext=(-5 if left else 5, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=9,
        )
    labels = [drawable(wording.shorten(wording.visible(hop.label), 48)) for hop in hops]
    axes.set_yticks(range(len(hops)), labels, parse_math=False)
    for tick, hop in zip(axes.get_yticklabels(), hops, strict=True):
        tick.set_color(drawn_as[hop.process].ink.light)
    axes.invert_yaxis()
    axes.margins(x=0.02, y=0.02)
    axes.set_xlim(left=0)
    axes.grid(axis="x", color="#d9d9d9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)


@cache
def _glyphs() -> frozenset[int]:
    font = font_manager.findfont(font_manager.FontProperties())
    return frozenset(font_manager.get_font(font).get_charmap())


def drawable(text: str) -> str:
    """``text`` with a box for each character that the plots' font lacks."""
    return "".join(c if ord(c) in _glyphs() else "□" for c in wording.visible(text))
