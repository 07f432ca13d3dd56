"""One message as a strip of lanes: one lane a layer, all on one axis of bytes.

The rule kept here: the axis is the message's own, byte by byte from the left;
a long span is drawn shorter, and the numbers above say so.  A lane shows what
its layer says itself, and, as an outline, what it carries for those above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

from utils.views import text, wording
from utils.views.dump import Dump
from utils.views.markup import Child, css, element
from utils.views.palette import DARK_INK, FILLS, slug
from utils.wire.units import Layer, Span

#: A span of more bytes than this is drawn as if it had as many.
WIDEST = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A run of one lane: ``column`` and ``width`` on the strip, ``start`` to ``end`` in the message."""

    column: int
    width: int
    start: int
    end: int
    field: int | None  # the span's index in Dump.spans; None for what the layer only carries
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """What all forms of the strip draw."""

    columns: int
    ticks: tuple[tuple[int, int], ...]  # (column, byte) of each span's start, and of the end
    lanes: tuple[tuple[Layer, tuple[Box, ...]], ...]  # from the outermost in


def lay_out(shown: Dump) -> Strip:
    """The strip of the spans that a dump shows."""
    places: list[int] = []  # the column at which each span begins
    ticks: list[tuple[int, int]] = []
    column = after = 0
    for span in shown.spans:
        if span.start > after:  # bytes that are not shown
            ticks.append((column, after))
            column += 1
        places.append(column)
        ticks.append((column, span.start))
        column += min(span.end - span.start, WIDEST)
        after = span.end
    ticks.append((column, after))
    lanes = tuple((layer, tuple(_boxes(layer, shown.spans, places))) for layer in shown.layers)
    return Strip(column, tuple(ticks), lanes)


def _boxes(layer: Layer, spans: tuple[Span, ...], places: list[int]) -> Iterator[Box]:
    """The layer's own spans, and each run of spans that it carries."""
    order = list(Layer)
    depth = order.index(layer)
    carried: list[int] = []
    begun = False
    for index, span in enumerate(spans):
        above = begun and order.index(span.layer) > depth and Layer.UNKNOWN not in (layer, span.layer)
        if above:
            carried.append(index)
            continue
        if carried:
            yield _carrying(carried, spans, places)
            carried = []
        if span.layer is layer:
            begun = True
            width = min(span.end - span.start, WIDEST)
            yield Box(places[index], width, span.start, span.end, index, _label(span))
        elif layer is not Layer.HTTP and span.layer is Layer.HTTP:
            begun = False  # what it said is over: a parameter of the target carries no body
    if carried:
        yield _carrying(carried, spans, places)


def _label(span: Span) -> str:
    """A field's name; of the application's own data, the data: each token is its own best name."""
    told = span.value if span.layer is Layer.PAYLOAD and span.value else span.label
    return wording.shorten(wording.visible(told), 24)


def _carrying(carried: list[int], spans: tuple[Span, ...], places: list[int]) -> Box:
    first, last = carried[0], carried[-1]
    end = places[last] + min(spans[last].end - spans[last].start, WIDEST)
    name = spans[first].layer.value
    return Box(
        places[first], end - places[first], spans[first].start, spans[last].end, None, f"carries {name}"
    )


def sentence(shown: Dump, box: Box) -> str:
    """What a box says to those who point at it, or hear it."""
    where = text.span_range(box.start, box.end)
    if box.field is None:
        return f"{where}: {box.label}"
    span = shown.spans[box.field]
    told = f"{where}: {span.label}, {wording.shorten(span.value, 80)}. {span.meaning} {span.clause}"
    return wording.visible(told).strip()


# ── text ─────────────────────────────────────────────────────────────────────

_NAME = 10


def lines(shown: Dump) -> Iterator[str]:
    """The strip in characters: a block for each byte of a layer's own, a line for what it carries."""
    strip = lay_out(shown)
    axis = [" "] * (strip.columns + 12)
    free = 0
    for column, byte in strip.ticks:
        if column >= free:
            number = str(byte)
            axis[column : column + len(number)] = number
            free = column + len(number) + 1
    yield f"{'byte':<{_NAME}} {''.join(axis)}".rstrip()
    for layer, boxes in strip.lanes:
        lane = [" "] * strip.columns
        for box in boxes:
            drawn = "─" * box.width if box.field is None else "▐" + "█" * (box.width - 1)
            lane[box.column : box.column + box.width] = drawn
        yield f"{layer.value:<{_NAME}} {''.join(lane)}".rstrip()


# ── HTML, and what the inspector draws the same from ─────────────────────────

_BOX = css(
    padding=".15em .3em", text_align="left", font_size=".85em", overflow="hidden", white_space="nowrap"
)


def strip_element(shown: Dump) -> Element:
    """The strip as a table, one row a lane: it stands even where every style is stripped."""
    strip = lay_out(shown)
    head: list[Child] = [element("th", "byte", scope="row", style=_BOX)]
    for (column, byte), (following, _) in pairwise(strip.ticks):
        head.append(element("td", str(byte), colspan=str(following - column), style=_BOX))
    rows = [element("tr", *head)]
    for layer, boxes in strip.lanes:
        cells: list[Child] = [element("th", layer.value, scope="row", style=_BOX)]
        at = 0
        for box in boxes:
            if box.column > at:
                cells.append(element("td", colspan=str(box.column - at)))
            cells.append(_cell(shown, layer, box))
            at = box.column + box.width
        if at < strip.columns:
            cells.append(element("td", colspan=str(strip.columns - at)))
        rows.append(element("tr", *cells))
    caption = element(
        "caption", "Layers, on one axis of bytes", style=css(text_align="left", font_weight="600")
    )
    table = element("table", caption, element("tbody", *rows), style=css(border_collapse="separate"))
    return element("div", table, style=css(overflow_x="auto", margin=".4em 0"))


def _cell(shown: Dump, layer: Layer, box: Box) -> Element:
    fill = FILLS[layer]
    if box.field is None:
        style = css(border="1px dashed rgba(128,128,128,.7)", opacity=".8")
    else:
        style = css(background_color=fill.tint.light, background_image=fill.pattern, color=DARK_INK)
    return element(
        "td", box.label, colspan=str(box.width), title=sentence(shown, box), style=f"{_BOX};{style}"
    )


def strip_json(shown: Dump) -> dict[str, Any]:
    """The strip as plain values."""
    strip = lay_out(shown)
    return {
        "columns": strip.columns,
        "ticks": [list(tick) for tick in strip.ticks],
        "lanes": [
            {
                "layer": layer.value,
                "tint": slug(layer),
                "boxes": [
                    {
                        "column": box.column,
                        "width": box.width,
                        "field": box.field,
                        "label": box.label,
                        "sentence": sentence(shown, box),
                    }
                    for box in boxes
                ],
            }
            for layer, boxes in strip.lanes
        ],
    }
