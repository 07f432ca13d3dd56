"""Frames unmasked together are what each of them is by itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.wire_bytes import framed
from utils.streams.payloads import payloads
from utils.wire import websocket

sizes = st.one_of(st.integers(0, 130), st.sampled_from([65_535, 65_536, 70_001]))
frames = st.lists(
    st.tuples(sizes, st.booleans(), st.binary(min_size=4, max_size=4), st.booleans()), max_size=8
)


@given(frames, st.binary(max_size=3))
def test_all_at_once_is_one_by_one(made, noise):
    whole = [
        framed((bytes(range(256)) * (size // 256 + 1))[:size], client=client, key=key)
        for size, client, key, _ in made
    ]
    data = b"".join(noise + frame for frame in whole) or b"\0"
    ends = np.cumsum([len(noise) + len(frame) for frame in whole]).astype(np.int64)
    lengths = np.array([len(frame) for frame in whole], np.int64)
    wanted = np.array([want for *_, want in made], bool)
    found = payloads(data, ends - lengths, np.where(wanted, lengths, 0))
    for frame, want, payload in zip(whole, wanted, list(found), strict=True):
        header = websocket.parse(frame)
        assert payload == (websocket.unmask(header.key, frame[header.head :]) if want else b"")


def test_texts_may_stand_in_the_place_of_frames():
    frame = framed("hello", key=b"abcd")
    data = frame * 3
    at, size = np.arange(3) * len(frame), np.array([len(frame), 0, 0])
    found = payloads(data, at, size, {1: b"inflated", 2: b""})
    assert list(found) == [b"hello", b"inflated", b""]
