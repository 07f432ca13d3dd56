"""The schemas: taken whole or refused whole, and no refusal repeats what was sent."""

from __future__ import annotations

import math
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab_server.messages import (
    MAX_PICTURE,
    Join,
    ListLots,
    Message,
    OpenLot,
    PlaceBid,
    ShowPicture,
    parse,
    picture_type,
)
from lab_server.rules import MAX_CENTS, Refused

GOOD = {"id": str(uuid.UUID(int=1)), "lot": 1, "bidder": "Ada", "cents": 1000}


@pytest.mark.parametrize(
    "name", ["Ada", "a", "Müller-Lüdenscheidt", "O’Brien", "李雷", "अदा", "J. R. R.", "R2 D2"]
)
def test_names_of_people_are_names(name: str) -> None:
    assert parse(PlaceBid, ({**GOOD, "bidder": name},)).bidder == name


def test_two_spellings_of_one_name_are_one() -> None:
    composed, decomposed = "René", "Rene\u0301"
    assert parse(PlaceBid, ({**GOOD, "bidder": decomposed},)).bidder == composed


@pytest.mark.parametrize(
    "change",
    [
        {"cents": 1000.0},
        {"cents": "1000"},
        {"cents": True},
        {"cents": math.nan},
        {"cents": math.inf},
        {"cents": 0},
        {"cents": -5},
        {"cents": MAX_CENTS + 1},
        {"cents": 10**99},
        {"cents": None},
        {"cents": [1000]},
        {"lot": 0},
        {"lot": -1},
        {"lot": 2**31},
        {"lot": "1"},
        {"lot": {}},
        {"bidder": ""},
        {"bidder": " Ada"},
        {"bidder": "Ada\n"},
        {"bidder": "A" * 41},
        {"bidder": "<b>Ada</b>"},
        {"bidder": "Ada\u200d"},
        {"bidder": "\u202eadA"},
        {"bidder": "Ada\x00"},
        {"bidder": b"Ada"},
        {"id": "1"},
        {"id": str(uuid.UUID(int=0xA)).upper()},
        {"id": "{" + str(uuid.UUID(int=1))[:34] + "}"},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_bid_that_is_not_one_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        parse(PlaceBid, ({**GOOD, **change},))
    assert refused.value.code == "invalid"
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("missing", list(GOOD))
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(Refused, match=f"^{missing}: "):
        parse(PlaceBid, ({name: value for name, value in GOOD.items() if name != missing},))


@pytest.mark.parametrize("arguments", [(), (GOOD, GOOD), ([GOOD],), (None,), ("bid",), (b"",)])
def test_an_event_takes_one_object(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Refused):
        parse(PlaceBid, arguments)


def test_no_refusal_repeats_what_was_sent() -> None:
    markup = "<img src=x onerror=alert(1)>"
    for message in ({**GOOD, "bidder": markup}, {**GOOD, markup: 1}, {**GOOD, "id": markup}, markup):
        with pytest.raises(Refused) as refused:
            parse(PlaceBid, (message,))
        assert "<" not in refused.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@given(
    schema=st.sampled_from([ListLots, Join, PlaceBid, OpenLot, ShowPicture]),
    arguments=st.lists(
        json_values
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("id", "lot", "bidder", "cents", "after", "title", "content"), json_values
            ),
        ),
        max_size=2,
    ),
)
def test_anything_is_taken_or_refused_and_never_fails(schema: type[Message], arguments: list[Any]) -> None:
    try:
        message = parse(schema, tuple(arguments))
    except Refused:
        return
    assert arguments == [
        {name: value for name, value in message.model_dump().items() if name in arguments[0]}
    ]


def test_a_picture_is_what_its_bytes_say() -> None:
    assert picture_type(b"\x89PNG\r\n\x1a\n...") == "image/png"
    assert picture_type(b"\xff\xd8\xff...") == "image/jpeg"
    for content in (b"", b"GIF89a", b"<svg onload=alert(1)>", b"\x89PN"):
        with pytest.raises(Refused):
            picture_type(content)


def test_a_picture_has_its_largest_size() -> None:
    parse(ShowPicture, ({"lot": 1, "content": bytes(MAX_PICTURE)},))
    with pytest.raises(Refused):
        parse(ShowPicture, ({"lot": 1, "content": bytes(MAX_PICTURE + 1)},))
