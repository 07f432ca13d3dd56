"""Records are read at any place, whatever their alignment and byte order."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from utils.streams.windows import Window, layout


@given(st.binary(min_size=1, max_size=64), st.sampled_from(["<u2", ">u2", "<u4", ">u4", ">u8", "u1"]))
def test_a_number_at_every_place_is_what_struct_reads_there(data, kind):
    size = np.dtype(kind).itemsize
    code = (kind[0] if len(kind) == 3 else "") + {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
    places = np.arange(max(0, len(data) - size + 1))
    found = Window(data, kind)(places).tolist()
    assert found == [struct.unpack_from(code, data, place)[0] for place in places.tolist()]


def test_of_too_little_data_the_first_record_is_zeros():
    assert Window(b"\x01", ">u4")(np.array([0, 0])).tolist() == [0, 0]


def test_a_record_has_its_fields_at_their_places():
    record = layout(6, first=("u1", 0), last=(">u2", 4))
    found = Window(b"\0\x01\x02\x03\x04\x05\x06", record)(np.array([1, 0]))
    assert (found["first"].tolist(), found["last"].tolist()) == ([1, 0], [0x0506, 0x0405])
