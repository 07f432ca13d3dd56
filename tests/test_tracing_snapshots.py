"""Values as texts: bounded, safe, and without secrets."""

from __future__ import annotations

import ast
import enum
import hashlib
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.redaction import REDACTED, is_secret, scrub
from utils.tracing.snapshots import (
    MOST_DIGESTED,
    MOST_ITEMS,
    MOST_TEXT,
    WHOLE_DEPTH,
    WHOLE_TEXT,
    WHOLE_VALUES,
    freeze,
    freeze_whole,
    render,
    render_arguments,
    type_name,
)

small_text = st.text(max_size=20).filter(lambda text: scrub(text) == text)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**500), 2**500)
    | st.floats(allow_nan=False, allow_infinity=False)
    | small_text
)
plain = st.recursive(
    scalars | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=8,
)


def depth(value):
    if not isinstance(value, (list, tuple)):
        return 0
    return 1 + max(map(depth, value), default=-1)


@given(plain)
def test_what_is_small_and_plain_comes_back_from_its_text(value):
    if depth(value) > 1:  # what lies deeper is cut
        return
    text = render(freeze(value))
    if REDACTED not in text:
        assert ast.literal_eval(text) == value


@given(st.recursive(scalars | st.binary(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_every_text_is_bounded(value):
    # An item of an item is the largest; each of its characters is written as at most ten.
    assert len(render(freeze(value))) <= 10 * (MOST_TEXT + 100) * MOST_ITEMS**2


@pytest.mark.parametrize("value", ["x" * 5000, b"\x00" * 5000, bytearray(5000), "\x00" * 5000])
def test_a_long_text_is_cut_and_says_so(value):
    text = render(freeze(value))
    assert len(text) < 4 * MOST_TEXT + 100
    assert "…" in text


def test_a_long_container_says_how_long_it_is():
    assert render(freeze(list(range(100)))).endswith(", 11, … (100 in all)]")
    assert render(freeze({number: number for number in range(100)})).endswith("… (100 in all)}")


def test_what_lies_too_deep_is_only_hinted_at():
    assert render(freeze([[[[1]]]])) == "[[[…]]]"


def test_a_frozen_value_does_not_follow_its_original():
    value = {"a": [1]}
    frozen = freeze(value)
    value["a"].append(2)
    value["b"] = 3
    assert render(frozen) == "{'a': [1]}"


# ── hostile values ───────────────────────────────────────────────────────────


def boom(*arguments, **named):
    raise AssertionError("the tracer ran code of the program")


class Hostile:
    """Whatever is asked of it, it fails."""

    __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __getattr__ = __format__ = boom
    __hash__ = __getattribute__ = __reduce__ = __sizeof__ = boom

    @property
    def __class__(self):
        boom()


class HostileMeta(type):
    """Its classes fail, too."""

    __hash__ = __eq__ = __repr__ = __instancecheck__ = __subclasscheck__ = boom
    __name__ = property(boom)

    def __getattribute__(cls, name):
        boom()


class HostileClass(metaclass=HostileMeta):
    pass


class HostileText(str):
    __repr__ = __len__ = __getitem__ = __hash__ = __eq__ = boom


class HostileDict(dict):
    items = keys = __iter__ = __len__ = __repr__ = boom


class HostileKey:
    """A key that may be hashed once, to get into a dict."""

    __repr__ = boom

    def __hash__(self):
        return 1


# Made inside the test: a hostile value would fail pytest itself.
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Hostile(), "<Hostile>"),
        (lambda: HostileClass(), "<HostileClass>"),
        (lambda: HostileText("x"), "<HostileText>"),
        (lambda: HostileDict(a=1), "<HostileDict>"),
        (lambda: [Hostile(), 1], "[<Hostile>, 1]"),
        (lambda: {HostileKey(): Hostile()}, "{<HostileKey>: <Hostile>}"),
        (lambda: (HostileText(),), "(<HostileText>,)"),
        (lambda: threading.Lock(), "<lock>"),
        (lambda: int, "<class int>"),
        (lambda: float("nan"), "nan"),
        (lambda: 10**5000, "<int of 16610 bits>"),
        (lambda: {1, 2}, "<set>"),
    ],
)
def test_no_code_of_others_is_run(make, text):
    assert render(freeze(make())) == text


def test_a_member_of_an_enumeration_goes_by_its_name():
    class Colour(enum.Enum):
        RED = 1

        __repr__ = __str__ = boom

    class Opcode(enum.IntEnum):
        TEXT = 1

    assert render(freeze(Colour.RED)) == "<Colour.RED>"
    assert render(freeze(Opcode.TEXT)) == "<Opcode.TEXT>"


def test_a_half_built_object_is_no_trouble():
    assert render(freeze(Hostile.__new__(Hostile))) == "<Hostile>"


def test_freezing_keeps_nothing_alive():
    value = Hostile()
    before = sys.getrefcount(value)
    frozen = [freeze([value, {"key": value}]), freeze(value)]
    assert sys.getrefcount(value) == before
    assert len(frozen) == 2


def test_a_dict_may_change_while_it_is_looked_at():
    shared: dict[int, int] = {}
    done = threading.Event()

    def churn():
        number = 0
        while not done.is_set():
            shared[number % 50] = number
            shared.pop((number * 7) % 50, None)
            number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(2000):
            freeze(shared)
    finally:
        done.set()
        thread.join(30)


# ── secrets ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "cookie", "HTTP_COOKIE", "set-cookie", "Set-Cookie", "cookies", "authorization", "HTTP_AUTHORIZATION",
        "Proxy-Authorization", "token", "authToken", "csrf_token", "X-Auth-Token", "password", "PASSWORD",
        "secret", "SECRET_KEY", "client_secret", "api_key", "apiKey", "X-API-Key", "private_key", "key", "auth",
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_name(name):
    assert is_secret(name)
    assert render(freeze("hush"), name) == REDACTED
    assert "hush" not in render(freeze({name: "hush"}))
    assert "hush" not in render(freeze({name: {"inner": "hush"}}))
    assert "hush" not in render(freeze([(name, "hush")]))
    assert "hush" not in render(freeze([(name.encode(), b"hush")]))


@pytest.mark.parametrize(
    "name",
    ["author", "Sec-WebSocket-Key", "HTTP_SEC_WEBSOCKET_KEY", "monkey", "keyword", "tokenizer", "sid", ""],
)
def test_what_is_no_secret_is_shown(name):
    assert not is_secret(name)
    assert render(freeze("shown"), name) == "'shown'"


def test_that_a_secret_is_missing_is_no_secret():
    assert render_arguments(["auth", "token"], [freeze(None), freeze(True)]) == {
        "auth": "None",
        "token": "True",
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET / HTTP/1.1\r\nHost: a\r\nCookie: session=hush; b=hush\r\nAccept: */*\r\n\r\n", "Accept: */*"),
        ("HTTP/1.1 200 OK\r\nSet-Cookie: io=hush; Path=/\r\nX: y\r\n", "X: y"),
        ("Authorization: Bearer hush\r\nX: y", "X: y"),
        ("/socket.io/?EIO=4&token=hush&transport=polling", "&transport=polling"),
        ('40{"token":"hush","name":"ann"}', '"name":"ann"'),
        ('40{"password": "hu\\"hush"}', '40{"password": '),
        ('["login",{"api_key":"hush"}]', '["login",{"api_key":'),
        ('{"text":"{\\"password\\":\\"hush\\"}"}', '{"text":"'),
        ('{"password":"hush and it is cut', '{"password":'),
    ],
)
def test_a_secret_inside_a_text_is_taken_out(text, kept):
    for value in (text, text.encode(), [text], {"data": text}):
        shown = render(freeze(value))
        assert "hush" not in shown
    assert kept in scrub(text)


@given(st.text())
def test_scrubbing_again_changes_nothing(text):
    assert scrub(scrub(text)) == scrub(text)


# ── values that are evidence ─────────────────────────────────────────────────


@given(plain)
def test_the_whole_of_a_plain_value_can_be_read_back(value):
    text = render(freeze_whole(value))
    if REDACTED not in text:
        assert ast.literal_eval(text) == value


def test_a_deep_value_is_looked_into_as_far_as_it_goes():
    lots = [{"id": number, "bids": [{"cents": number, "who": ["ann"]}]} for number in range(40)]
    assert ast.literal_eval(render(freeze_whole(["lots", {"lots": lots}]))) == ["lots", {"lots": lots}]


@pytest.mark.parametrize("make", [str, str.encode, lambda text: bytearray(text.encode())])
def test_of_a_long_text_the_digest_is_kept(make):
    text = "ä" * (WHOLE_TEXT + 1)
    shown = render(freeze_whole(make(text)))
    assert f"sha256 {hashlib.sha256(text.encode()).hexdigest()}" in shown
    assert len(shown) < 4 * MOST_TEXT + 200


def test_a_huge_value_is_cut():
    assert "sha256" not in render(freeze_whole("x" * (MOST_DIGESTED + 1)))
    assert "sha256" not in render(freeze_whole(bytearray(MOST_DIGESTED + 1)))
    wide = [[number] for number in range(10 * WHOLE_VALUES)]
    assert len(render(freeze_whole([wide, wide, wide]))) < 20 * WHOLE_VALUES
    deep = []
    for _ in range(10 * WHOLE_DEPTH):
        deep = [deep]
    assert render(freeze_whole(deep)).count("[") == WHOLE_DEPTH + 1


def test_what_is_not_plain_is_not_looked_into_either():
    value = Hostile.__new__(Hostile)
    assert render(freeze_whole([value, {"token": "hush"}])) == f"[<Hostile>, {{'token': {REDACTED}}}]"


def test_a_types_name_that_is_more_than_a_text_is_copied():
    class Name(str):
        __slots__ = ()

        def __format__(self, how):
            raise RuntimeError("hands off")

    assert type(type_name(type(Name("Odd"), (), {}))) is str
    assert render(freeze(type(Name("Odd"), (), {})())) == "<Odd>"
