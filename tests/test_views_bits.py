"""A frame's header, drawn: every bit in its cell, in words for whoever does not see it."""

from __future__ import annotations

import pytest

from tests import builders
from tests.markup_reader import Reader
from utils import lab
from utils.errors import InputError
from utils.views.bits import bits
from utils.wire.units import Side


def test_each_bit_has_its_cell_in_order():
    message = builders.event_message(side=Side.SERVER, data="x" * 300)
    read = Reader(bits(message).html)
    drawn = [word for word in read.words if word in ("0", "1")]
    head = message.unit.raw[:4]
    assert "".join(drawn[:32]) == f"{int.from_bytes(head, 'big'):032b}"


def test_the_picture_says_in_words_what_it_draws():
    view = bits(builders.event_message())
    (svg,) = Reader(view.html).find("svg", role="img")
    assert "FIN 1, the last frame of its message" in svg["aria-label"]
    assert "opcode 0001, TEXT, a data frame" in svg["aria-label"]
    assert "MASK 1, masked" in svg["aria-label"]


def test_a_field_that_crosses_a_row_is_named_in_both():
    text = Reader(bits(builders.event_message()).html).text
    assert "masking key, continued" in text and "RSV1–3" in text


def test_the_text_tells_every_field():
    lines = str(bits(builders.event_message(side=Side.SERVER))).splitlines()
    assert [line.split()[1] for line in lines[2:]] == [
        "FIN",
        "RSV1",
        "RSV2",
        "RSV3",
        "opcode",
        "MASK",
        "length",
    ]


def test_what_is_no_frame_is_refused():
    with pytest.raises(InputError, match="no WebSocket frame"):
        bits(builders.http_message())


def test_a_run_shows_them_by_number_or_by_event():
    run = lab.replay("one_bid")
    number = 1 + run.messages.index(run.events("replaced values")[0])
    assert str(run.bits(number)) == str(run.bits("replaced values"))
