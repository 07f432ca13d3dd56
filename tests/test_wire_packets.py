"""Engine.IO and Socket.IO packets in all their forms: decoded, explained, or named as what they are."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any
from urllib.parse import quote_plus

import engineio as python_engineio
import pytest
import socketio as python_socketio
from hypothesis import given
from hypothesis import strategies as st

from utils.wire import attachments, engineio, jsontext, msgpack, socketio
from utils.wire.tiling import Tiler, byte_length, shown
from utils.wire.units import EngineType, Layer, Side, SocketType, Span, Unit

text = st.text(st.characters(codec="utf-8"), max_size=12)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


def spans(lay: Any, *given_: Any) -> tuple[Span, ...]:
    tiler = Tiler()
    lay(tiler, *given_)
    return tuple(tiler.spans)


class TestSocketIO:
    @pytest.mark.parametrize(
        ("packet", "kind", "namespace", "number", "data", "attached"),
        [
            ("0{}", SocketType.CONNECT, "/", None, {}, 0),
            ('0/admin,{"t":"ok"}', SocketType.CONNECT, "/admin", None, {"t": "ok"}, 0),
            ("0/admin?token=1,", SocketType.CONNECT, "/admin", None, None, 0),
            ("1/admin,", SocketType.DISCONNECT, "/admin", None, None, 0),
            ("1", SocketType.DISCONNECT, "/", None, None, 0),
            ('2["bid",1]', SocketType.EVENT, "/", None, ["bid", 1], 0),
            ('2/admin,12["q",1]', SocketType.EVENT, "/admin", 12, ["q", 1], 0),
            ("3/admin,12[1]", SocketType.ACK, "/admin", 12, [1], 0),
            ('4/admin,{"message":"no","data":{"code":7}}', SocketType.CONNECT_ERROR, "/admin", None,
             {"message": "no", "data": {"code": 7}}, 0),
            ('4"no"', SocketType.CONNECT_ERROR, "/", None, "no", 0),
            ('51-["f",{"_placeholder":true,"num":0}]', SocketType.BINARY_EVENT, "/", None,
             ["f", {"_placeholder": True, "num": 0}], 1),
            ("62-/a,7[]", SocketType.BINARY_ACK, "/a", 7, [], 2),
            (' 2["a"]'[1:] + " \n", SocketType.EVENT, "/", None, ["a"], 0),
        ],
    )  # fmt: skip
    def test_every_form(self, packet, kind, namespace, number, data, attached):
        found = socketio.decode(packet)
        assert not found.faults and found.packet is not None
        assert (found.packet.type, found.packet.namespace, found.packet.id) == (kind, namespace, number)
        assert (found.packet.data, found.packet.attachments) == (data, attached)
        laid = spans(socketio.lay, packet)
        assert laid[-1].end == len(packet) and not [span for span in laid if span.layer is Layer.UNKNOWN]

    @pytest.mark.parametrize(
        ("packet", "at", "expected"),
        [
            ("", 0, "packet type"),
            ("7", 0, "packet type"),
            ("٣", 0, "packet type"),
            ("2", 1, "event's name"),
            ("2{}", 1, "event's name"),
            ("2[]", 1, "event's name"),
            ("2[null]", 1, "event's name"),
            ("2[true]", 1, "event's name"),
            ('3{"a":1}', 1, "acknowledgement"),
            ("0[]", 1, "object"),
            ("4[]", 1, "object"),
            ("1{}", 1, "packet's end"),
            ('5["f"]', 1, "attachments"),
            ('50-["f"]', 1, "attachments"),
            ('21-["f"]', 1, "no attachments"),
            ('2["a"]x', 6, "packet's end"),
            ('2["a', 2, "JSON"),
            ('2["é",]', 6, "JSON"),
            ('2["é"]é', 7, "packet's end"),
            ("2٣[]", 1, "JSON"),
            ("2" + "1" * 101 + "[]", 101, "at most 100 digits"),
            ('2["a",' + "[" * 500 + "]" * 500 + "]", 1, "JSON"),
            ('2["a",' + "9" * 5000 + "]", 1, "JSON"),
            ('2["a",NaN]', 1, "JSON"),
            ('2["a",-Infinity]', 1, "JSON"),
        ],
    )
    def test_what_is_wrong_is_said_and_where(self, packet, at, expected):
        first = socketio.decode(packet).faults[0]
        assert expected in first.expected
        # Python 3.13 places "illegal trailing comma" at the comma, older ones behind it.
        assert first.offset == at or (packet == '2["é",]' and first.offset in (5, 6, 7))

    def test_an_event_with_nan_keeps_its_name(self):
        found = socketio.decode('2["price",NaN]')
        assert found.packet is not None and found.packet.event == "price" and found.faults

    def test_brackets_in_a_text_are_no_depth(self):
        found = socketio.decode('2["a","' + "[]" * 1000 + '"]')
        assert not found.faults

    def test_json_a_hundred_thousand_deep(self):
        for bracket in "[{":
            found = socketio.decode('2["a",' + bracket * 100_000)
            assert "deeper" in found.faults[0].got
            laid = spans(socketio.lay, '2["a",' + bracket * 100_000)
            assert laid[-1].end == 100_006 and len(laid) < 2 * jsontext.MOST_TOKENS

    @given(st.text(max_size=30))
    def test_any_text_is_laid_whole_or_left_to_others(self, given_text):
        given_text = given_text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
        socketio.decode(given_text)
        laid = spans(socketio.lay, given_text)
        assert not laid or laid[-1].end == byte_length(given_text)

    @given(st.sampled_from(list(SocketType)), st.sampled_from(["/", "/a", "/é"]), json_values)
    def test_agrees_with_python_socketio(self, kind, namespace, value):
        data = {0: {"v": value}, 1: None, 4: {"message": value}}.get(int(kind), ["name", value])
        binary = kind in (SocketType.BINARY_EVENT, SocketType.BINARY_ACK)
        if binary:
            data = ["name", {"b": b"\x01"}, value, b"\x02"]
        plain = {SocketType.BINARY_EVENT: SocketType.EVENT, SocketType.BINARY_ACK: SocketType.ACK}
        theirs = python_socketio.packet.Packet(int(plain.get(kind, kind)), data, namespace, id=3)
        encoded = theirs.encode()
        packets = [encoded] if isinstance(encoded, str) else encoded
        collector = attachments.Collector()
        whole = None
        for part in packets:
            found = (
                engineio.decode_text("4" + part) if isinstance(part, str) else engineio.decode_binary(part)
            )
            assert kind is SocketType.DISCONNECT or not found.faults
            whole = collector.add(found.packets[0])
        assert whole is not None
        assert (whole.type, whole.namespace, whole.id, whole.data) == (kind, namespace, 3, data)

    @pytest.mark.parametrize(
        ("packet", "told"),
        [
            ('2["bid",{"cents":1}]', 'event "bid" [{"cents":1}]'),
            ('2/a,7["bid"]', 'event "bid" in /a #7 []'),
            ('2[ "bid" , 1 ]', 'event "bid" [1 ]'),
            ('51-["f",{"_placeholder":true,"num":0}]', 'binary event "f" [{"_placeholder":true,"num":0}]'),
            ("37[1]", "ACK #7 [1]"),
            ("4/a,{}", "CONNECT ERROR in /a {}"),
            ("1", "DISCONNECT"),
            ('2["\\u0007\u202e\x1b[31m",1]', 'event "\\u0007\\u202e\\x1b[31m" [1]'),
        ],
    )
    def test_told_in_a_line(self, packet, told):
        assert engineio.decode_text("4" + packet).told == told

    def test_a_line_stays_a_line(self):
        told = engineio.decode_text("42" + json.dumps(["n" * 1000, "\n" * 1000])).told
        assert len(told) <= 120 and told.isprintable()


def test_the_pieces_of_what_is_no_packet():
    assert socketio.split("x") is None and socketio.split("") is None
    pieces = socketio.split('51-/lot,12["a"]')
    assert pieces is not None
    assert (pieces.type, pieces.attachments, pieces.namespace, pieces.id) == ("5", "1", "/lot", "12")
    assert pieces.data == '["a"]'


def test_more_values_than_anybody_sends_are_not_read(monkeypatch):
    monkeypatch.setattr(socketio, "MOST_VALUES", 10)
    (fault,) = socketio.decode('2["a",1,2,3,4,5,6,7,8,9,10]').faults
    assert "more than 10 values" in fault.got


class TestJSON:
    def test_names_values_and_the_event(self):
        laid = spans(jsontext.lay_json, '["bid", {"a": [1, "b", true]}, -1.5e3]')
        assert [span.label for span in laid if span.label in ("Name", "String", "Number", "Literal")] == [
            "String", "Name", "Number", "String", "Literal", "Number",
        ]  # fmt: skip
        tiler = Tiler()
        jsontext.lay_json(tiler, '["bid","x"]', named=True)
        assert [span.label for span in tiler.spans] == [
            "Array begins", "Event name", "Value separator", "String", "Array ends",
        ]  # fmt: skip

    @given(json_values, st.booleans())
    def test_every_token_of_any_json_is_told(self, value, ascii_only):
        encoded = json.dumps(value, ensure_ascii=ascii_only)
        laid = spans(jsontext.lay_json, encoded)
        assert laid[-1].end == byte_length(encoded)
        assert not [span for span in laid if span.label in ("More JSON", "No JSON")]

    def test_a_megabyte_of_json_is_quick_and_bounded(self):
        encoded = json.dumps(["a", *[{"lot": number} for number in range(80_000)]])
        laid = spans(jsontext.lay_json, encoded)
        assert len(laid) <= jsontext.MOST_TOKENS + 1 and laid[-1].end == len(encoded)
        assert not socketio.decode("2" + encoded).faults


class TestEngineIO:
    @pytest.mark.parametrize("text_", ['0{"sid":"x"}', "1", "2", "3probe", "4hello", "5", "6"])
    def test_agrees_with_python_engineio(self, text_):
        theirs = python_engineio.packet.Packet(encoded_packet=text_)
        (mine,) = engineio.decode_text(text_).packets
        assert int(mine.type) == theirs.packet_type

    @pytest.mark.parametrize("text_", ["0", "0{}", "0[]", '0{"sid":1}', "0x", "0" + "[" * 100_000])
    def test_an_open_packet_without_a_session(self, text_):
        (fault,) = engineio.decode_text(text_).faults
        assert fault.clause == "engine.io-protocol: handshake"

    def test_jsonp(self):
        payload = '42["a","\\"quoted\\""]\x1e2'
        body = f"___eio[3]({json.dumps(payload)});".encode()
        found = engineio.decode_payload(body)
        assert [packet.type for packet in found.packets] == [EngineType.MESSAGE, EngineType.PING]
        assert found.packets[0].socketio.data == ["a", '"quoted"'] and not found.faults
        labels = [span.label for span in spans(engineio.lay_payload, body)]
        assert labels == ["JSONP call", "Payload", "JSONP end"]

    def test_jsonp_as_python_engineio_writes_it(self):
        packets = [python_engineio.packet.Packet(4, data='2["a","b"]'), python_engineio.packet.Packet(6)]
        body = python_engineio.payload.Payload(packets=packets).encode(jsonp_index=0).encode()
        assert engineio.decode_payload(body).told == 'event "a" ["b"] · noop'

    def test_a_jsonp_pages_form(self):
        body = b"d=" + quote_plus('42["é","a b"]').encode()
        found = engineio.decode_payload(body)
        assert found.packets[0].socketio.data == ["é", "a b"] and not found.faults
        laid = spans(engineio.lay_payload, body)
        assert [span.label for span in laid] == ["Form field", "Payload"] and laid[-1].end == len(body)

    @pytest.mark.parametrize(
        "body",
        [b'26:0{"sid":"x","upgrades":[]}', b"1:2", b"6:3probe2:40", "5:4é€x!1:2".encode(), b"10:b4AQIDBAU=1:2",
         b"\x00\x01\xff2", b"\x01\x02\x05\xff4"],
    )  # fmt: skip
    def test_version_3_is_recognised_and_named(self, body):
        found = engineio.decode_payload(body)
        assert found.told == "Engine.IO v3" and "v3" in found.faults[0].got and not found.packets

    @pytest.mark.parametrize("body", [b"41:2foo", b"2", b"4", b"0:4", b'42["1:2"]'])
    def test_version_4_is_not_taken_for_3(self, body):
        assert engineio.decode_payload(body).told != "Engine.IO v3"

    def test_broken_base64(self):
        found = engineio.decode_payload(b"2\x1eb*\x1e3")
        assert [packet.type.name for packet in found.packets] == ["PING", "PONG"]
        assert found.faults[0].offset == 2 and found.faults[0].clause == "RFC 4648 §4"

    def test_faults_are_placed_in_bytes(self):
        body = '4é\x1e42["€",]'.encode()
        found = engineio.decode_payload(body)
        assert found.faults[-1].offset in range(body.index(b"]") - 1, body.index(b"]") + 1)

    def test_a_million_packets_in_one_payload_are_bounded(self):
        found = engineio.decode_payload(b"\x1e".join([b"2"] * 1_000_000))
        assert len(found.packets) == engineio.MOST_PACKETS + 1 or len(found.packets) == engineio.MOST_PACKETS


def packed(value: Any) -> bytes:
    """MessagePack, as notepack.io writes it (MessagePack specification, "Formats")."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        if 0 <= value < 128:
            return bytes([value])
        if -32 <= value < 0:
            return struct.pack("b", value)
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else b"\xd9" + bytes([len(data)])) + data
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    return bytes([0x80 | len(value)]) + b"".join(packed(k) + packed(v) for k, v in value.items())


class TestMsgpack:
    @given(st.sampled_from(list(SocketType)), st.lists(json_values | st.binary(max_size=9), max_size=3))
    def test_a_packet_of_the_msgpack_parser_is_recognised(self, kind, values):
        data = {"type": int(kind), "data": ["bid", *values], "options": {}, "id": 7, "nsp": "/a"}
        try:
            body = packed(data)
        except struct.error:  # an integer of more than 64 bits
            return
        found = msgpack.decode(body)
        assert found is not None
        assert (found.type, found.namespace, found.id) == (kind, "/a", 7)
        assert found.data == ["bid", *values]
        decoded = engineio.decode_binary(body)
        assert not decoded.packets[0].attachment and decoded.told.startswith("msgpack")
        assert [span.layer for span in spans(engineio.lay_binary, body)] == [Layer.SOCKETIO]

    @given(st.binary(max_size=200))
    def test_anything_else_is_an_attachment(self, data):
        assert msgpack.decode(data) is None or data[0] in range(0x82, 0x86)
        assert msgpack.decode(b"\x82" + data) is None or b"type" in data

    @pytest.mark.parametrize(
        "body",
        [
            packed({"type": 9, "nsp": "/"}),
            packed({"type": True, "nsp": "/"}),
            packed({"type": 2, "nsp": 1}),
            packed({"type": 2, "nsp": "/"}) + b"\xc0",
            packed({"type": 2, "nsp": "/"})[:-1],
            b"\x82\xa4type\x02\xa3nsp\xdb\xff\xff\xff\xff",
            b"\x82\xa4type\x02\xa3nsp" + b"\x91" * 10_000,
            b"\x82\xa4type\x02\xa3nsp\xdd\xff\xff\xff\xff",
            b"\x82\xa4type\x02\x91\x01\xa1/" + b"\x00",
            b"\x82\xa4type\x02\xa3nsp\xc1\x00",
            packed({"type": 2, "nsp": "/"})[:1] + bytes(msgpack._LONGEST + 1),
        ],
    )
    def test_what_is_nearly_one_is_none(self, body):
        assert msgpack.decode(body) is None


def unit(*packets) -> Unit:
    return Unit(Side.CLIENT, Layer.WEBSOCKET, 0, b"", b"", packets)


class TestAttachments:
    def decode(self, *parts: str | bytes) -> list[Any]:
        found = [
            engineio.decode_text(part) if isinstance(part, str) else engineio.decode_binary(part)
            for part in parts
        ]
        units = [unit(*item.packets) for item in found]
        return [whole.packet.data for whole in attachments.whole_packets(units)]

    def test_they_stand_where_their_placeholders_stood(self):
        placeholders = [{"_placeholder": True, "num": number} for number in (1, 0)]
        told = "452-" + json.dumps(["f", {"deep": [placeholders[0]]}, placeholders[1]])
        assert self.decode(told, b"zero", b"one") == [["f", {"deep": [b"one"]}, b"zero"]]

    def test_what_carries_none_is_whole_at_once(self):
        assert self.decode('42["a"]', "2", '42["b"]') == [["a"], ["b"]]

    @pytest.mark.parametrize("number", [2, -1, "0", None, True, 0.0])
    def test_a_placeholder_with_a_wrong_number_stays(self, number):
        held = {"_placeholder": True, "num": number}
        assert self.decode("451-" + json.dumps(["f", held]), b"x") == [["f", held]]

    def test_strangers_are_passed_over(self):
        assert self.decode(b"x", '42["a"]', b"y") == [["a"]]

    def test_a_million_are_not_kept(self):
        assert self.decode('451000000-["f"]', *[b"x"] * 2000, '42["a"]') == [["a"]]

    def test_three_hundred_deep(self):
        deep: Any = {"_placeholder": True, "num": 0}
        for _ in range(300):
            deep = [deep]
        (found,) = self.decode("451-" + json.dumps(["f", deep]), b"x")
        for _ in range(300):
            found = found[-1]
        assert found == [b"x"]


def test_the_length_of_text_on_the_wire():
    assert byte_length("aé€😀") == 1 + 2 + 3 + 4
    assert byte_length("\udcff") == 1  # a byte that is no UTF-8
    assert byte_length("\ud800") == 3  # what JSON's own escape made


class TestShown:
    @pytest.mark.parametrize(
        ("given_", "told"),
        [
            (b"plain", "plain"),
            (b"\xff\x00", "\\xff\\x00"),
            ("é\u202e\n", "é\\u202e\\n"),
            ("x" * 60, "x" * 60),
            ("x" * 61, "x" * 59 + "…"),
            ("\ud800", "\\ud800"),
            (base64.b64encode(bytes(3)), "AAAA"),
        ],
    )
    def test_it_is_short_and_safe(self, given_, told):
        assert shown(given_) == told

    @given(st.text() | st.binary(), st.integers(1, 150))
    def test_always(self, given_, most):
        assert len(shown(given_, most)) <= most and shown(given_, most).isprintable()
