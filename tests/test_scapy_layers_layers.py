"""Scapy's users get real layers: fields, building, dissecting, and the same bytes back."""

from __future__ import annotations

import json
import random

import pytest
import wsproto.frame_protocol
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Padding, Raw, bind_layers, split_layers
from scapy.sessions import TCPSession

from tests.conforming import conversation
from tests.wire_bytes import CONVERSATION, framed, talk
from utils.scapy_layers import EngineIO, EngineIOPayload, SocketIO, WebSocket, WebSocketClose
from utils.wire.connection import Connection
from utils.wire.units import Layer, Side

FRAMES = [data for _, data in CONVERSATION[8:]]


def again(packet: Packet) -> bytes:
    """Built from the fields alone, not from what scapy keeps of the original."""
    packet.clear_cache()
    return bytes(packet)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_built_as_it_was_dissected(frame):
    assert bytes(WebSocket(frame)) == frame
    assert again(WebSocket(frame)) == frame


@pytest.mark.parametrize("client", [True, False])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_frame_of_any_length(size, client):
    frame = framed("4" + "x" * size, client=client)
    packet = WebSocket(frame)
    assert packet.payload_length == size + 1
    assert bytes(packet) == frame and again(packet) == frame
    del packet.length
    packet.clear_cache()
    assert bytes(packet) == frame


@given(st.binary(min_size=1, max_size=300))
def test_whatever_the_bytes_they_come_back(data):
    for layer in (WebSocket, EngineIO, EngineIOPayload):
        assert bytes(layer(data)) == data


@given(st.binary(max_size=40), st.sampled_from([b"4", b"42", b"451-", b"42/a,7", b"40"]), st.booleans())
def test_frames_around_any_bytes_come_back(data, begin, client):
    frame = framed(begin + data, client=client, opcode=1)
    packet = WebSocket(frame + b"rest")
    assert bytes(packet) == frame + b"rest" and packet[Padding].load == b"rest"


@given(st.integers(0, 2**32 - 1))
def test_every_frame_of_every_form_is_built_as_it_was_dissected(seed):
    """Masked or not, of every length, fragments, control frames, compressed and binary ones."""
    pieces, _ = conversation(random.Random(seed))
    for unit in talk(pieces):
        if unit.layer is Layer.WEBSOCKET:
            assert again(WebSocket(unit.raw)) == unit.raw
        elif unit.packets:
            assert again(EngineIOPayload(unit.payload)) == unit.payload


@given(
    st.sampled_from([0, 1, 2, 8, 9, 10]),
    st.booleans(),
    st.integers(0, 7),
    st.binary(max_size=300),
    st.sampled_from([None, 126, 127]),
    st.none() | st.binary(min_size=4, max_size=4),
)
def test_a_frame_with_any_bits_and_a_length_in_any_form_comes_back(opcode, fin, rsv, payload, form, key):
    """A length may stand in more bytes than it needs, and a mask may be all zeros."""
    size = len(payload)
    short = form or (size if size < 126 else 126)
    longer = size.to_bytes({126: 2, 127: 8}[short]) if short > 125 else b""
    head = bytes([fin << 7 | rsv << 4 | opcode, (key is not None) << 7 | short]) + longer + (key or b"")
    masked = bytes(byte ^ (key or bytes(4))[place % 4] for place, byte in enumerate(payload))
    packet = WebSocket(head + masked)
    assert again(packet) == head + masked and packet.payload_length == size


@given(st.from_regex(r"[0-6]([0-9]{1,4}-)?(/[a-zé?=]{0,4},?)?[0-9]{0,4}(\[.{0,9})?", fullmatch=True))
def test_a_packet_in_whatever_spelling_comes_back(text):
    data = text.encode()
    packet = SocketIO(data)
    assert again(packet) == data
    packet.type = 3
    assert bytes(packet) == b"3" + data[1:]


def test_a_frame_cut_short_is_shown_as_far_as_it_goes():
    for end in range(1, len(FRAMES[3])):
        packet = WebSocket(FRAMES[3][:end])
        assert bytes(packet) == FRAMES[3][:end]
        assert isinstance(packet, WebSocket) == (end >= 6)


def test_fields_of_an_event():
    packet = WebSocket(framed('451-/admin,12["f",{"_placeholder":true,"num":0}]'))
    event = packet[SocketIO]
    assert packet[WebSocket].mask == 1 and packet[EngineIO].sprintf("%EngineIO.type%") == "MESSAGE"
    assert (event.type, event.attachments, event.namespace, event.id) == (5, 1, "/admin", 12)
    assert event.event == "f" and event.json == ["f", {"_placeholder": True, "num": 0}]


def test_show_and_summary_speak_the_protocols_words(capsys):
    packet = WebSocket(framed('42["bid",1250]'))
    assert packet.summary() == 'WebSocket / EngineIO / Socket.IO event "bid" [1250]'
    packet.show()
    shown = capsys.readouterr().out
    assert "opcode    = TEXT" in shown and "type      = EVENT" in shown and '["bid",1250]' in shown


def test_a_close_frame():
    packet = WebSocket(framed(b"\x03\xe8bye", opcode=8))
    assert packet[WebSocketClose].code == 1000 and packet[WebSocketClose].reason == b"bye"
    assert "1000 normal closure, bye" in packet.summary()


def test_fragments_compressed_and_binary_frames_are_left_raw():
    for frame in (
        framed("42[", fin=False),
        framed(b"1]", opcode=0),
        framed(b"\x01\x02", opcode=1, rsv=4),
        framed(b"42"),
        framed("hello"),
    ):
        assert isinstance(WebSocket(frame).payload, Raw)


def test_what_is_built_is_read_by_wsproto():
    built = bytes(WebSocket(mask=1, key=b"abcd") / EngineIO() / SocketIO(data=["bid", {"cents": 1250}], id=7))
    reader = wsproto.frame_protocol.FrameProtocol(client=False, extensions=[])
    reader.receive_bytes(built)
    (frame,) = reader.received_frames()
    assert frame.payload == '427["bid",{"cents":1250}]'


@given(
    st.integers(0, 6),
    st.none() | st.integers(0, 99),
    st.sampled_from(["/", "/admin", "/a/é"]),
    st.none() | st.integers(0, 10**9),
    st.none() | st.lists(st.text(st.characters(codec="utf-8"), max_size=5) | st.integers(), max_size=3),
)
def test_what_is_built_is_dissected_to_the_same_fields(kind, attachments, namespace, number, data):
    value = json.dumps(data) if data is not None else ""
    given_fields = SocketIO(type=kind, attachments=attachments, namespace=namespace, id=number, data=value)
    packet = SocketIO(bytes(given_fields))
    assert (packet.type, packet.attachments, packet.namespace, packet.id) == (
        kind,
        attachments,
        namespace,
        number,
    )
    assert packet.data.decode() == value and packet.json == data


def test_a_field_can_be_changed():
    packet = WebSocket(framed('42["bid",1250]'))
    packet[SocketIO].data = ["bid", 9]
    del packet.length
    assert bytes(packet) == framed('42["bid",9]')


def test_types_go_by_their_names():
    assert bytes(EngineIO(type="PING")) == b"2"
    assert bytes(SocketIO(type="DISCONNECT", namespace="/a")) == b"1/a,"
    assert bytes(WebSocket(opcode="CLOSE") / WebSocketClose(code=1001)) == b"\x88\x02\x03\xe9"


def test_layers_choose_the_types_below_them():
    assert bytes(WebSocket(opcode=2) / EngineIO() / SocketIO())[:1] == b"\x82"
    assert bytes(WebSocket() / WebSocketClose())[:1] == b"\x88"


def test_a_polling_payload_and_its_packets():
    body = b'451-["f",{"_placeholder":true,"num":0}]\x1ebAQID\x1e6\x1e?'
    packet = EngineIOPayload(body)
    first, second, third, fourth = (part.packet for part in packet.parts)
    assert first[SocketIO].event == "f" and second.load == b"\x01\x02\x03"
    assert third.type == 6 and fourth.load == b"?"
    assert 'binary event "f"' in packet.summary() and "noop" in packet.summary()
    assert bytes(packet) == body


def test_scapys_own_session_can_follow_frames():
    """A user who binds the layer to a port gets whole frames from scapy's TCPSession."""
    stream = framed('42["bid",1250]') + framed("3")
    bind_layers(TCP, WebSocket, dport=5123)
    try:
        session = TCPSession()
        at, found = 1, []
        for piece in (stream[:8], stream[8:9], stream[9:20], stream[20:]):
            header = IP(src="1.1.1.1", dst="2.2.2.2") / TCP(sport=1, dport=5123, seq=at, flags="PA")
            at += len(piece)
            packet = session.process(IP(bytes(header / Raw(piece))))
            found += [packet[WebSocket].summary()] if packet is not None and WebSocket in packet else []
    finally:
        split_layers(TCP, WebSocket, dport=5123)
    event = 'WebSocket / EngineIO / Socket.IO event "bid" [1250]'
    assert found == [event, "WebSocket / Engine.IO PONG"]


def test_the_layers_agree_with_the_decoder():
    connection = Connection()
    for side, data in CONVERSATION[:8]:
        connection.feed(side, data)
    for side, data in CONVERSATION[8:]:
        (unit,) = connection.feed(side, data)
        event = unit.packets[0].socketio.event if unit.packets and unit.packets[0].socketio else None
        layer = WebSocket(data).getlayer(SocketIO)
        if event is not None and data[0] == 0x81:
            assert layer.event == event and side in Side
