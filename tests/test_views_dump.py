"""A dump: every shown byte in one run, every hidden byte counted."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from utils.records import Message
from utils.views.dump import AROUND, HEAD, ROW, characters, dump, readable, windows
from utils.wire.units import Layer, Side, Unit

marks = st.none() | st.tuples(st.integers(0, 5000), st.integers(1, 5000)).map(lambda p: (p[0], p[0] + p[1]))


@given(st.integers(0, 5000), marks)
def test_windows_are_apart_in_order_and_hold_the_head_and_the_mark(length, mark):
    shown = windows(length, mark)
    after = -1
    for start, end in shown:
        assert after < start < end <= length
        assert start % ROW == 0
        after = end
    if length:
        assert shown[0][0] == 0 and shown[0][1] >= min(length, HEAD)
    if mark is not None and mark[0] < length:
        assert any(start <= mark[0] < end for start, end in shown)
    assert sum(end - start for start, end in shown) <= HEAD + AROUND


def padded(length: int) -> Message:
    return builders.event_message(data="x" * length, side=Side.SERVER)


@given(st.integers(0, 3000), marks, st.sampled_from([8, 16]))
def test_rows_hold_every_shown_byte_once(length, mark, width):
    message = padded(length)
    shown = dump(message, mark)
    seen = [at for row in shown.rows(width) if row for run in row.runs for at in range(run.start, run.end)]
    assert seen == [at for start, end in shown.windows for at in range(start, end)]
    assert shown.hidden == len(message.unit.raw) - len(seen)
    for row in filter(None, shown.rows(width)):
        for run in row.runs:
            span = shown.spans[run.span]
            assert span.start <= run.start and run.end <= span.end
            assert {shown.marked(at) for at in range(run.start, run.end)} == {run.marked}


def test_a_gap_stands_where_bytes_are_left_out():
    rows = list(dump(padded(5000), (4000, 4010)).rows())
    assert rows[0] is not None
    assert rows.count(None) == 2
    assert rows[-1] is None


def test_a_mark_of_the_whole_message_marks_nothing():
    message = builders.event_message()
    assert dump(message, (0, len(message.unit.raw))).mark is None


def test_a_masked_frame_reads_unmasked():
    message = builders.event_message(data="ünmasked", side=Side.CLIENT)
    shown = dump(message)
    assert shown.unmasked
    assert shown.readable.endswith(message.unit.payload)
    assert len(shown.readable) == len(shown.raw)


def test_what_is_not_masked_reads_as_it_is():
    assert not dump(builders.http_message()).unmasked
    assert not dump(builders.event_message(side=Side.SERVER)).unmasked


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_a_payload_that_does_not_unmask_is_not_shown_as_if_it_did(raw, payload):
    unit = Unit(Side.CLIENT, Layer.WEBSOCKET, 0, raw, payload)
    text = readable(unit)
    assert len(text) == len(raw)
    if text != raw:
        head = len(raw) - len(payload)
        key = raw[head - 4 : head]
        assert bytes(byte ^ key[at % 4] for at, byte in enumerate(raw[head:])) == payload


def test_a_masking_key_of_zero_changes_nothing():
    unit = Unit(Side.CLIENT, Layer.WEBSOCKET, 0, b"\x81\x82\0\0\0\0hi", b"hi")
    assert readable(unit) == unit.raw


def test_only_the_spans_in_sight_are_kept():
    shown = dump(padded(3000))
    assert shown.spans[-1].start < HEAD < len(shown.raw)
    assert shown.layers == (Layer.WEBSOCKET, Layer.ENGINEIO, Layer.SOCKETIO, Layer.PAYLOAD)


def test_an_empty_message_has_no_rows():
    message = builders.event_message()
    empty = replace(message, unit=Unit(Side.CLIENT, Layer.UNKNOWN, 0, b""))
    assert list(dump(empty).rows()) == []


def test_characters_are_one_for_each_byte():
    assert characters(bytes(range(256)))[0x1F:0x21] == "· "
    assert len(characters(bytes(range(256)))) == 256
