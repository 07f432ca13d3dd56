"""A snapshot's text, read back: what was known is the value, what was not equals nothing."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.provenance import values
from utils.provenance.values import Cut, Digest, Unknown
from utils.redaction import REDACTED
from utils.tracing.snapshots import freeze, freeze_whole, render

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def recorded(value):
    """What the recorder keeps of ``value``, read back."""
    return values.read(render(freeze_whole(value)))


@given(json_values)
def test_what_was_recorded_whole_is_read_as_it_was(value):
    if REDACTED in render(freeze_whole(value)):
        return
    assert values.canonical(recorded(value)) == values.canonical(json.loads(json.dumps(value)))
    assert values.likeness(recorded(value), json.loads(json.dumps(value))) is not None


@given(json_values)
def test_what_was_recorded_in_part_contradicts_nothing(value):
    text = render(freeze(value))
    if REDACTED in text:
        return
    data = json.loads(json.dumps(value))
    assert values.likeness(values.read(text), data) is not None


@given(json_values, json_values)
def test_other_values_are_not_the_same(one, other):
    if REDACTED in render(freeze_whole([one, other])):
        return
    same = values.canonical(recorded(one)) == values.canonical(recorded(other))
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("bytearray(b'ab')", b"ab"),
        ("(1, <Packet>)", None),
        ("inf", float("inf")),
        ("{'a': [1, … (9 in all)]}", None),
        ("[…]", None),
    ],
)
def test_each_form_of_text_is_read(text, value):
    found = values.read(text)
    assert not isinstance(found, Unknown)
    if value is not None:
        assert found == value


@given(st.text(alphabet="ab'\"\\[](){}<>…,: 1bytearray", max_size=30))
def test_no_text_is_too_strange(text):
    values.read(text)


def test_what_is_unknown_equals_nothing():
    assert values.read("<Packet>") != values.read("<Queue>")
    assert values.canonical([values.read("<Packet>")]) is None
    assert list(values.keys(values.read(f"{REDACTED}"))) == []


@pytest.mark.parametrize("make", [str, str.encode, lambda text: bytearray(text.encode())])
def test_a_long_text_is_known_by_its_digest(make):
    text = "ä" * 10_000
    found = recorded(make(text))
    assert isinstance(found, Cut)
    assert (
        list(values.keys(found))
        == [values.key(text.encode())]
        == [Digest(hashlib.sha256(text.encode()).hexdigest())]
    )
    assert values.holds([{"body": found}], values.key(text.encode()))


def test_bytes_count_as_their_placeholders():
    wire = [
        "picture",
        {"content": {"_placeholder": True, "num": 0}, "more": {"_placeholder": True, "num": 1}},
    ]
    made = recorded(["picture", {"content": b"\x00" * 9000, "more": b"x"}])
    assert values.canonical(made) == values.canonical(wire)
    assert values.likeness(made, wire) == 3


def test_a_value_is_found_inside_another():
    outer = recorded({"args": ({"lot": 1, "cents": 2},)})
    assert values.inside(outer, values.canonical({"cents": 2, "lot": 1}))
    assert not values.inside(outer, values.canonical({"cents": 2}))
    assert values.resembles(values.read("({'lot': 1, … (2 in all)},)"), {"lot": 1, "cents": 2})
    assert not values.resembles(values.read("({'lot': 2, … (2 in all)},)"), {"lot": 1, "cents": 2})
    assert not values.resembles(values.read("{…}"), {"lot": 1})


@given(
    st.lists(st.binary(max_size=12) | st.binary(min_size=values.WHOLE_TEXT + 1, max_size=5000), max_size=4)
)
def test_parts_are_what_they_make_together_and_nothing_else(parts):
    known = [recorded(part) for part in parts]
    whole = b"".join(parts)
    assert values.composes(known, whole)
    assert not values.composes(known, whole + b"x")
    assert not whole or not values.composes(known, bytes([whole[0] ^ 1]) + whole[1:])
