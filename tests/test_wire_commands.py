"""What values of Redis say: roles, passwords that are passed over, and spans for people."""

from __future__ import annotations

import pytest

from tests.redis_bytes import CALLING, PICKLED, QUEUED, TALK, command, encoded, push
from utils.redaction import REDACTED
from utils.wire import commands
from utils.wire.commands import Publication, Role
from utils.wire.connection import Connection
from utils.wire.redis import RedisConnection
from utils.wire.resp import Kind
from utils.wire.units import Layer, Side, Unit

C, S = Side.CLIENT, Side.SERVER


def unit(side: Side, data: bytes) -> Unit:
    (found,) = RedisConnection().feed(side, data)
    return found


@pytest.mark.parametrize(
    ("side", "data", "role"),
    [
        (C, command("GET", "a"), Role(asks="GET")),
        (C, command("SUBSCRIBE", "a"), Role()),
        (C, command(), Role(asks="?")),
        (C, b"PUBLISH a b\r\n", Role(asks="PUBLISH", publishes=Publication(b"a", b"b"))),
        (C, command("publish", "a", "b"), Role(asks="PUBLISH", publishes=Publication(b"a", b"b"))),
        (C, command("PUBLISH", "a"), Role(asks="PUBLISH")),
        (S, b":1\r\n", Role(answers=True)),
        (S, push(b"message", b"a", b"b"), Role(delivers=Publication(b"a", b"b"))),
        (S, push(b"message", b"a", b"b", kind=Kind.ARRAY), Role(delivers=Publication(b"a", b"b"))),
        (S, push(b"pmessage", b"a*", b"a", b"b"), Role(delivers=Publication(b"a", b"b"))),
        (S, push(b"message", b"a"), Role()),
        (S, push(b"subscribe", b"a", b"1", kind=Kind.ARRAY), Role()),
        (S, push(b"invalidate"), Role()),
        (S, b"|1\r\n+a\r\n+b\r\n", Role()),
        (S, b"*0\r\n", Role(answers=True)),
        (S, encoded((Kind.ARRAY, [(Kind.ARRAY, []), (Kind.BULK, b"a")])), Role(answers=True)),
    ],
)
def test_roles(side, data, role):
    assert commands.role(unit(side, data)) == role


def test_what_is_not_of_redis_has_no_role():
    (other,) = Connection().feed(C, b"GET / HTTP/1.1\r\n\r\n")
    assert commands.role(other) == Role()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("AUTH", "sesame"), "AUTH <redacted>"),
        (("AUTH", "ada", "sesame"), "AUTH ada <redacted>"),
        (("HELLO", "3", "AUTH", "ada", "sesame"), "HELLO 3 AUTH ada <redacted>"),
        (("CONFIG", "SET", "requirepass", "sesame"), "CONFIG SET requirepass <redacted>"),
        (("ACL", "SETUSER", "ada", "on", ">sesame", "+@pubsub"), "ACL SETUSER ada on <redacted> +@pubsub"),
        (
            ("MIGRATE", "h", "1", "", "0", "9", "AUTH", "sesame", "KEYS", "k"),
            "MIGRATE h 1  0 9 AUTH <redacted> <redacted> <redacted>",
        ),
    ],
)
def test_passwords_are_passed_over(words, told):
    found = unit(C, command(*words))
    assert found.summary == told
    spans = found.explain()
    assert not any("sesame" in span.value for span in spans)
    assert any(span.value == REDACTED for span in spans)


def test_passwords_in_a_line_typed_by_hand_are_passed_over():
    found = unit(C, b"AUTH ada sesame\r\n")
    assert found.summary == "AUTH <redacted>"
    assert [span.value for span in found.explain()] == ["AUTH <redacted>"]
    # Such a word may be no string, too: then it is hidden all the same.
    found = unit(C, encoded((Kind.ARRAY, [(Kind.BULK, b"AUTH"), (Kind.INTEGER, b"1234")])))
    assert "1234" not in repr([span.value for span in found.explain()])


def labels(found: Unit) -> list[tuple[str, str]]:
    return [(span.label, span.value) for span in found.explain() if span.label != "End of line"]


def test_a_publication_is_explained_down_to_its_json():
    found = labels(unit(C, command("PUBLISH", "flask-socketio", QUEUED)))
    assert found[:4] == [
        ("Array", "*3"),
        ("Bulk string", "$7"),
        ("Command", "PUBLISH"),
        ("Bulk string", "$14"),
    ]
    assert found[4] == ("Channel", "flask-socketio")
    assert ("Name", '"method"') in found and ("String", '"bids placed"') in found
    assert ("Bulk string", f"${len(QUEUED)}") in found


def test_a_pickle_is_explained_by_its_instructions_and_not_loaded():
    for payload in (PICKLED, CALLING):
        found = unit(S, push(b"message", b"a", payload))
        inside = [span for span in found.explain() if span.label.startswith("Pickle: ")]
        assert sum(span.end - span.start for span in inside) == len(payload)
        assert all(span.layer is Layer.PAYLOAD for span in inside)
    assert [span.label for span in inside if "Calls" in span.meaning] == ["Pickle: REDUCE"]


def test_what_is_pushed_is_told_by_its_parts():
    found = labels(unit(S, push(b"pmessage", b"a*", b"ab", b"text")))
    assert [label for label, _ in found if label != "Bulk string"] == [
        "Push",
        "Kind of push",
        "Channel",
        "Channel",
        "Message",
    ]


def test_of_many_values_the_last_are_told_together():
    found = unit(S, b"*9999\r\n" + b":1\r\n" * 9999)
    spans = found.explain()
    assert len(spans) == commands.MOST_TOLD + 1 and spans[-1].label == "More values"
    assert spans[-1].end == len(found.raw)


def test_an_answer_tells_what_it_answers():
    connection = RedisConnection()
    units = [one for side, data in TALK for one in connection.feed(side, data)]
    answer = next(one for one in units if one.summary.startswith(":2"))
    (span,) = answer.explain()
    assert span.meaning == "A whole number. It answers PUBLISH: 2 got it."


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"%1\r\n+a\r\n#t\r\n", "map of 1: a t"),
        (b"~1\r\n,1.5\r\n", "set of 1: 1.5"),
        (b"*-1\r\n", "nothing"),
        (b"=7\r\ntxt:abc\r\n", "txt:abc"),
        (b"!3\r\nERR\r\n", "ERR"),
        (b"(12\r\n", "(12"),
    ],
)
def test_answers_in_one_line(data, told):
    assert unit(S, data).summary == told
