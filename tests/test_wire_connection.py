"""Whatever comes, however it is cut: the units tile the bytes, the spans tile the units, nothing raises."""

from __future__ import annotations

import gzip
import json
import random
import zlib

import engineio
import pytest
import socketio
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from tests.wire_bytes import (
    ACCEPT,
    CONVERSATION,
    UPGRADE,
    cut,
    framed,
    opened,
    switching,
    talk,
    tiles,
    understood,
)
from utils.wire.connection import Connection
from utils.wire.units import EngineType, Layer, Side, SocketType


class TestConversation:
    def test_it_is_understood_whole(self):
        units = talk(CONVERSATION)
        assert not [unit for unit in units if unit.faults]
        assert [unit.summary for unit in units] == [
            "GET /socket.io/?EIO=4&transport=polling",
            '200 OK · open {"sid":"abc","x":[1]}',
            "POST /socket.io/?EIO=4&transport=polling&sid=… · CONNECT",
            "200 OK",
            "GET /socket.io/?EIO=4&transport=polling&sid=…",
            '200 OK · CONNECT {"sid":"x"} · event "a" [1] · noop',
            "GET /socket.io/?EIO=4&transport=websocket&sid=…",
            "101 Switching Protocols",
            "ping probe",
            "pong probe",
            "upgrade",
            'event "replace old value" [{"lot":1,"cents":12500}]',
            'event "replaced values" [{"lot":1,"name":"é€"}]',
            "fragment, 16 bytes",
            "WebSocket ping",
            'event "q" in /admin #12 [true]',
            'binary event "f" [{"_placeholder":true,"num":0}]',
            "attachment, 3 bytes",
            "close 1000 normal closure, bye",
        ]

    def test_every_byte_of_it_is_explained(self):
        for unit in talk(CONVERSATION):
            tiles(unit)
            assert not [span for span in unit.explain() if span.layer is Layer.UNKNOWN], unit.summary
            assert all(span.label and span.meaning for span in unit.explain())

    def test_every_explanation_cites_its_source(self):
        cited = [
            span.clause.split(" ")[0] for unit in talk(CONVERSATION) for span in unit.explain() if span.clause
        ]
        assert set(cited) <= {"RFC", "engine.io-protocol:", "socket.io-protocol:"}
        assert len(cited) > 0.9 * sum(len(unit.explain()) for unit in talk(CONVERSATION))

    def test_a_cookie_is_not_told(self):
        assert "a=b" not in str(talk(CONVERSATION)[0].explain())

    @given(st.integers(0, 2**32 - 1))
    def test_however_it_is_cut_it_is_the_same(self, seed):
        assert talk(cut(CONVERSATION, random.Random(seed))) == talk(CONVERSATION)

    def test_byte_by_byte_it_is_the_same(self):
        pieces = [(side, bytes([byte])) for side, data in CONVERSATION for byte in data]
        assert talk(pieces) == talk(CONVERSATION)

    def test_the_first_frame_in_the_segment_of_the_101(self):
        connection = Connection()
        connection.feed(Side.CLIENT, UPGRADE)
        units = connection.feed(Side.SERVER, switching() + framed("3probe", client=False))
        assert [unit.summary for unit in units] == ["101 Switching Protocols", "pong probe"]

    def test_a_frame_that_was_seen_before_the_101_waits_for_it(self):
        connection = Connection()
        assert len(connection.feed(Side.CLIENT, UPGRADE + framed("2probe"))) == 1
        assert [unit.summary for unit in connection.feed(Side.SERVER, switching())] == [
            "101 Switching Protocols",
            "ping probe",
        ]

    def test_from_the_middle_of_a_websocket(self):
        connection = Connection()
        assert [u.summary for u in connection.feed(Side.SERVER, framed("2", client=False))] == ["ping"]
        assert [u.summary for u in connection.feed(Side.CLIENT, framed("3"))] == ["pong"]


class TestBodies:
    @pytest.mark.parametrize(
        ("coding", "pack"),
        [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda d: zlib.compress(d)[2:-4])],
    )
    def test_a_compressed_body_is_read(self, coding, pack):
        body = pack(b'42["a",1]')
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        asked = CONVERSATION[4]
        unit = talk([asked, (Side.SERVER, head + body)])[1]
        assert unit.packets[0].socketio.event == "a" and unit.payload == b'42["a",1]'
        tiles(unit)

    def test_a_bomb_is_a_fault_and_not_a_flood(self):
        body = gzip.compress(bytes(1 << 27))
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        unit = talk([CONVERSATION[4], (Side.SERVER, head + body)])[1]
        assert unit.faults and not unit.payload

    def test_the_answer_to_a_head_request_has_no_body(self):
        units = talk(
            [
                (Side.CLIENT, b"HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
                (
                    Side.SERVER,
                    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" * 2 + b"hello",
                ),
            ]
        )
        assert [unit.payload for unit in units if unit.side is Side.SERVER] == [b"", b"hello"]

    def test_a_body_until_the_connections_end(self):
        unit = talk([(Side.SERVER, b"HTTP/1.1 200 OK\r\n\r\nhello "), (Side.SERVER, b"world")])[0]
        assert unit.payload == b"hello world" and not unit.faults

    def test_binary_in_polling_is_base64(self):
        body = b'451-["f",{"_placeholder":true,"num":0}]\x1ebAQID'
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        unit = talk([CONVERSATION[4], (Side.SERVER, head + body)])[1]
        assert unit.packets[1].data == b"\x01\x02\x03"
        tiles(unit)

    def test_engine_io_3_is_recognised_and_named(self):
        body = b'12:0{"sid":"x"}2:40'
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        (fault,) = talk([CONVERSATION[4], (Side.SERVER, head + body)])[1].faults
        assert "v3" in fault.got


class TestDeflate:
    @pytest.mark.parametrize("takeover", [True, False])
    def test_messages_are_inflated(self, takeover):
        extensions = "permessage-deflate" + ("" if takeover else "; server_no_context_takeover")
        connection = opened(extensions)
        packer = zlib.compressobj(wbits=-15)
        for number in range(3):
            text = b'42["replaced values",{"cents":%d}]' % number
            packed = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
            (unit,) = connection.feed(Side.SERVER, framed(packed, client=False, opcode=1, rsv=4))
            assert unit.payload == text and unit.packets[0].socketio.data[1] == {"cents": number}
            tiles(unit)
            if not takeover:
                packer = zlib.compressobj(wbits=-15)

    def test_with_the_first_frame_missing_the_later_ones_say_so(self):
        connection = opened("permessage-deflate")
        connection.gap(Side.SERVER, 20)
        packed = zlib.compress(b'42["a"]')[2:-4]
        (unit,) = connection.feed(Side.SERVER, framed(packed, client=False, opcode=1, rsv=4))
        assert "cannot be inflated" in unit.faults[0].got


class TestFaults:
    def test_a_wrong_accept_key(self):
        units = talk([(Side.CLIENT, UPGRADE), (Side.SERVER, switching(accept="nonsense"))])
        assert ACCEPT in units[1].faults[0].expected

    def test_an_unmasked_client_frame(self):
        (unit,) = opened().feed(Side.CLIENT, framed("2", client=False))
        assert unit.faults[0].clause == "RFC 6455 §5.1"

    def test_html_inside_a_websocket(self):
        page = b"<!DOCTYPE HTML>"
        head = b"HTTP/1.1 400 Bad request syntax\r\nContent-Length: %d\r\n\r\n" % len(page)
        connection = opened()
        (unit,) = connection.feed(Side.SERVER, head + page)
        assert unit.payload == page and unit.faults[0].expected == "a WebSocket frame"
        (after,) = connection.feed(Side.SERVER, framed("2", client=False))
        assert after.summary == "ping"

    def test_a_length_that_nobody_would_send_is_not_waited_for(self):
        connection = opened()
        units = connection.feed(Side.CLIENT, b"\x82\xff" + (2**63).to_bytes(8) + b"x" * 30)
        assert units[0].layer is Layer.UNKNOWN and "at most" in units[0].faults[0].expected
        assert connection.feed(Side.CLIENT, framed("2"))[-1].summary == "ping"

    def test_what_is_cut_off_by_the_end_is_shown(self):
        connection = opened()
        assert connection.feed(Side.CLIENT, framed("42[]")[:5]) == []
        (unit,) = connection.finish()
        assert unit.raw == framed("42[]")[:5] and unit.faults

    @pytest.mark.parametrize(
        "text", ["", "9", "4", "49", "42[", "42[" * 100_000, "4" + "1" * 5000, '42["a",' + "9" * 5000 + "]"]
    )
    def test_a_broken_packet_is_a_fault_and_stays_visible(self, text):
        (unit,) = opened().feed(Side.CLIENT, framed(text))
        assert unit.faults or text == "42["
        tiles(unit)

    def test_a_gap_moves_the_offsets(self):
        connection = opened()
        before = connection.feed(Side.CLIENT, framed("2"))[0]
        connection.gap(Side.CLIENT, 100)
        after = connection.feed(Side.CLIENT, framed("3"))[0]
        assert after.start == before.end + 100


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=60)), max_size=12), st.booleans())
def test_any_bytes_are_tiled_and_nothing_raises(pieces, websocket):
    connection = opened() if websocket else Connection()
    starts = {side: connection._halves[side].start for side in Side}
    units = [unit for side, data in pieces for unit in connection.feed(side, data)] + connection.finish()
    for side in Side:
        own = [unit for unit in units if unit.side is side]
        assert b"".join(unit.raw for unit in own) == b"".join(data for s, data in pieces if s is side)
        at = starts[side]
        for unit in own:
            assert unit.start == at
            at = unit.end
            tiles(unit)


def mutated(chance: random.Random, noise: bytes) -> list[tuple[Side, bytes]]:
    """The conversation with a few bytes replaced, taken out or put in."""
    pieces = [(side, bytearray(data)) for side, data in CONVERSATION]
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(pieces)[1]
        at = chance.randrange(len(data))
        data[at : at + chance.choice([0, 1, len(noise)])] = noise
    return [(side, bytes(data)) for side, data in pieces]


@given(st.integers(0, 2**32 - 1), st.binary(max_size=4))
def test_mutations_of_a_real_conversation_never_raise_and_tile(seed, noise):
    pieces = mutated(random.Random(seed), noise)
    units = talk(pieces)
    for side in Side:
        own = [unit for unit in units if unit.side is side]
        assert b"".join(unit.raw for unit in own) == b"".join(data for s, data in pieces if s is side)
    for unit in units:
        tiles(unit)
        assert unit.summary.isprintable() and len(unit.summary) <= 120


@given(st.integers(0, 2**32 - 1), st.binary(max_size=4))
def test_a_mutated_conversation_is_the_same_however_it_is_cut(seed, noise):
    chance = random.Random(seed)
    pieces = mutated(chance, noise)
    assert understood(talk(cut(pieces, chance))) == understood(talk(pieces))


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=60)), max_size=8), st.integers(0, 2**32 - 1)
)
def test_any_bytes_are_understood_the_same_however_they_are_cut(pieces, seed):
    assert understood(talk(cut(pieces, random.Random(seed)))) == understood(talk(pieces))


# ── the same bytes, told by others ───────────────────────────────────────────

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
namespaces = st.sampled_from(["/", "/admin", "/a/b"])


@given(
    st.sampled_from([SocketType.EVENT, SocketType.ACK]),
    namespaces,
    st.none() | st.integers(0, 10**9),
    st.lists(json_values, max_size=3),
)
def test_agrees_with_python_socketio(kind, namespace, number, values):
    if kind is SocketType.EVENT:
        values = ["an event", *values]
    elif number is None:
        number = 0
    packet = socketio.packet.Packet(int(kind), data=values, namespace=namespace, id=number)
    encoded = engineio.packet.Packet(engineio.packet.MESSAGE, packet.encode()).encode()
    (unit,) = opened().feed(Side.CLIENT, framed(encoded))
    mine = unit.packets[0].socketio
    assert (mine.type, mine.namespace, mine.id, mine.data) == (kind, namespace, number, values)
    assert not unit.faults and unit.packets[0].type is EngineType.MESSAGE
    tiles(unit)
    assert not [span for span in unit.explain() if span.layer is Layer.UNKNOWN]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), max_size=300).map(lambda t: "4" + t) | st.binary(max_size=300),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_agrees_with_wsproto(messages, fragment):
    protocol = FrameProtocol(client=True, extensions=[])
    stream = b"".join(
        protocol.send_data(m[: len(m) // 2], fin=False) + protocol.send_data(m[len(m) // 2 :], fin=True)
        if fragment
        else protocol.send_data(m, fin=True)
        for m in messages
    )
    units = opened().feed(Side.CLIENT, stream)
    whole = [unit.payload for unit in units if unit.raw[0] & 0x80]
    assert whole == [m.encode() if isinstance(m, str) else m for m in messages]
    reader = FrameProtocol(client=False, extensions=[])
    reader.receive_bytes(stream)
    assert len(units) == sum(
        1
        for frame in reader.received_frames()
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION)
    )
    for unit in units:
        tiles(unit)


@given(
    st.lists(
        st.sampled_from(["2", "3probe", "6", '42["a"]', '40{"sid":"x"}']) | st.binary(max_size=20),
        min_size=1,
        max_size=8,
    )
)
def test_agrees_with_python_engineio_on_payloads(parts):
    packets = [
        engineio.packet.Packet(engineio.packet.MESSAGE, part)
        if isinstance(part, bytes)
        else engineio.packet.Packet(encoded_packet=part)
        for part in parts
    ]
    body = engineio.payload.Payload(packets=packets).encode().encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    unit = talk([CONVERSATION[4], (Side.SERVER, head + body)])[1]
    assert [
        packet.data if packet.attachment else str(int(packet.type)) + packet.data for packet in unit.packets
    ] == parts
    assert json.dumps(unit.summary)
    tiles(unit)
