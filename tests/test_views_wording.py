"""Words and numbers: exact, aligned by eye, and never obeyed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders, hostile
from utils.records import Excerpt, Library
from utils.views import wording


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (12_340, "12.3 µs"),
        (999_499, "999 µs"),
        (999_500, "1.00 ms"),
        (9_994_000, "9.99 ms"),
        (9_996_000, "10.0 ms"),
        (1_204_000_000, "1.20 s"),
        (3_600_000_000_000, "3600 s"),
        (-1_500, "-1.50 µs"),
    ],
)
def test_a_duration_has_three_digits_and_its_unit(nanoseconds, words):
    assert wording.duration(nanoseconds) == words


@given(st.integers(0, 10**13))
def test_a_duration_is_within_half_a_percent_and_of_one_form(nanoseconds):
    words = wording.duration(nanoseconds)
    number, unit = re.fullmatch(r"(\d+(?:\.\d+)?) (ns|µs|ms|s)", words).groups()
    read = float(number) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[unit]
    assert abs(read - nanoseconds) <= max(0.5, 0.005 * nanoseconds)


def test_moments_share_their_unit():
    assert [wording.since(ns) for ns in (0, 1_234_567, -5_000)] == ["+0.000 ms", "+1.235 ms", "-0.005 ms"]


@given(st.text())
def test_visible_text_holds_nothing_that_acts(text):
    shown = wording.visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    shown.encode()  # no lone surrogate is left
    assert wording.visible(shown) == shown


def test_visible_text_names_what_it_took_away():
    assert wording.visible("a\n\x1b[2J\u202e\ud800\U000f0000é") == r"a\n\x1b[2J\u202e\ud800\U000f0000é"


@pytest.mark.parametrize("address", ["https://a.org/x#L1", "http://127.0.0.1:1/"])
def test_web_addresses_are_links(address):
    assert wording.web_link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "/lab/tree",
        "javascript:1",
        "JavaScript://a.org/%0a1",
        "data:text/html,x",
        "file:///x",
        "https://[::1",
    ],
)
def test_everything_else_is_none(address):
    assert wording.web_link(address) is None


@hostile.each_payload
def test_no_hostile_text_becomes_a_link_that_runs(payload):
    address = wording.web_link(payload)
    assert address is None or address.startswith(("https://", "http://"))


def test_source_lines_lose_only_the_indentation_that_they_share():
    lines = ((7, "\tdef f():"), None, (9, "\t\treturn 1"), (10, ""))
    excerpt = Excerpt("m.py", "m.py", "f", lines, 9)
    assert wording.source_lines(excerpt) == [(7, "def f():"), None, (9, "    return 1"), (10, "")]


def test_an_application_has_no_version():
    assert wording.library(Library("shop", "", "", None)) == "shop"
    assert wording.licence(Library("shop", "", "", None)) == "no licence stated"


def test_counts_agree_in_number():
    assert [wording.count(n, "byte") for n in (0, 1, 2, 1024)] == [
        "0 bytes",
        "1 byte",
        "2 bytes",
        "1,024 bytes",
    ]


def test_clients_are_named_by_port_or_numbered_by_first_message():
    messages = builders.bid_messages()
    assert wording.Clients(messages, builders.CLIENTS).ends(messages[0]) == ("alice", "server")
    unnamed = wording.Clients(messages)
    assert unnamed.names == ["client 1", "client 2"]
    assert unnamed.ends(messages[2]) == ("server", "client 2")
