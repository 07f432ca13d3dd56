"""What is decoded in bulk is what is decoded with care, or it is left to care."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_bytes import in_bulk
from utils.wire import socketio


class TestOne:
    @pytest.mark.parametrize(
        "message",
        [
            b"", b"2", b"40", b"4", b"42", b"42[", b'42["a"', b"42[1]", b"42[]", b"42{}", b'42["a",NaN]', b'452["a"]',
            b'450-["a"]', b'421-["a"]', b'42/\xff,["a"]', b'42/a?b=c,["a"]', b"43[", b'42["a",' + b"[" * 401 + b"]" * 402,
        ],
    )  # fmt: skip
    def test_what_is_unusual_it_leaves_to_the_other(self, message):
        assert in_bulk([message]) == [None]

    @given(st.text(alphabet='0123456/a,-[]{}":?\ufffd ', max_size=12) | st.binary(max_size=12))
    def test_it_never_tells_otherwise(self, rest):
        data = rest.encode() if isinstance(rest, str) else rest
        (quick,) = in_bulk([b"4" + data])
        slow = socketio.decode(data.decode("utf-8", "replace"))
        assert quick is None or (quick == slow.packet and not slow.faults)


class TestMany:
    @given(
        st.lists(
            st.one_of(
                st.text(st.sampled_from('0123456789-/,[]{}":abé\\u \t\ud800'), max_size=30),
                st.from_regex(
                    r'4[0-6]([0-9]{1,3}-)?(/[a-c?]{0,3},?)?[0-9]{0,20}\[("a"|1|\{|\]|,|NaN|1e999){0,4}\]?'
                ),
            ),
            max_size=6,
        )
    )
    def test_a_packet_equals_the_careful_decoders_and_has_no_fault(self, texts):
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        for text, packet in zip(texts, in_bulk(encoded), strict=True):
            if packet is not None:
                careful = socketio.decode(text[1:])
                assert repr(packet) == repr(careful.packet) and not careful.faults

    @given(
        st.sampled_from(["2", "3"]),
        st.sampled_from(["", "/admin,", "/é,"]),
        st.one_of(st.none(), st.integers(0, 10**17)),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=8,
        ),
    )
    def test_what_a_library_writes_is_decoded_in_bulk(self, digit, namespace, number, value):
        text = json.dumps(["bid", value], separators=(",", ":"))
        message = f"4{digit}{namespace}{'' if number is None else number}{text}"
        (packet,) = in_bulk([message.encode()])
        assert packet is not None and packet == socketio.decode(message[1:]).packet
        assert packet.data == ["bid", value]

    def test_deep_and_large_texts_are_left_to_care(self):
        deep = b'42["a",' + b"[" * 450 + b"]" * 450 + b"]"
        large = b'42["' + b"a" * 2_000_000 + b'"]'
        assert [packet is None for packet in in_bulk([deep, large, b'42["a"]'])] == [True, True, False]
