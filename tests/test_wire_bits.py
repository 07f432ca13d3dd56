"""The header's bits: they tile it, and putting them together again gives the bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from utils.wire import websocket
from utils.wire.bits import header
from utils.wire.websocket import Opcode

DATA = [Opcode.CONTINUATION, Opcode.TEXT, Opcode.BINARY]


@st.composite
def headers(draw):
    opcode = draw(st.sampled_from(list(Opcode)))
    fin = True if opcode.is_control else draw(st.booleans())
    size = draw(st.integers(0, 125) if opcode.is_control else st.integers(0, 1 << 40))
    masked, rsv = draw(st.booleans()), draw(st.integers(0, 7))
    short, longer = (size, 0) if size < 126 else (126, 2) if size < 1 << 16 else (127, 8)
    raw = bytes([fin << 7 | rsv << 4 | opcode, masked << 7 | short])
    raw += size.to_bytes(longer, "big") if longer else b""
    return raw + (draw(st.binary(min_size=4, max_size=4)) if masked else b"")


@given(headers())
def test_the_fields_tile_the_header_and_give_its_bytes_again(raw):
    fields = header(websocket.parse(raw), raw)
    assert [field.start for field in fields] == [0, *(field.end for field in fields[:-1])]
    digits = "".join(field.digits for field in fields)
    assert int(digits, 2).to_bytes(len(digits) // 8, "big") == raw


def told(hexadecimal):
    raw = bytes.fromhex(hexadecimal)
    return {field.name: (field.digits, field.meaning) for field in header(websocket.parse(raw), raw)}


def test_the_rfcs_own_examples_are_read_as_the_rfc_reads_them():
    """RFC 6455, section 5.7."""
    hello = told("818537fa213d7f9f4d5158")
    assert hello["MASK"][0] == "1" and hello["length"] == ("0000101", "the payload has 5 bytes")
    assert "37 fa 21 3d" in hello["masking key"][1]
    fragment = told("010348656c")
    assert fragment["FIN"] == ("0", "more frames of this message follow") and "masking key" not in fragment
    assert told("8a0548656c6c6f")["opcode"] == ("1010", "PONG, a control frame")
    assert told("827e0100")["extended length"][1] == "the payload has 256 bytes"
    assert told("827f0000000000010000")["extended length"][1] == "the payload has 65,536 bytes"
    assert told("c100")["RSV1"] == ("1", "compressed (RFC 7692)")
