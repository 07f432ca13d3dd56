"""The forms of a message come from the wire, and say where each of their bytes stands."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from utils.provenance.codecs import Form
from utils.provenance.forms import paths, shapes
from utils.provenance.fragments import Fragment
from utils.wire.redis import RedisConnection
from utils.wire.units import Side


def forms_of(message):
    return {shape.form: shape for shape in shapes(message, message.unit.explain())}


@pytest.mark.parametrize("side", list(Side))
def test_a_frames_forms_lie_in_each_other(side):
    message = builders.event_message("bid", {"cents": 12500}, side=side)
    forms = forms_of(message)
    raw = message.unit.raw
    assert forms[Form.FRAME].data == raw
    assert (Form.MASKED in forms) == (side is Side.CLIENT)
    text = '42["bid",{"cents":12500}]'
    assert forms[Form.MESSAGE].data == forms[Form.PACKET].data == text.encode()
    assert forms[Form.SOCKET].data == text[1:].encode()
    assert forms[Form.SOCKET].ranges == ((len(raw) - len(text) + 1, len(raw)),)


def test_a_requests_lines_tile_its_head():
    message = builders.http_message()
    found = shapes(message, message.unit.explain())
    lines = [shape for shape in found if shape.form is Form.LINE]
    assert b"".join(line.data for line in lines) == forms_of(message)[Form.HEAD].data
    assert lines[-1].data == b"\r\n"


names = st.text(max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_each_value_of_the_json_has_its_path(argument):
    message = builders.event_message("bid", argument)
    data = ["bid", argument]
    found = list(paths(forms_of(message)[Form.SOCKET], message.unit.explain()))
    assert sum(1 for *_, value in found if not isinstance(value, (list, dict))) == len(found)
    for span, path, value in found:
        here = data
        for step in path:
            here = here[step]
        assert value in here if span.label == "Name" else here == value
    assert all(json.dumps(value) in json.dumps(data) for _, _, value in found)


def test_a_part_of_a_form_is_found_by_its_place_on_the_wire():
    message = builders.event_message("bid", {"cents": 12500}, side=Side.CLIENT)
    shape = forms_of(message)[Form.SOCKET]
    start, end = shape.ranges[0]
    assert shape.between(start, end) == shape.data
    assert [shape.raw_of(at) for at in range(len(shape.data))] == list(range(start, end))
    assert shape.shorter(b"]").data + b"]" == shape.data
    assert shape.covers(start, start + 1) and not shape.covers(start - 1, start + 1)


def test_what_redis_says_is_read_line_by_line_and_string_by_string():
    connection = RedisConnection()
    payload = b'{"method":"emit"}'
    raw = b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$%d\r\n%s\r\n" % (len(payload), payload)
    (unit,) = connection.feed(Side.SERVER, raw)
    found = shapes(replace(builders.event_message(), unit=unit), unit.explain())
    assert [shape.data for shape in found if shape.form is Form.LINE] == [
        b"*3\r\n", b"$7\r\n", b"$1\r\n", b"$17\r\n",
    ]  # fmt: skip
    strings = [shape for shape in found if shape.form is Form.STRING]
    assert [shape.data for shape in strings] == [b"message", b"c", payload]
    end = strings[0].ranges[-1][1]
    assert strings[0].covers(end, end + 2) and not strings[0].covers(end, end + 3)
    assert [shape.data for shape in found if shape.form is Form.QUEUED] == [payload]


def test_a_command_is_one_form():
    (unit,) = RedisConnection().feed(Side.CLIENT, b"*1\r\n$4\r\nPING\r\n")
    found = shapes(replace(builders.event_message(), unit=unit), unit.explain())
    assert [(shape.form, shape.data) for shape in found] == [(Form.RESP, unit.raw)]


def test_a_part_of_a_message_has_its_forms_at_its_place():
    text = b'42["bid",1]'
    message = builders.event_message("bid", 1, side=Side.SERVER)
    part = Fragment(b"4" + text, 1, message.unit.packets[0])  # as if a frame with one byte came before
    (whole,) = [one for one in shapes(message, message.unit.explain(), part) if one.form is Form.MESSAGE]
    start, end = whole.ranges[0]
    assert whole.is_part and whole.between(start, end) == text
    assert whole.raw_of(1) == start
    with pytest.raises(IndexError):
        whole.raw_of(0)
