"""The ladder: one rung a message, the same in SVG, in text and in Mermaid."""

from __future__ import annotations

import re

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.views import wording
from utils.views.ladder import ladder, lay_out, mermaid
from utils.views.view import MERMAID

MESSAGES, CLIENTS = builders.bid_messages(), builders.CLIENTS


def test_the_server_stands_between_the_first_two_clients():
    laid = lay_out(MESSAGES, CLIENTS)
    assert laid.lifelines == ("alice", "server", "bob")
    assert [(rung.sender, rung.receiver) for rung in laid.rungs] == [(0, 1), (1, 0), (1, 2)]
    assert [rung.since_ns for rung in laid.rungs] == [0, 1_900_000, 2_540_000]
    assert laid.sentence == "3 messages between alice, server and bob"


def test_rungs_go_by_time_whatever_the_order_given():
    assert lay_out(MESSAGES[::-1], CLIENTS) == lay_out(MESSAGES, CLIENTS)


def test_the_text_draws_each_arrow_in_its_direction():
    head, *rungs = str(ladder(MESSAGES, CLIENTS)).splitlines()
    assert head.split() == ["alice", "server", "bob"]
    assert [re.sub(r"[^│◀▶]", "", line) for line in rungs] == ["│▶││", "│◀││", "││▶│"]
    assert all("WebSocket: event" in line for line in rungs)
    assert len({line.index("│") for line in rungs}) == 1


def test_the_svg_says_in_words_what_it_draws():
    read = Reader(ladder(MESSAGES, CLIENTS).html)
    (svg,) = read.find("svg", role="img")
    assert svg["aria-label"] == "Ladder: 3 messages between alice, server and bob"
    for message in MESSAGES:
        assert f"WebSocket: {wording.visible(message.unit.summary)}" in read.text
    assert len(read.find("rect")) == 3
    assert str(ladder(MESSAGES, CLIENTS)) in read.text


def test_labels_stay_between_their_lifelines():
    long = builders.event_message(data="x" * 500)
    read = Reader(ladder([long, MESSAGES[1], MESSAGES[2]], CLIENTS).html)
    for box in read.find("rect"):
        left, width = float(box["x"]), float(box["width"])
        assert any(start < left and left + width < start + 400 for start in (128, 528))


def test_what_is_not_drawn_is_counted():
    view = ladder(MESSAGES, CLIENTS, most=2)
    assert "1 more message" in str(view)
    assert "1 more message" in view.html
    assert "the last 1 not drawn" in view.html
    assert "1 more message" in mermaid(MESSAGES, CLIENTS, most=2).rich[MERMAID]


def test_no_message_is_an_empty_ladder():
    assert str(ladder([])).split() == ["server"]
    assert "0 messages" in ladder([]).html


def test_mermaid_names_each_lifeline_and_each_message():
    lines = mermaid(MESSAGES, CLIENTS).rich[MERMAID].splitlines()
    assert lines[0] == "sequenceDiagram"
    assert lines[1] == "    accTitle: 3 messages between alice, server and bob"
    told = [
        f"{one} to {other}, " for one, other in (("alice", "server"), ("server", "alice"), ("server", "bob"))
    ]
    assert lines[2].startswith("    accDescr: ") and all(words in lines[2] for words in told)
    assert lines[3:6] == [
        f"    participant L{n} as {name}" for n, name in enumerate(("alice", "server", "bob"))
    ]
    assert [line.split(":")[0].strip() for line in lines[6:]] == ["L0->>L1", "L1->>L0", "L1->>L2"]


def test_http_is_told_by_its_line_as_well_as_by_its_tint():
    messages = [builders.http_message(), MESSAGES[0]]
    assert [("stroke-dasharray" in found) for found in Reader(ladder(messages).html).find("line")][2:] == [
        True,
        False,
    ]
    assert "-->>" in mermaid(messages).rich[MERMAID]


@hostile.each_payload
def test_no_payload_becomes_markup_or_syntax(payload):
    messages, names = [builders.hostile_message(payload)], {40001: payload}
    usual = Reader(ladder([builders.hostile_message("x")], {40001: "x"}).html)
    view = ladder(messages, names)
    read = Reader(view.html)
    assert read.forms == usual.forms
    assert len(read.elements) == len(usual.elements)
    assert all(c == "\n" or wording.visible(c) == c for c in str(view))
    lines = mermaid(messages, names).rich[MERMAID].splitlines()
    assert len(lines) == 6
    for line, syntax in zip(
        lines[2:],
        ("accDescr: ", "participant L0 as ", "participant L1 as ", "L0->>L1: "),
        strict=True,
    ):
        label = line.strip().removeprefix(syntax)
        assert label != line.strip()
        assert not re.search(r"[<>%|\\$:`]|(?<!#\d)(?<!\d);", label)
        assert re.sub(r"#\d+;", "", label).count(";") == 0
