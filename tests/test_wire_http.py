"""HTTP/1.1 messages end where RFC 9112 says, and say what their bodies hold, however they are framed."""

from __future__ import annotations

import gzip
import zlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_bytes import UPGRADE, talk, tiles
from utils.wire import body as bodies
from utils.wire import http, websocket
from utils.wire.connection import Connection
from utils.wire.units import Fault, Layer, Side, Unit

C, S = Side.CLIENT, Side.SERVER
POLL = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\n\r\n"


def responses(stream: bytes, *methods: str) -> list[Unit]:
    """The units of the server's stream, in answer to requests of these methods."""
    asked = [(C, f"{method} / HTTP/1.1\r\n\r\n".encode()) for method in methods]
    return [unit for unit in talk([*asked, (S, stream)]) if unit.side is S]


def labelled(unit: Unit, label: str) -> list[str]:
    return [span.value for span in unit.explain() if span.label == label]


class TestFraming:
    @pytest.mark.parametrize("status", [204, 304])
    def test_statuses_without_a_body(self, status):
        stream = b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status
        assert [unit.raw for unit in responses(stream * 2, "GET", "GET")] == [stream] * 2

    def test_continue_does_not_answer_the_request(self):
        stream = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
        first, second = responses(stream, "HEAD")
        assert (first.summary, second.summary) == ("100 Continue", "200 OK")

    def test_chunks_with_extensions_and_trailers(self):
        stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        stream += b'3;a="b"\r\nabc\r\nA \r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n'
        (unit,) = responses(stream, "GET")
        assert unit.payload == b"abc0123456789" and unit.raw == stream and not unit.faults
        assert labelled(unit, "Chunk size") == ['3;a="b"', "A"] and len(labelled(unit, "Last chunk")) == 1
        tiles(unit)

    def test_chunked_wins_over_a_length(self):
        stream = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        (unit,) = responses(stream, "GET")
        assert unit.raw == stream

    def test_bare_line_feeds_are_read(self):
        stream = b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n"
        (unit,) = responses(stream, "GET")
        assert unit.payload == b"hi"
        assert "LF" in labelled(unit, "Line end") and labelled(unit, "Chunk end") == ["LF"]
        tiles(unit)

    def test_empty_lines_before_a_request_belong_to_it(self):
        (unit,) = talk([(C, b"\r\n\r\nGET / HTTP/1.1\r\n\r\n")])
        assert unit.summary == "GET /" and unit.explain()[0].label == "Empty line"
        tiles(unit)

    def test_a_coding_that_is_not_chunked_lasts_until_the_end(self):
        (unit,) = responses(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello", "GET")
        assert unit.raw.endswith(b"hello") and unit.payload == b"hello"

    @pytest.mark.parametrize("length", ["abc", "-1", "1, 2", "9" * 40, "+5", "0x5"])
    def test_a_length_that_is_none_is_a_fault_and_the_next_message_is_read(self, length):
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
        first, second = responses(head + b"HTTP/1.1 204 No Content\r\n\r\n", "GET", "GET")
        assert "Content-Length" in first.faults[0].expected and second.summary == "204 No Content"

    def test_equal_lengths_are_one(self):
        (unit,) = responses(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", "GET")
        assert unit.payload == b"hi" and not unit.faults

    @pytest.mark.parametrize("size", [b"zz", b"0x5", b"-1", b"1_0", b"", b"F" * 17])
    def test_a_chunk_size_that_is_none(self, size):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        found = responses(head + b"2\r\nhi\r\n" + size + b"\r\nrest", "GET")
        assert found[0].payload == b"hi" and "chunk's size" in found[0].faults[0].expected
        assert found[-1].layer is Layer.UNKNOWN

    def test_a_huge_body_is_passed_over_and_not_kept(self):
        connection = Connection()
        size = bodies.LONGEST + 1000
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        found = connection.feed(S, head)
        assert "at most" in found[0].faults[0].expected
        piece = bytes(1 << 20)
        for _ in range(size // len(piece)):
            (part,) = connection.feed(S, piece)
            assert part.layer is Layer.UNKNOWN
        found = connection.feed(S, bytes(size % len(piece)) + b"HTTP/1.1 204 No Content\r\n\r\n")
        assert found[-1].summary == "204 No Content"

    def test_a_body_until_the_end_is_not_kept_for_ever(self):
        connection = Connection()
        connection.feed(S, b"HTTP/1.1 200 OK\r\n\r\n")
        found = []
        for _ in range(40):
            found += connection.feed(S, bytes(1 << 20))
        assert len(found[0].raw) < bodies.LONGEST + 100 and found[0].faults
        assert all(unit.layer is Layer.UNKNOWN for unit in found[1:])

    def test_a_million_chunks_are_too_many(self):
        stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1_000_000
        found = responses(stream, "GET")
        assert len(found[0].payload) == bodies.MOST_CHUNKS and found[0].faults

    def test_a_trailer_without_end(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        found = responses(head + b"X: y\r\n" * 1000, "GET")
        assert "short trailer" in found[0].faults[0].expected


class TestHeads:
    def test_a_head_without_end_is_not_waited_for(self):
        connection = Connection()
        found = connection.feed(C, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
        assert found and found[0].layer is Layer.UNKNOWN and "head of at most" in found[0].faults[0].expected

    @pytest.mark.parametrize(
        "line", ["no colon", "space before : x", ": no name", " folded: line", "X\x00Y: z", "é: x"]
    )
    def test_an_odd_field_is_a_fault_and_not_the_end(self, line):
        raw = f"GET / HTTP/1.1\r\nHost: x\r\n{line}\r\nOrigin: y\r\n\r\n".encode()
        (unit,) = talk([(C, raw)])
        (fault,) = unit.faults
        assert raw[fault.offset :].startswith(line.encode()) and fault.clause == "RFC 9112 §5"
        (span,) = [span for span in unit.explain() if span.layer is Layer.UNKNOWN]
        assert raw[span.start : span.end] == line.encode()
        tiles(unit)

    @pytest.mark.parametrize(
        "line",
        [
            "GET  / HTTP/1.1",
            "GET / HTTP/2.0",
            "GET /a b HTTP/1.1",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 099 X",
            "GET /",
        ],
    )
    def test_a_start_line_that_is_none(self, line):
        assert isinstance(http.parse_head(line.encode() + b"\r\n\r\n"), Fault)

    def test_secrets_are_kept_back(self):
        secret = "s3cr3t"
        raw = f"GET / HTTP/1.1\r\nCookie: {secret}\r\nAuthorization: Basic {secret}\r\n\r\n".encode()
        raw_answer = f"HTTP/1.1 204 No Content\r\nSet-Cookie: {secret}\r\n\r\n".encode()
        for unit in talk([(C, raw), (S, raw_answer)]):
            assert secret not in unit.summary + str(unit.explain())

    def test_a_query_is_explained_value_by_value(self):
        (unit,) = talk([(C, b"GET /socket.io/?EIO=3&transport=polling&x=a%20b HTTP/1.1\r\n\r\n")])
        values = labelled(unit, "Value")
        assert values == ["3: the Engine.IO of Socket.IO 2", "polling", "a b"]

    def test_from_the_wrong_side(self):
        assert (
            talk([(C, b"HTTP/1.1 204 No Content\r\n\r\n")])[0].faults[0].expected
            == "a request from the client"
        )
        assert talk([(S, b"GET / HTTP/1.1\r\n\r\n")])[0].faults[0].got == "a request"

    def test_a_101_that_nobody_asked_for_changes_nothing(self):
        answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
        units = talk([(C, b"GET / HTTP/1.1\r\n\r\n"), (S, answer), (C, b"GET /2 HTTP/1.1\r\n\r\n")])
        assert "asked for no upgrade" in units[1].faults[0].got and units[2].summary == "GET /2"

    def test_a_refused_upgrade_goes_on_as_http(self):
        asked = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        refused = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        units = talk([(C, asked + b"GET /2 HTTP/1.1\r\n\r\n"), (S, refused)])
        assert [unit.summary for unit in units] == ["GET /", "400 Bad Request", "GET /2"]


def test_a_request_that_ends_with_the_connection_has_no_end():
    """RFC 9112 §6.3: only a response may."""
    (unit, *_) = talk([(Side.CLIENT, b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc")])
    assert unit.faults[0].expected == "chunked as the last coding of a request"


def test_an_answer_to_an_upgrade_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(websocket, "LONGEST", 64)
    connection = Connection()
    connection.feed(Side.CLIENT, UPGRADE)
    assert connection.feed(Side.CLIENT, bytes(64)) == []
    found = connection.feed(Side.CLIENT, b"\0") + connection.finish()
    assert found[0].faults[0].expected == "the answer to the upgrade"


class TestContent:
    def test_of_many_compressions_one_on_the_other_none_is_undone(self):
        stream = (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip,gzip,gzip,gzip,gzip\r\nContent-Length: 3\r\n\r\nabc"
        )
        (unit,) = responses(stream, "GET")
        assert "inflated" in unit.faults[0].expected and not unit.payload

    def test_of_a_compressed_body_of_nothing_nothing_is_inflated(self):
        (unit,) = responses(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", "GET")
        assert not unit.faults and unit.payload == b""

    def body(self, coding: str, data: bytes) -> Unit:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(data)}\r\n\r\n"
        (unit,) = [unit for unit in talk([(C, POLL), (S, head.encode() + data)]) if unit.side is S]
        tiles(unit)
        return unit

    def test_a_body_cut_short_in_its_gzip_is_a_fault(self):
        unit = self.body("gzip", gzip.compress(b"42[]" * 100)[:-12])
        assert unit.faults[0].clause == "RFC 9110 §8.4"

    def test_two_codings_are_undone_from_the_last_to_the_first(self):
        assert self.body("deflate, gzip", gzip.compress(zlib.compress(b"6"))).payload == b"6"

    def test_an_unknown_coding_is_left_alone(self):
        assert self.body("br", b"\x01\x02").payload == b"\x01\x02"

    def test_packets_over_many_chunks_are_explained_where_they_stand(self):
        text = '42["replaced values",{"name":"é€"}]\x1e2'.encode()
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(text[a : a + 7]), text[a : a + 7]) for a in range(0, len(text), 7)
        )
        stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        unit = talk([(C, POLL), (S, stream)])[1]
        assert [packet.type.name for packet in unit.packets] == ["MESSAGE", "PING"]
        tiles(unit)
        assert not [span for span in unit.explain() if span.layer is Layer.UNKNOWN]
        names = [span for span in unit.explain() if span.label == "Event name"]
        whole = b"".join(unit.raw[span.start : span.end] for span in names)
        assert whole == b'"replaced values"' and {span.value for span in names} == {'"replaced values"'}

    def test_an_error_in_json_is_explained(self):
        answer = b'{"code":1,"message":"Session ID unknown"}'
        head = b"HTTP/1.1 400 BAD REQUEST\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        unit = talk([(C, POLL), (S, head % len(answer) + answer)])[1]
        assert labelled(unit, "Name") == ['"code"', '"message"'] and not unit.packets


fields = st.lists(
    st.tuples(st.sampled_from(["X-A", "Accept", "Cookie", "Content-Type"]), st.text("abc ;=/", max_size=10)),
    max_size=4,
)


@given(fields, st.binary(max_size=200), st.sampled_from(["length", "chunked", "close"]), st.integers(1, 60))
def test_agrees_with_h11(headers, data, framing, step):
    """h11, which the server's WebSocket handshake uses, reads the same from the same bytes."""
    headers = [(name, value.strip()) for name, value in headers]
    if framing == "length":
        headers.append(("Content-Length", str(len(data))))
    elif framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    writer = h11.Connection(h11.SERVER)
    writer.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    writer.next_event()
    writer.next_event()
    stream = writer.send(h11.Response(status_code=200, headers=headers, reason=b"OK")) or b""
    stream += writer.send(h11.Data(data=data)) or b""
    stream += writer.send(h11.EndOfMessage()) or b""
    pieces = [(S, stream[at : at + step]) for at in range(0, len(stream), step)]
    (unit,) = [unit for unit in talk([(C, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), *pieces]) if unit.side is S]
    assert unit.payload == data and unit.raw == stream and not unit.faults
    tiles(unit)
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(unit.raw)
    response = reader.next_event()
    head = http.parse_head(unit.raw)
    assert isinstance(head, http.Head)
    assert [(name.lower(), value) for name, value in head.fields] == [
        (name.decode(), value.decode()) for name, value in response.headers
    ]
