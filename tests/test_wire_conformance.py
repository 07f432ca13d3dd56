"""What breaks a protocol is found, with its clause and its unit; what conforms is left in peace."""

from __future__ import annotations

import itertools
import socket
import threading

import pytest
from werkzeug.serving import make_server

from tests.wire_bytes import CONVERSATION, UPGRADE, Pieces, framed, switching, talk
from utils.wire import rules
from utils.wire.conformance import Finding, findings
from utils.wire.units import Layer, Side, Unit

C, S = Side.CLIENT, Side.SERVER
OPENING = [(C, UPGRADE), (S, switching())]


def server(text: str | bytes, **more) -> tuple[Side, bytes]:
    return S, framed(text, client=False, **more)


_numbers = itertools.count()


def client(text: str | bytes, **more) -> tuple[Side, bytes]:
    """A frame with a masking key of its own."""
    return C, framed(text, key=next(_numbers).to_bytes(4, "little"), **more)


def found(*pieces: tuple[Side, bytes]) -> tuple[Finding, ...]:
    return findings(talk([*OPENING, *pieces]))


def one(*pieces: tuple[Side, bytes]) -> Finding:
    (finding,) = found(*pieces)
    assert finding.clause and finding.rule and finding.got
    return finding


def test_a_conforming_conversation_has_no_findings():
    assert findings(talk(CONVERSATION)) == ()


@pytest.mark.parametrize("binary", [False, True])
def test_a_conforming_exchange_has_no_findings(binary):
    pieces: Pieces = [
        client("40/admin,"),
        server('40/admin,{"sid":"x"}'),
        client('42/admin,1["q"]'),
        server("43/admin,1[]"),
        client('42/admin,1["again"]'),
        server("43/admin,1[]"),
        server("2"),
        client("3"),
        server(b"hi", opcode=9),
        client(b"hi", opcode=10),
        client("41/admin,"),
        client(b"\x03\xe8", opcode=8),
        server(b"\x03\xe8", opcode=8),
    ]
    if binary:
        attached = '451-/admin,["f",{"_placeholder":true,"num":0}]'
        pieces[2:2] = [client(attached), client(b"\x01")]
    assert found(*pieces) == ()


def test_data_after_close():
    finding = one(client(b"\x03\xe8", opcode=8), client('42["late"]'))
    assert finding.clause == "RFC 6455 §5.5.1" and finding.unit.summary == 'event "late" []'
    assert "TEXT frame after it" in str(finding)


def test_what_the_other_side_sends_after_a_close_is_on_its_way_already():
    assert found(client(b"\x03\xe8", opcode=8), server('42["crossed"]')) == ()


def test_html_inside_a_websocket():
    page = b"HTTP/1.1 400 Bad request\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<!DO"
    finding = one((S, page))
    assert finding.got == "HTTP" and finding.clause == "RFC 6455 §5"


@pytest.fixture(scope="module")
def werkzeugs_page() -> bytes:
    """What Werkzeug really writes when it reads a frame that was left over as a request."""
    server = make_server(
        "127.0.0.1", 0, lambda environ, start: start("204 No Content", []) and [], threaded=True
    )
    server.log = server.RequestHandlerClass.log = lambda *_: None
    running = threading.Thread(target=server.serve_forever, daemon=True)
    running.start()
    try:
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as asking:
            asking.sendall(framed(b"\x03\xe8", opcode=8) + b"\n")
            asking.shutdown(socket.SHUT_WR)
            with asking.makefile("rb") as answer:
                return answer.read()
    finally:
        server.shutdown()
        running.join(30)
        server.server_close()


@pytest.mark.parametrize("size", [20, 300, 4096])
def test_a_page_without_a_head_inside_a_websocket(werkzeugs_page, size):
    """However it comes, it is one finding, and named."""
    pieces = [(S, werkzeugs_page[at : at + size]) for at in range(0, len(werkzeugs_page), size)]
    finding = one(*pieces)
    assert (finding.got, finding.clause) == ("an HTML page", "RFC 6455 §5")
    assert werkzeugs_page.lower().startswith(b"<!doctype html")


def test_an_unmasked_client_frame():
    finding = one((C, framed("2probe", client=False)))
    assert (finding.offset, finding.got, finding.clause) == (1, "no mask", "RFC 6455 §5.1")


def test_a_wrong_accept_key():
    (finding,) = findings(talk([(C, UPGRADE), (S, switching(accept="AAAA"))]))
    assert finding.clause == "RFC 6455 §4.2.2" and finding.got == "AAAA"


def test_a_missing_accept_key():
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    (finding,) = findings(talk([(C, UPGRADE), (S, answer)]))
    assert finding.got == "none"


def test_a_handshake_of_another_version():
    asked = UPGRADE.replace(b"Version: 13", b"Version: 8")
    (finding,) = findings(talk([(C, asked), (S, switching())]))
    assert (finding.got, finding.clause) == ("8", "RFC 6455 §4.1")


def test_a_handshake_without_the_connection_field():
    asked = UPGRADE.replace(b"Connection: Upgrade", b"Connection: keep-alive")
    (finding,) = findings(talk([(C, asked), (S, switching())]))
    assert finding.got == "keep-alive"


def test_an_extension_that_nobody_offered():
    (finding,) = findings(talk([(C, UPGRADE), (S, switching("permessage-deflate"))]))
    assert (finding.got, finding.clause) == ("permessage-deflate", "RFC 6455 §9.1")


def test_a_packet_after_a_socketio_disconnect():
    finding = one(server("41/admin,"), server('42/admin,["late"]'), server('42["elsewhere"]'))
    assert finding.clause == "socket.io-protocol: disconnection from a namespace"
    assert finding.got == "EVENT in /admin"


def test_a_namespace_may_be_joined_again():
    assert found(client("41"), client("40"), server('40{"sid":"y"}'), client('42["back"]')) == ()


def test_a_packet_before_its_namespace_is_confirmed():
    finding = one(client("40"), server('42["early"]'), server('40{"sid":"x"}'))
    assert finding.got == "EVENT in / before CONNECT"


def test_a_refused_namespace_is_not_waited_for():
    assert found(client("40/a,"), server('44/a,{"message":"no"}')) == ()


@pytest.mark.parametrize("then", [[], [server("2")]])
def test_a_ping_unanswered(then):
    told = found(server("2"), *then)
    assert {finding.clause for finding in told} == {"engine.io-protocol: heartbeat"}
    assert len(told) == 1 + len(then) and told[0].unit.summary == "ping"


def test_a_websocket_ping_unanswered():
    finding = one(server(b"a", opcode=9), client(b"b", opcode=10))
    assert finding.clause == "RFC 6455 §5.5.2"


def test_who_closes_owes_no_pong():
    assert found(server(b"a", opcode=9), client(b"\x03\xe8", opcode=8)) == ()


def test_a_ping_from_the_client():
    assert one(client("2")).clause == "engine.io-protocol: heartbeat"


def test_in_engineio_3_the_client_pings():
    asked = UPGRADE.replace(b"EIO=4", b"EIO=3")
    assert findings(talk([(C, asked), (S, switching()), client("2"), server("3"), client("2")])) == ()


def test_a_pong_from_the_server():
    assert one(server("3")).got == "a pong from the server"


@pytest.mark.parametrize("text", ['0{"sid":"x"}', "6"])
def test_what_only_the_server_may_send(text):
    assert one(client(text)).clause == "engine.io-protocol: packet types"


def test_an_upgrade_from_the_server():
    assert one(server("5")).clause == "engine.io-protocol: upgrade"


def test_an_upgrade_before_the_probe_is_answered():
    assert one(client("2probe"), client("5")).got == "no answer yet"


def test_a_packet_after_an_engineio_close():
    assert one(client("1"), client('42["late"]')).got == "MESSAGE after it"


def test_a_second_acknowledgement():
    finding = one(client('427["q"]'), server("437[1]"), server("437[2]"))
    assert finding.got == "id 7 again"


def test_a_masking_key_that_never_changes():
    finding = one(*[(C, framed("3"))] * 8)
    assert finding.clause == "RFC 6455 §5.3" and finding.offset == 2


def test_keys_that_change_are_in_order():
    assert found(*[client("3") for _ in range(20)]) == ()


def test_attachments_that_never_come():
    finding = one(client('452-["f"]'), client(b"\x01"))
    assert finding.got == "1 missing at the capture's end"


def test_a_packet_before_all_attachments():
    finding = one(client('451-["f"]'), client('42["g"]'))
    assert finding.unit.summary.startswith('binary event "f"') and finding.got.startswith("1 missing when")


def test_an_attachment_that_nobody_announced():
    assert one(client('42["g"]'), client(b"\x01")).got == "an attachment that no packet announced"


def test_an_attachment_from_the_middle_is_left_in_peace():
    assert found(client(b"\x01")) == ()


def test_a_million_announced_attachments_cost_nothing():
    finding = one(client('451000000-["f"]'), *[client(b"\x01")] * 3)
    assert finding.got.startswith("999997 missing")


def test_an_event_with_a_name_of_the_library():
    assert one(client('42["disconnect"]')).got == "an event named disconnect"


def test_nan_is_found():
    finding = one(server('42["price",NaN]'))
    assert finding.got == "NaN, which JSON does not have" and finding.clause == "RFC 8259 §6"


def test_what_the_capture_missed_is_no_finding():
    assert findings(talk([*OPENING, (C, framed("42[")[:4])])) == ()


class TestBounds:
    """What a sender may make up any number of is remembered up to a bound; beyond it the lens is silent."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        monkeypatch.setattr(rules, "_MOST", 2)

    def test_namespaces_asked_for(self):
        asked = [client(f"40/n{number},") for number in range(5)]
        assert found(*asked, server('42/n4,["early"]')) == ()

    def test_namespaces_left(self):
        left = [client(f"41/n{number},") for number in range(5)]
        assert found(*left, client('42/n4,["late"]')) == ()
        assert len(found(*left, client('42/n0,["late"]'))) == 1

    def test_acknowledgements(self):
        given = [client(f"43{number}[]") for number in range(5)]
        assert found(*given, client("430[]")) == ()
        assert len(found(*given, client("434[]"))) == 1


def test_a_unit_of_nothing_has_no_spans():
    assert Unit(C, Layer.UNKNOWN, 0, b"").explain() == ()
