"""Frames, fragments and compression: what a side's WebSocket messages are, and what is wrong with them."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection as WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from tests.wire_bytes import cut, framed, opened, tiles
from utils.wire import assembly, deflate, websocket
from utils.wire.connection import Connection
from utils.wire.units import Fault, Layer, Side, Unit

C, S = Side.CLIENT, Side.SERVER


def faults(*frames: bytes, extensions: str = "") -> list[str]:
    return [fault.clause for unit in units(*frames, extensions=extensions) for fault in unit.faults]


def units(*frames: bytes, side: Side = C, extensions: str = "") -> list[Unit]:
    connection = opened(extensions)
    found = [unit for frame in frames for unit in connection.feed(side, frame)]
    for unit in found:
        tiles(unit)
    return found


class TestFrames:
    @given(st.binary(max_size=5000), st.binary(min_size=4, max_size=4))
    def test_unmasking_is_what_the_rfc_says(self, data, key):
        plain = bytes(byte ^ key[at % 4] for at, byte in enumerate(data))
        assert websocket.unmask(key, data) == plain and websocket.unmask(key, plain) == data

    @pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
    def test_lengths_of_every_form(self, size):
        (unit,) = units(framed(b"x" * size))
        assert unit.payload == b"x" * size and not unit.faults

    def test_a_length_in_a_longer_form_than_needed(self):
        assert faults(b"\x81\xfe\x00\x01" + bytes(4) + b"2") == ["RFC 6455 §5.2"]
        assert faults(b"\x81\xff" + (1).to_bytes(8, "big") + bytes(4) + b"2") == ["RFC 6455 §5.2"]

    @pytest.mark.parametrize("opcode", [3, 4, 7, 0xB, 0xF])
    def test_opcodes_that_are_not_defined(self, opcode):
        assert isinstance(websocket.parse(bytes([0x80 | opcode, 0])), Fault)

    @pytest.mark.parametrize("frame", [b"\x09\x00", b"\x88\x7e\x00\x80", b"\x8a\x7f" + bytes(8)])
    def test_a_control_frame_is_whole_and_short(self, frame):
        assert isinstance(websocket.parse(frame), Fault)

    def test_reserved_bits(self):
        assert faults(framed("2", rsv=1)) == ["RFC 6455 §5.2"]
        assert faults(framed(b"", opcode=9, rsv=4)) == ["RFC 6455 §5.2"]

    @pytest.mark.parametrize(
        ("payload", "clauses"),
        [
            (b"", []),
            (b"\x03\xe8", []),
            (b"\x0b\xb8own", []),
            (b"\x03", ["RFC 6455 §5.5.1"]),
            (b"\x03\xed", ["RFC 6455 §7.4"]),
            (b"\x00\x00", ["RFC 6455 §7.4"]),
            (b"\x03\xe8\xff", ["RFC 6455 §5.5.1"]),
        ],
    )
    def test_close_codes_and_reasons(self, payload, clauses):
        assert faults(framed(payload, opcode=8)) == clauses

    def test_text_that_is_no_utf8(self):
        (unit,) = units(framed(b"42[\xff]", opcode=1))
        (fault,) = unit.faults
        assert fault.offset == 6 + 3 and fault.got == "0xff" and fault.clause == "RFC 6455 §8.1"

    def test_the_accept_key_of_the_rfc(self):
        assert websocket.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    def test_the_value_of_a_masked_byte_is_the_unmasked_one(self):
        raw = framed('42["bid",1250]')
        (unit,) = units(raw)
        (span,) = [span for span in unit.explain() if span.label == "Number"]
        assert span.value == "1250" and raw[span.start : span.end] != b"1250"
        assert websocket.unmask(raw[2:6], raw[6:])[span.start - 6 : span.end - 6] == b"1250"


class TestFragments:
    MESSAGE = '42/admin,7["replaced values",{"name":"é€"},[1,true]]'

    @given(st.integers(0, 2**32 - 1))
    def test_fragments_are_explained_by_what_they_are_part_of(self, seed):
        chance = random.Random(seed)
        parts = [part for _, part in cut([(S, self.MESSAGE.encode())], chance)]
        frames = []
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            frames.append(framed(part, client=False, fin=last, opcode=0 if number else 1))
            frames += [framed(b"?", client=False, opcode=9)] * (chance.random() < 0.3 and not last)
        found = units(*frames, side=S)
        assert found[-1].payload.decode() == self.MESSAGE and found[-1].packets
        assert not [unit for unit in found if unit.faults]
        (whole,) = units(framed(self.MESSAGE, client=False), side=S)
        wanted = [span.label for span in whole.explain() if span.layer is not Layer.WEBSOCKET]
        got: list[str] = []
        for unit in found:
            spans = [span for span in unit.explain() if span.layer is not Layer.WEBSOCKET]
            assert all(span.layer is not Layer.UNKNOWN for span in spans)
            got += [span.label for span in spans]
        # A token that is cut in two is labelled in both its parts; "More JSON" is one cut in its middle.
        assert [label for label in dict.fromkeys(got) if label not in ("More JSON", "No JSON")] == list(
            dict.fromkeys(label for label in wanted if label in got)
        )

    def test_a_continuation_of_nothing(self):
        assert faults(framed(b"x", opcode=0)) == ["RFC 6455 §5.4"]

    def test_a_message_inside_a_message(self):
        found = units(framed("42[", fin=False), framed('42["a"]'))
        assert found[1].faults[0].expected == "a continuation frame"
        assert found[1].packets[0].socketio.event == "a"

    def test_a_message_too_long_is_dropped_and_the_next_one_read(self, monkeypatch):
        monkeypatch.setattr(assembly, "LONGEST", 100)
        piece = framed(b"x" * 60, fin=False, opcode=0)
        found = units(framed(b"x" * 60, fin=False), piece, framed(b"x", opcode=0), framed("2"))
        assert found[1].faults[0].clause == "RFC 6455 §10.4"
        assert found[2].packets == () and found[3].summary == "ping"

    def test_a_million_fragments_are_bounded(self, monkeypatch):
        monkeypatch.setattr(assembly, "MOST_FRAGMENTS", 1000)
        assembler = assembly.Assembler()
        first = websocket.parse(framed(b"x", fin=False))
        more = websocket.parse(framed(b"x", fin=False, opcode=0))
        told = [assembler.add(frame, b"x") for frame in [first, *[more] * 5000]]
        assert sum(bool(part.faults) for part in told) == 1
        assert max(len(part.pieces) for part in told[2000:]) == 0

    def test_an_attachment_in_fragments(self):
        found = units(framed(b"\x01\x02", fin=False), framed(b"\x03", opcode=0))
        assert found[1].packets[0].data == b"\x01\x02\x03" and found[1].summary == "attachment, 3 bytes"
        assert [span.label for span in found[1].explain()][-1] == "Attachment"


class TestDeflate:
    def test_a_block_marked_as_the_last_keeps_the_window_however_long_the_conversation(self):
        """RFC 7692 §7.2.3.4; what follows may refer to the last 32 KiB of what was said before."""
        chance = random.Random(3)
        said = [chance.randbytes(700).hex() for _ in range(300)]
        packer = zlib.compressobj(wbits=-15)
        frames = []
        for text in said[:-2]:
            packed = packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
            frames.append(framed(packed[:-4], opcode=1, rsv=4))
        frames.append(
            framed(packer.compress(said[-2].encode()) + packer.flush(zlib.Z_FINISH) + b"\0", opcode=1, rsv=4)
        )
        window = "".join(said[:-1]).encode()[-(1 << 15) :]
        again = zlib.compressobj(wbits=-15, zdict=window)
        packed = again.compress(said[-3].encode()) + again.flush(zlib.Z_SYNC_FLUSH)
        assert len(packed) < 40  # it is a reference to what was said
        frames.append(framed(packed[:-4], opcode=1, rsv=4))
        found = units(*frames, extensions="permessage-deflate")
        assert [unit.payload.decode() for unit in found] == [*said[:-1], said[-3]]

    def test_a_compressed_message_of_too_many_frames_loses_the_window(self, monkeypatch):
        monkeypatch.setattr(assembly, "MOST_FRAGMENTS", 2)
        packed = zlib.compress(b'42["a"]')[2:-4]
        parts = [framed(packed[:2], opcode=1, rsv=4, fin=False), framed(packed[2:4], opcode=0, fin=False)]
        found = units(*parts, framed(packed[4:], opcode=0), extensions="permessage-deflate")
        assert found[-1].faults[0].got == "more"
        after = units(
            *parts,
            framed(packed[4:], opcode=0),
            framed(packed, opcode=1, rsv=4),
            extensions="permessage-deflate",
        )
        assert "cannot be inflated" in after[-1].faults[0].got

    def test_an_uncompressed_message_between_compressed_ones(self):
        packer = zlib.compressobj(wbits=-15)
        frames = []
        for text in ('42["one"]', '42["two"]'):
            packed = (packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
            frames += [framed(packed, opcode=1, rsv=4), framed("3")]
        found = units(*frames, extensions="permessage-deflate")
        assert [unit.summary for unit in found] == ['event "one" []', "pong", 'event "two" []', "pong"]
        assert "Compressed payload" in [span.label for span in found[0].explain()]
        assert found[0].explain()[-1].value == 'event "one" []'

    def test_a_compressed_message_in_fragments_with_a_ping_between(self):
        packer = zlib.compressobj(wbits=-15)
        packed = (packer.compress(b'42["a"]') + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        found = units(
            framed(packed[:3], opcode=1, rsv=4, fin=False),
            framed(b"", opcode=9),
            framed(packed[3:], opcode=0),
            extensions="permessage-deflate",
        )
        assert found[2].packets[0].socketio.event == "a" and not [unit for unit in found if unit.faults]

    def test_a_stream_that_ends_with_each_message(self):
        """RFC 7692, section 7.2.3.4: a block marked as the last is no end of the window."""
        text = b'42["replaced values",{"cents":12500}]'
        inflater = deflate.Inflater(takeover=True)
        window = b""
        for _ in range(3):
            packer = zlib.compressobj(wbits=-15, zdict=window) if window else zlib.compressobj(wbits=-15)
            packed = packer.compress(text) + packer.flush(zlib.Z_FINISH)
            assert inflater.inflate(packed + b"\x00") == text
            window = (window + text)[-(1 << 15) :]

    def test_a_thousand_ends_in_one_message_are_refused(self):
        assert deflate.Inflater(takeover=False).inflate(b"\x03\x00" * 1_000_000) is None

    def test_a_bomb_behind_the_end_of_its_stream(self):
        ended = zlib.compress(b"[" * 10, 9, wbits=-15)
        bomb = zlib.compress(bytes(deflate.LARGEST), 9, wbits=-15)
        for data in (ended + bomb, bomb[:-1] + bomb[-1:] + ended, ended * 2 + bomb):
            assert deflate.Inflater(takeover=True).inflate(data) is None
        full = zlib.compress(bytes(deflate.LARGEST - 1), 9, wbits=-15)
        assert deflate.Inflater(takeover=True).inflate(full + ended) is None

    def test_a_bomb(self):
        packed = zlib.compress(bytes(deflate.LARGEST + 1), 9, wbits=-15)
        inflater = deflate.Inflater(takeover=True)
        assert inflater.inflate(packed) is None and inflater.inflate(b"") is None

    def test_without_takeover_a_broken_message_costs_itself_only(self):
        inflater = deflate.Inflater(takeover=False)
        packer = zlib.compressobj(wbits=-15)
        packed = (packer.compress(b"2") + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        assert inflater.inflate(b"\xff\xff") is None and inflater.inflate(packed) == b"2"

    def test_compression_that_was_not_agreed_on(self):
        found = units(framed(b"\x01", opcode=1, rsv=4))
        assert {fault.clause for fault in found[0].faults} == {"RFC 6455 §5.2", "RFC 7692 §7.2.2"}

    @pytest.mark.parametrize(
        ("answer", "sides"),
        [
            ("", 0),
            ("x-webkit-deflate-frame", 0),
            ("permessage-deflate", 2),
            ("foo, permessage-deflate; client_max_window_bits=10", 2),
        ],
    )
    def test_what_the_handshake_agrees_on(self, answer, sides):
        assert len(deflate.agreed(answer)) == sides


events = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=200).map(lambda text: TextMessage(data="4" + text)),
        st.binary(max_size=200).map(lambda data: BytesMessage(data=data)),
        st.binary(max_size=100).map(lambda data: Ping(payload=data)),
        st.binary(max_size=100).map(lambda data: Pong(payload=data)),
    ),
    min_size=1,
    max_size=6,
)


@given(
    events,
    st.sampled_from([None, "", "; client_no_context_takeover", "; client_max_window_bits=9"]),
    st.integers(0, 2**32 - 1),
)
def test_agrees_with_wsproto_with_and_without_compression(sent, parameters, seed):
    """What wsproto sends is read here as wsproto itself reads it."""
    extensions = []
    if parameters is not None:
        extension = PerMessageDeflate()
        extension.offer()
        extension.finalize(f"permessage-deflate{parameters}")
        extensions = [extension]
    sender = WSConnection(ConnectionType.CLIENT, extensions)
    pieces = [(C, sender.send(event)) for event in sent] + [(C, sender.send(CloseConnection(code=1000)))]
    connection = opened("" if parameters is None else f"permessage-deflate{parameters}")
    found = [unit for side, data in cut(pieces, random.Random(seed)) for unit in connection.feed(side, data)]
    payloads = [
        event.payload
        if isinstance(event, Ping | Pong)
        else event.data.encode()
        if isinstance(event.data, str)
        else event.data
        for event in sent
    ]
    assert [unit.payload for unit in found] == [*payloads, b"\x03\xe8"]
    assert b"".join(unit.raw for unit in found) == b"".join(data for _, data in pieces)
    for unit in found:
        tiles(unit)
        assert not [fault for fault in unit.faults if fault.clause.startswith("RFC 6455")]


def test_declared_lengths_of_every_size_cost_no_memory():
    for bits in range(16, 64):
        connection: Connection = opened()
        found = connection.feed(C, b"\x82\xff" + (2**bits).to_bytes(8, "big") + bytes(4) + b"x" * 50)
        waits = 2**bits <= websocket.LONGEST
        assert bool(found) != waits
        assert sum(len(unit.raw) for unit in found + connection.finish()) == 64
