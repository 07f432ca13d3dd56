"""A frame's header as the RFC draws it: four bytes a row, each bit in its cell, the fields below.

The rule kept here: a field's name stands where there is room for it, and every
field, with its bits and what they mean, in the table below the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from xml.etree.ElementTree import Element

from utils.errors import InputError
from utils.records import Message
from utils.views import text, wording
from utils.views.markup import Child, css, drawing, element, html
from utils.views.palette import DARK_INK, FILLS
from utils.views.tables import table
from utils.views.view import HTML, View
from utils.wire import websocket
from utils.wire.bits import Bits, header
from utils.wire.units import Layer

#: Bits in a row, as in the RFC's figure.
ROW = 32

_CELL, _HIGH, _NAME = 26, 26, 20
_TOP = 16

#: Below a single cell there is no room for these names: the middle one speaks for all three.
_SPOKEN = {"RSV1": "", "RSV2": "RSV1–3", "RSV3": ""}

#: Neighbouring fields are told apart by tint and by the line between them.
_TINTS = (FILLS[Layer.WEBSOCKET].tint.light, FILLS[Layer.HTTP].tint.light)


def bits(message: Message) -> View:
    """The header of ``message``, which is a WebSocket frame.  Raises InputError if it is none."""
    frame = websocket.parse(message.unit.raw) if message.unit.layer is Layer.WEBSOCKET else None
    if not isinstance(frame, websocket.Frame):
        raise InputError(
            "the message is no WebSocket frame",
            why=f"it is {message.unit.layer.value}",
            next_step="take one whose layer is WebSocket in packets()",
        )
    fields = header(frame, message.unit.raw)
    heading = f"Header of {wording.shorten(wording.visible(message.unit.summary), 60)}"
    heading += f": {wording.count(frame.head, 'byte')}, {message.unit.raw[: frame.head].hex(' ')}"
    rows = [[_where(field), field.name, field.digits, field.meaning] for field in fields]
    columns = ["bits", "field", "value", "what it says"]
    figure = element(
        "figure",
        svg(fields, f"{heading}. {'; '.join(map(_told, fields))}"),
        element("figcaption", heading),
        class_="lab-bits",
        style=css(margin="0", overflow_x="auto"),
    )
    drawn: list[list[Child]] = [
        [where, name, element("code", _grouped(value)), meaning] for where, name, value, meaning in rows
    ]
    return View(
        f"{heading}\n{text.table([columns, *rows], right=frozenset({0}))}",
        {HTML: html(element("div", figure, table("Each field", columns, drawn)))},
    )


def _where(field: Bits) -> str:
    return str(field.start) if field.width == 1 else f"{field.start}–{field.end - 1}"


def _told(field: Bits) -> str:
    return f"{field.name} {field.digits if field.width < 8 else field.value}, {field.meaning}"


def _grouped(digits: str) -> str:
    """Long values in groups of eight."""
    if len(digits) <= 8:
        return digits
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def svg(fields: tuple[Bits, ...], description: str) -> Element:
    """The bits in rows, the names of their fields below each row."""
    size = fields[-1].end
    rows = -(-size // ROW)
    width, height = _CELL * min(ROW, size) + 2, _TOP + rows * (_HIGH + _NAME + 8)
    drawn: list[Element] = []
    for bit in range(0, min(ROW, size), 8):
        drawn.append(_text(f"bit {bit}", 1 + bit * _CELL, _TOP - 5, text_anchor="start"))
    for field, tint in zip(fields, cycle(_TINTS), strict=False):
        drawn += _field(field, tint)
    return drawing(drawn, width, height, description, font="var(--jp-code-font-family, monospace)")


def _field(field: Bits, tint: str) -> Iterator[Element]:
    """A field's stretch in each of the rows that it takes part in."""
    at = field.start
    while at < field.end:
        end = min(field.end, (at // ROW + 1) * ROW)
        x, y = 1 + at % ROW * _CELL, _TOP + at // ROW * (_HIGH + _NAME + 8)
        wide = (end - at) * _CELL
        cells: list[Child] = [element("title", _told(field))]
        box = {"x": str(x), "y": str(y), "width": str(wide), "height": str(_HIGH)}
        cells.append(element("rect", **box, fill=tint, stroke=DARK_INK, stroke_width="1.4"))
        for place in range(at, end):
            left = x + (place - at) * _CELL
            if place > at:
                line = {"x1": str(left), "x2": str(left), "y1": str(y), "y2": str(y + 5)}
                cells.append(element("line", **line, stroke=DARK_INK, stroke_opacity=".5"))
            digit = field.digits[place - field.start]
            cells.append(_text(digit, left + _CELL / 2, y + 18, fill=DARK_INK, font_size="14"))
        name = field.name if at == field.start else f"{field.name}, continued"
        cells.append(_text(_SPOKEN.get(name, name), x + wide / 2, y + _HIGH + 14))
        yield element("g", *cells)
        at = end


def _text(content: str, x: float, y: float, **attributes: str) -> Element:
    made = {"font_size": "11", "fill": "currentColor", "text_anchor": "middle", **attributes}
    return element("text", content, x=f"{x:g}", y=f"{y:g}", **made)
