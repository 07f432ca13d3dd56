"""What may open a door is not told: neither by the decoders' spans and summaries, nor by any view of the bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_bytes import UPGRADE, framed, opened, switching, talk, tiles
from utils.records import Endpoint, Flow, Message
from utils.redaction import REDACTED, is_secret, scrub, scrub_code
from utils.views import html, ladder, tables, text
from utils.wire.conformance import findings
from utils.wire.units import Layer, Side, Unit

SECRET = "hush3f9a1"
C, S = Side.CLIENT, Side.SERVER
FLOW = Flow(Endpoint("127.0.0.1", 40001), Endpoint("127.0.0.1", 5000))
POLL = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\n\r\n"


def answer(body: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def post(body: bytes) -> bytes:
    head = f"POST /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def deflated(data: str) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data.encode()) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


AUTH = '40/admin,{"token":"%s","user":{"name":"%s"},"n":[1,"%s"]}' % ((SECRET,) * 3)

#: What was said, with a secret in it, in each of the ways in which one goes over the wire.
SAID = {
    "cookie": [(C, f"GET / HTTP/1.1\r\nCookie: io={SECRET}\r\n\r\n".encode())],
    "set-cookie": [(S, f"HTTP/1.1 204 No\r\nSet-Cookie: io={SECRET}; Path=/\r\n\r\n".encode())],
    "authorization": [(C, f"GET / HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode())],
    "a header of its own": [(C, f"GET / HTTP/1.1\r\nX-Auth-Token: {SECRET}\r\n\r\n".encode())],
    "query": [(C, f"GET /socket.io/?EIO=4&transport=polling&token={SECRET} HTTP/1.1\r\n\r\n".encode())],
    "namespace's query": [(C, framed(f"40/admin?token={SECRET},"))],
    "form": [(C, post(f"password={SECRET}&user=x".encode()).replace(b"/socket.io/", b"/login"))],
    "JSON body": [(C, b"GET / HTTP/1.1\r\n\r\n"), (S, answer(b'{"api_key":"%b"}' % SECRET.encode(), "Content-Type: application/json\r\n"))],
    "auth": [(C, framed(AUTH))],
    "auth as a text": [(C, framed(f'40"{SECRET}"'))],
    "auth as an array": [(C, framed(f'40["{SECRET}"]'))],
    "auth cut short": [(C, framed(f'40{{"token":"{SECRET}'))],
    "auth in fragments": [(C, framed(AUTH[:30], fin=False)), (C, framed(AUTH[30:].encode(), opcode=0))],
    "auth, compressed": [(C, framed(deflated(AUTH), opcode=1, rsv=4))],
    "auth, polled": [(C, post(AUTH.encode()))],
    "auth in a form": [(C, post(f"d={quote(AUTH)}".encode()))],
    "the session's private id": [(S, framed(f'40{{"sid":"x","pid":"{SECRET}"}}', client=False))],
    "argument": [(C, framed(f'42["login",{{"user":"ann","password":{{"value":["{SECRET}"]}}}}]'))],
    "a compressed answer": [(C, POLL), (S, answer(gzip.compress(AUTH.encode()), "Content-Encoding: gzip\r\n"))],
    "a JSONP answer": [(C, POLL), (S, answer(f'___eio[0]({json.dumps(AUTH)});'.encode()))],
}  # fmt: skip


#: Bytes that nobody decodes, of which the names of secrets are left.
BROKEN = [
    (C, b"\x8f\x8f\x8f" + f"\r\nCookie: io={SECRET}\r\nX: y\r\n".encode()),
    (C, f'"[x"{{"token":"{SECRET}","b":1'.encode()),
    (S, f"\xc3&token={SECRET}&b=1".encode("latin-1")),
]


@pytest.mark.parametrize("piece", BROKEN)
def test_in_bytes_that_nobody_decodes_it_is_known_by_its_name(piece):
    told = ""
    for unit in talk([piece]):
        assert unit.layer is Layer.UNKNOWN
        view = html.message(Message(FLOW, unit, 0, 0))
        told += f"{unit.summary}{unit.explain()}{unit.faults}{view.html}{view}"
    assert SECRET not in told and "·· ·· ··" in told


def units(name: str) -> list[Unit]:
    pieces = SAID[name]
    if pieces[0][1][0] in (0x01, 0x81, 0xC1):  # frames
        return talk([(C, UPGRADE), (S, switching("permessage-deflate")), *pieces])[2:]
    return talk(pieces)


@pytest.mark.parametrize("name", SAID)
class TestTheWire:
    def test_it_is_on_the_wire_and_in_no_explanation(self, name):
        found = units(name)
        told = "".join(f"{unit.summary}{unit.explain()}{unit.faults}" for unit in found)
        assert SECRET not in told
        assert (
            any(span.value == REDACTED for unit in found for span in unit.explain())
            or "compressed" in name
            or ("form" in name or "namespace" in name or "JSONP" in name)
        )
        for unit in found:
            tiles(unit)

    def test_it_is_in_no_view_of_the_bytes(self, name):
        messages = [Message(FLOW if unit.side is C else FLOW.reverse, unit, 0, 0) for unit in units(name)]
        views = [html.message(message) for message in messages]
        views += [tables.packets(messages), ladder.ladder(messages), ladder.mermaid(messages)]
        views.append(
            tables.findings(messages, [(0, found) for found in findings([m.unit for m in messages])])
        )
        for view in views:
            assert all(SECRET not in form for form in (str(view), *view.rich.values()))
            assert SECRET.encode().hex(" ") not in str(view)


def test_what_is_no_secret_is_told():
    (unit,) = opened().feed(S, framed('40{"sid":"shown1"}', client=False))
    assert unit.summary == 'CONNECT {"sid":"shown1"}' and '"shown1"' in [
        span.value for span in unit.explain()
    ]


def test_the_bytes_of_a_secret_are_dots_and_keep_their_places():
    (unit,) = opened().feed(C, framed(f'42["a",{{"token":"{SECRET}"}}]'))
    message = Message(FLOW, unit, 0, 0)
    lines = text.message_text(message).split("\n\n")[0].splitlines()[2:]
    shown = "".join(line[8:57].replace(" ", "") for line in lines)
    (hidden,) = [span for span in unit.explain() if span.value == REDACTED]
    raw = unit.raw.hex()
    assert shown == raw[: 2 * hidden.start] + "··" * (len(SECRET) + 2) + raw[2 * hidden.end :]


@pytest.mark.parametrize("name", ["cookie", "X-Auth-Token", "password", "api_key", "key", "authToken"])
def test_names_of_secrets(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["author", "Sec-WebSocket-Key", "monkey", "sid", ""])
def test_names_that_are_none(name):
    assert not is_secret(name)


def test_a_text_without_its_secrets():
    assert scrub('{"token":"hush","name":"ann"}') == f'{{"token":"{REDACTED}","name":"ann"}}'
    assert scrub('{"pin":1,"token":12,"x":3}') == f'{{"pin":1,"token":{REDACTED},"x":3}}'
    assert scrub('[{"a":1,"auth": {"x":["hush"]}}]') == f'[{{"a":1,"auth": {REDACTED}'
    assert scrub("token=hush&page=2") == f"token={REDACTED}&page=2"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('app.config["SECRET_KEY"] = "s3"', 'app.config["SECRET_KEY"] = <redacted>'),
        ("from_mapping(SECRET_KEY='s3', NAME='n')", "from_mapping(SECRET_KEY=<redacted>, NAME=<redacted>)"),
        ('return auth.get("token") == "let me in"', 'return auth.get("token") == <redacted>'),
        ('password = f"{a}s3"  # note', "password = <redacted>  # note"),
        ("token = b'\\'s3'", "token = <redacted>"),
        ('api_key = """begins here', "api_key = <redacted>"),
        ("def on_connect(self, auth):", "def on_connect(self, auth):"),
        ('emit("author", "Ann")', 'emit("author", "Ann")'),
        ('emit("key of C", "")', 'emit("key of C", "")'),
        ("token = read_token()", "token = read_token()"),
    ],
)
def test_a_line_of_code_keeps_its_names_and_loses_its_secret(line, shown):
    assert scrub_code(line) == shown


@given(st.text(alphabet="'\"\\\\ abtf=([#"), st.sampled_from(["password", "SECRET_KEY", "api_key"]))
def test_no_literal_beside_a_secrets_name_survives(junk, name):
    assert "s3cret" not in scrub_code(f'{name} = "s3cret"{junk}')
