"""What a recorded call shows is looked up by the very bytes, and in the order of cause."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from utils import libraries
from utils.provenance.proofs import difference
from utils.provenance.readers import READERS
from utils.provenance.witnesses import Witnesses, shown
from utils.provenance.writers import WRITERS
from utils.records import Call, Code, Trace


def codec(name, form=None):
    return next(
        one for one in (*WRITERS, *READERS) if one.name == name and (form is None or one.form.name == form)
    )


def call(of, number=0, enter=0, leave=10, thread=1, **facts):
    """A recorded call of the codec's function, as installed."""
    library = "CPython" if of.path.startswith("http/") else of.path.partition("/")[0]
    names = {"http": "CPython", "websocket": "websocket-client", "engineio": "python-engineio"}
    filename = libraries.locate(f"{names.get(library, library)}:{of.path}")
    return Call(number, "server", thread, Code(filename, of.name, 1), None, 0, enter, leave, **facts)


def trace(*calls):
    return Trace("server", 1, "3", {1: "one"}, calls, (), ())


def test_a_result_an_argument_and_a_template_are_shown():
    encode = codec("Packet.encode", "PACKET")
    assert list(shown(encode, call(encode, result="'42[1]'"))) == [b"42[1]"]
    header = codec("BaseHTTPRequestHandler.send_header")
    known = call(header, arguments={"keyword": "'Content-Length'", "value": "'12'"})
    assert list(shown(header, known)) == [b"Content-Length: 12\r\n"]
    assert list(shown(header, replace(known, arguments={"keyword": "'Cookie'", "value": "<redacted>"}))) == []
    status = codec("HTTPResponse._read_status")
    assert b"HTTP/1.1 200 OK\r\n" in shown(status, call(status, result="('HTTP/1.1', 200, 'OK')"))


def test_each_line_of_a_list_is_shown():
    handshake = codec("_get_handshake_headers", "LINE")
    known = call(handshake, result="(['GET / HTTP/1.1', 'Upgrade: websocket', '', ''], 'key')")
    assert list(shown(handshake, known))[:2] == [b"GET / HTTP/1.1\r\n", b"Upgrade: websocket\r\n"]
    whole = codec("_get_handshake_headers", "HEAD")
    assert list(shown(whole, known)) == [b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"]


def test_the_latest_before_and_the_first_after():
    encode = codec("Packet.encode", "PACKET")
    calls = [call(encode, n, 10 * n, 10 * n + 5, thread=1 + n % 2, result="'2'") for n in range(6)]
    found = Witnesses([trace(*calls)])
    assert found.latest(encode, b"2", {("server", 1): 44, ("server", 2): 16}).id == 2
    assert found.latest(encode, b"2", {("server", 1): 45}).id == 4
    assert found.latest(encode, b"2", {("client", 1): 45}) is None
    assert found.latest(encode, b"3", {("server", 1): 45}) is None
    assert found.first(encode, b"2", {("server", 1): 6, ("server", 2): 30}).id == 2


texts = st.binary(max_size=12)


@given(texts, texts, texts, texts)
def test_a_difference_is_what_was_replaced(before, one, other, after):
    recorded, wire = before + one + after, before + other + after
    start, end, theirs = difference(recorded, wire)
    assert recorded[:start] == wire[:start]
    assert recorded[theirs:] == wire[end:] or recorded == wire or not other
    if one != other and wire:
        assert start < end <= len(wire)
