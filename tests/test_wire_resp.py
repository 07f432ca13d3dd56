"""RESP, one value at a time: every form, any cut, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.redis_bytes import VALUES, encoded
from utils.wire import resp
from utils.wire.resp import HOLDERS, Kind, Reader
from utils.wire.units import Fault


def read(data: bytes, *, inline: bool = False) -> tuple[int | Fault | None, Reader]:
    reader = Reader(inline=inline)
    return reader.read(data), reader


def built(data: bytes, reader: Reader) -> object:
    """The value that the tokens stand for, as :data:`VALUES` has it."""
    tokens = iter(reader.tokens)

    def value() -> object:
        token = next(tokens)
        if token.kind in HOLDERS and not token.is_nothing:
            held = int(token.text) * HOLDERS[token.kind]
            return (token.kind, [value() for _ in range(held)])
        content = token.content
        return (token.kind, token.text if content is None else data[content[0] : content[1]])

    found = value()
    assert next(tokens, None) is None
    return found


@given(VALUES, st.binary(max_size=5))
def test_what_is_written_is_read(value, more):
    data = encoded(value)
    end, reader = read(data + more)
    assert end == len(data)
    assert built(data, reader) == value


@given(VALUES, st.data())
def test_a_reader_stops_at_any_byte_and_goes_on(value, data):
    whole = encoded(value)
    at = data.draw(st.integers(0, len(whole) - 1))
    reader = Reader()
    assert reader.read(whole[:at]) is None
    assert at < reader.need <= len(whole) or at == 0
    assert reader.read(whole) == len(whole)
    assert reader.tokens == read(whole)[1].tokens


@given(VALUES)
def test_tokens_tile_a_value(value):
    _, reader = read(encoded(value))
    at = 0
    for token in reader.tokens:
        assert token.start == at
        at = token.end
    assert at == len(encoded(value))


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5))
def test_a_command_is_what_the_client_library_makes_of_it(words):
    from redis.connection import Connection

    packed = b"".join(Connection().pack_command("SET", *words))
    end, reader = read(packed, inline=True)
    assert end == len(packed)
    assert [packed[slice(*token.content)] for token in reader.tokens[1:]] == [b"SET", *words]


def test_there_is_nothing_in_three_ways():
    for data in (b"$-1\r\n", b"*-1\r\n", b"_\r\n"):
        end, reader = read(data)
        assert end == len(data) and reader.tokens[0].is_nothing
    assert not read(b":-1\r\n")[1].tokens[0].is_nothing


def test_a_line_typed_by_hand_is_a_command_of_a_client_only():
    end, reader = read(b"SET a 1\r\n", inline=True)
    assert end == 9 and reader.tokens[0].kind is Kind.INLINE and reader.tokens[0].text == b"SET a 1"
    # What would be a number in an answer is a line of words in what a client sends.
    assert read(b":1\r\n", inline=True)[1].tokens[0].kind is Kind.INLINE
    assert isinstance(read(b"SET a 1\r\n")[0], Fault)
    assert isinstance(read(b"*1\r\nSET\r\n", inline=True)[0], Fault)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"?\r\n", "the first byte of a value"),
        (b"$x\r\n", "a length"),
        (b"$-2\r\n", "a length"),
        (b"$12345678901\r\n", "a length"),
        (b"*1.5\r\n", "a length"),
        (b"$1\r\nabc", "CR LF behind the string"),
        (b":\r\n", "an integer"),
        (b":1-\r\n", "an integer"),
        (b"(x\r\n", "an integer"),
        (b"_x\r\n", "nothing"),
        (b"#y\r\n", "t or f"),
        (b",1_0\r\n", "a number"),
        (b",x\r\n", "a number"),
        (b"+" + b"x" * resp.LONGEST_LINE, f"a line of at most {resp.LONGEST_LINE:,} bytes"),
        (b"$%d\r\n" % resp.LONGEST, f"a value of at most {resp.LONGEST:,} bytes"),
        (b"*%d\r\n" % (resp.MOST_VALUES + 1), f"at most {resp.MOST_VALUES:,} values in one"),
        (b"%%%d\r\n" % resp.MOST_VALUES, f"at most {resp.MOST_VALUES:,} values in one"),
        (b"*1\r\n" * (resp.MOST_DEPTH + 1), f"values at most {resp.MOST_DEPTH} deep"),
        (b"*9\r\n" + (b"*60000\r\n" + b":1\r\n" * 60_000) * 2, f"at most {resp.MOST_VALUES:,} values in one"),
    ],
)
def test_what_is_no_value_is_named(data, expected):
    fault, _ = read(data)
    assert isinstance(fault, Fault)
    assert fault.expected == expected and fault.clause.startswith("redis.io")
    assert 0 <= fault.offset <= len(data)


def test_a_value_of_many_long_lines_is_not_waited_for():
    line = b"+" + b"x" * (resp.LONGEST_LINE - 3) + b"\r\n"
    fault, _ = read(b"*60000\r\n" + line * (resp.LONGEST // len(line) + 2))
    assert isinstance(fault, Fault) and fault.expected == f"a value of at most {resp.LONGEST:,} bytes"


@pytest.mark.parametrize("number", [b"1", b"-1", b"+1", b"3.14", b"1e5", b"inf", b"-inf", b"nan"])
def test_numbers_with_a_fraction(number):
    assert read(b"," + number + b"\r\n")[0] == len(number) + 3


def test_every_kind_has_its_clause():
    assert len({resp.clause(kind) for kind in Kind}) == len(Kind)
