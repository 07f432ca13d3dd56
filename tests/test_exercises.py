"""An exercise answers whatever it is asked: a tick, a cross that helps, or patience."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.exercises import check
from utils.wire.units import Layer


def right(*arguments):
    return str(check(*arguments)).startswith("✓ right")


class TestWhatIsRight:
    @pytest.mark.parametrize(
        ("got", "expected"),
        [
            (53, 53),
            (b"\x81\x05", b"\x81\x05"),
            (bytearray(b"\x81"), b"\x81"),
            ("writer", {"writer", "reader"}),
            ({"writer", "reader"}, {"reader", "writer"}),
            (frozenset("ab"), {"a", "b"}),
            (2, range(1, 4)),
            (range(3), range(3)),
            ((1, 2), [1, 2]),
            ([("a", 1)], [["a", 1]]),
            (7, lambda answer: answer % 2),
            (Layer.HTTP, Layer.HTTP),
            (int, int),
            (None, None),
            (True, True),
        ],
    )
    def test_a_value_a_member_a_number_in_range_or_what_a_predicate_takes(self, got, expected):
        assert right(got, expected)

    def test_the_answer_is_told_and_the_hint_is_not(self):
        assert str(check(53, 53, look="run.bytes(1)")) == "✓ right: 53"
        assert str(check(b"\x81\xaf", b"\x81\xaf")) == "✓ right: 81 af (2 bytes)"


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("got", "expected"),
        [
            (54, 53),
            ("53", 53),
            (True, 1),
            (1, True),
            (b"\x81", "\x81"),
            ("reader", {"writer"}),
            ({"writer"}, {"reader", "writer"}),
            (4, range(1, 4)),
            (True, range(1, 4)),
            ("2", range(1, 4)),
            ([1, 2], [1, 2, 3]),
            ([True], [1]),
            (6, lambda answer: answer % 2),
            (bool, int),
            (None, 0),
        ],
    )
    def test_is_not_yet_right(self, got, expected):
        assert str(check(got, expected)).startswith("✗ not yet")

    def test_says_what_was_expected_what_came_and_where_to_look(self):
        said = str(check(54, 53, look="run.bytes(1)")).splitlines()
        assert said == ["✗ not yet", "expected  53", "got       54", "look      run.bytes(1)"]

    @pytest.mark.parametrize(
        ("got", "expected", "note"),
        [
            (b"\x81\x05hallo", b"\x81\x05hello", "byte 3 (counted from 0): 0x65 expected, 0x61 came"),
            (b"\x81", b"\x81\x05", "it ends after 1 byte; 2 bytes expected"),
            (b"\x81\x05", b"\x81", "from byte 1 on (counted from 0) there is more than expected"),
            ("accept", "except", "character 0 (counted from 0): 'e' expected, 'a' came"),
            (["HTTP", "TCP"], ("HTTP", "WebSocket"), "item 1 (counted from 0): 'WebSocket' expected"),
            ("\x81", b"\x81", "bytes are asked for"),
            (b"2", "2", "text is asked for"),
        ],
    )
    def test_names_the_first_place_where_they_part(self, got, expected, note):
        assert note in str(check(got, expected))

    def test_a_set_that_was_given_is_told_in_one_order(self):
        told = {str(check(set(order), set("abc"))) for order in ("abc", "cba", "bca")}
        assert told == {"✓ right: {'a', 'b', 'c'}"}

    def test_a_set_and_a_range_are_told_by_their_members(self):
        assert "one of 'a', 'b'" in str(check("c", {"b", "a"}))
        assert "a whole number from 1 to 3" in str(check(0, range(1, 4)))

    def test_a_predicate_speaks_for_itself(self):
        def odd(answer):
            """an odd number

            as the run had it"""
            return answer % 2

        assert "expected  an odd number\n" in str(check(6, odd))
        assert "fits what the run showed" in str(check(6, lambda answer: False))


class TestWhatIsNotAnswered:
    @pytest.mark.parametrize("got", [..., [...], (1, ...), {"thread": ...}, [(1, [...])]])
    def test_waits_and_keeps_the_answer_back(self, got):
        assert str(check(got, 53)) == "… not answered yet"

    def test_says_where_to_look(self):
        assert str(check(..., 53, look="run.bytes(1)")).splitlines()[1] == "look  run.bytes(1)"

    def test_a_predicate_is_not_asked(self):
        assert str(check(..., lambda answer: 1 / 0)) == "… not answered yet"


class Unkind:
    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __repr__(self):
        raise RuntimeError("no words")


class TestItRaisesNothing:
    def test_where_a_comparison_raises(self):
        assert "it cannot be compared: RuntimeError: no comparison" in str(check(Unkind(), 1))

    def test_where_a_predicate_raises(self):
        assert "ZeroDivisionError" in str(check(0, lambda answer: 1 / answer))

    def test_where_a_value_cannot_show_itself(self):
        assert "a value of type Unkind that cannot show itself" in str(check(Unkind(), lambda answer: True))

    def test_where_a_comparison_answers_with_something_else(self):
        import numpy

        assert "ValueError" in str(check(numpy.arange(3), 1))

    values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()

    @staticmethod
    def nested(inner):
        return st.recursive(
            inner,
            lambda one: (
                st.lists(one) | st.tuples(one, one) | st.dictionaries(st.text(), one) | st.just({1, "a"})
            ),
            max_leaves=8,
        )

    @given(nested(values | st.just(...)), nested(values | st.just(...)))
    def test_whatever_is_held_against_whatever(self, got, expected):
        assert str(check(got, expected, look="there"))[0] in "✓✗…"

    @given(nested(values))
    def test_an_answer_is_right_if_it_is_what_was_expected(self, value):
        assert right(value, value)


def test_a_long_answer_is_cut():
    assert len(str(check("x" * 10_000, "y"))) < 1000
