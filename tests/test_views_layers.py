"""The strip: one lane a layer, all on one axis; what stands in a lane is what the spans say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders, hostile
from tests.conforming import conversation
from tests.markup_reader import Reader
from tests.wire_bytes import talk
from utils.records import Message
from utils.views.dump import Dump, dump
from utils.views.layers import WIDEST, lay_out, lines, strip_element, strip_json
from utils.views.markup import html
from utils.wire.units import Layer, Side

FLOW = builders.http_message().flow


@pytest.fixture
def bid() -> Dump:
    return dump(builders.event_message("bid", 7))


def test_the_text_draws_each_layer_under_the_one_that_carries_it(bid):
    assert list(lines(bid)) == [
        "byte       0 2   6 8     14 17",
        "WebSocket  ▐▐▐███───────────",
        "Engine.IO        ▐──────────",
        "Socket.IO         ▐─▐████───",
        "Payload            ▐     ▐▐▐",
    ]


def test_the_lanes_of_a_bid(bid):
    strip = lay_out(bid)
    assert [layer for layer, _ in strip.lanes] == [
        Layer.WEBSOCKET,
        Layer.ENGINEIO,
        Layer.SOCKETIO,
        Layer.PAYLOAD,
    ]
    lanes = {layer: [(box.start, box.end, box.label) for box in boxes] for layer, boxes in strip.lanes}
    assert lanes[Layer.WEBSOCKET] == [
        (0, 1, "FIN, RSV and opcode"),
        (1, 2, "Mask bit and length"),
        (2, 6, "Masking key"),
        (6, 17, "carries Engine.IO"),
    ]
    assert lanes[Layer.ENGINEIO] == [(6, 7, "Packet type"), (7, 17, "carries Socket.IO")]
    assert lanes[Layer.SOCKETIO] == [
        (7, 8, "Packet type"),
        (8, 9, "carries Payload"),
        (9, 14, "Event name"),
        (14, 17, "carries Payload"),
    ]


def test_a_long_span_is_drawn_shorter_and_the_numbers_say_so():
    message = builders.event_message("bid", "x" * 100)
    strip = lay_out(dump(message))
    ticks = dict(strip.ticks)
    assert all(box.width <= WIDEST for _, boxes in strip.lanes for box in boxes if box.field is not None)
    assert ticks[strip.columns] == len(message.unit.raw)
    assert strip.columns < len(message.unit.raw) - 80


def test_what_is_not_shown_is_one_column():
    message = builders.event_message("bid", ["x" * 60] * 60)
    strip = lay_out(dump(message, mark=(3000, 3010)))
    starts = [byte for _, byte in strip.ticks]
    assert starts == sorted(starts) and strip.columns < 400


@given(st.integers(0, 2**32 - 1))
def test_in_each_column_one_lane_speaks_and_the_lanes_below_it_carry(seed):
    pieces, _ = conversation(random.Random(seed))
    for unit in talk(pieces)[:6]:
        shown = dump(Message(FLOW if unit.side is Side.CLIENT else FLOW.reverse, unit, 0, 0))
        strip = lay_out(shown)
        speaking: dict[int, Layer] = {}
        for layer, boxes in strip.lanes:
            at = 0
            for box in boxes:
                assert at <= box.column and box.width > 0
                at = box.column + box.width
                if box.field is None:
                    continue
                span = shown.spans[box.field]
                assert (span.start, span.end, span.layer) == (box.start, box.end, layer)
                for column in range(box.column, at):
                    assert speaking.setdefault(column, layer) is layer
            assert at <= strip.columns
        assert len(speaking) == strip.columns


def test_the_table_has_a_row_for_each_lane_and_explains_each_box(bid):
    read = Reader(html(strip_element(bid)))
    assert [name in read.text for name in ("WebSocket", "Engine.IO", "Socket.IO", "Payload")] == [True] * 4
    titles = [cell["title"] for cell in read.find("td") if "title" in cell]
    assert len(titles) == len(bid.spans) + 4
    assert any("Masking key" in title and "RFC 6455 §5.3" in title for title in titles)


def test_plain_values_tell_the_same(bid):
    told, strip = strip_json(bid), lay_out(bid)
    assert told["columns"] == strip.columns
    assert [len(lane["boxes"]) for lane in told["lanes"]] == [len(boxes) for _, boxes in strip.lanes]


@hostile.each_payload
def test_no_payload_becomes_markup(payload):
    usual = Reader(html(strip_element(dump(builders.hostile_message("x")))))
    read = Reader(html(strip_element(dump(builders.hostile_message(payload)))))
    assert read.forms == usual.forms and len(read.elements) == len(usual.elements)
