"""What is packed is unpacked, up to a cap; what is damaged gives what came before, and says so."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.capture import packing

PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
packings = pytest.mark.parametrize("name", PACKERS)
TEXT = bytes(range(256)) * 40


@packings
class TestPacked:
    def test_it_is_unpacked_and_named(self, name):
        assert packing.unpack(PACKERS[name](TEXT)) == (TEXT, name, "")

    def test_members_one_behind_the_other_are_one_file(self, name):
        pack = PACKERS[name]
        assert packing.unpack(pack(TEXT) + pack(b"more") + pack(b"")).data == TEXT + b"more"

    def test_zeros_behind_it_are_padding(self, name):
        assert packing.unpack(PACKERS[name](TEXT) + bytes(9)) == (TEXT, name, "")

    def test_anything_else_behind_it_is_told(self, name):
        found = packing.unpack(PACKERS[name](TEXT) + b"rest")
        assert found == (TEXT, name, "something else follows what is packed")

    def test_cut_off_anywhere_it_gives_a_beginning_and_says_so(self, name):
        packed = PACKERS[name](TEXT)
        for size in range(6, len(packed)):
            found = packing.unpack(packed[:size])
            assert TEXT.startswith(found.data) and found.trouble == "what is packed is cut off"

    @given(data=st.data())
    def test_damaged_anywhere_it_gives_something_and_never_raises(self, name, data):
        packed = bytearray(PACKERS[name](TEXT))
        at = data.draw(st.integers(6, len(packed) - 1))
        packed[at] ^= data.draw(st.integers(1, 255))
        found = packing.unpack(bytes(packed))
        assert found.data == TEXT or found.trouble

    def test_a_bomb_is_stopped_and_the_cap_is_told(self, name, monkeypatch):
        monkeypatch.setattr(packing, "LARGEST", 3 << 20)
        bomb = PACKERS[name](bytes(40 << 20))
        tracemalloc.start()
        found = packing.unpack(bomb)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(found.data) == 3 << 20 and "3 MiB and no further" in found.trouble
        assert peak < 16 << 20

    def test_what_fills_the_cap_exactly_is_whole(self, name, monkeypatch):
        monkeypatch.setattr(packing, "LARGEST", len(TEXT))
        assert packing.unpack(PACKERS[name](TEXT)) == (TEXT, name, "")


@given(st.binary())
def test_what_is_not_packed_is_itself(data):
    try:
        found = packing.unpack(data)
    except packing.Unknown:
        return
    assert found.packing or found == (data, "", "")


@pytest.mark.parametrize(
    ("magic", "name"),
    [(b"\x28\xb5\x2f\xfd", "Zstandard"), (b"\x04\x22\x4d\x18", "LZ4"), (b"PK\x03\x04", "ZIP")],
)
def test_what_cannot_be_unpacked_here_is_named(magic, name):
    with pytest.raises(packing.Unknown, match=name):
        packing.unpack(magic + bytes(20))


def test_a_dictionary_of_gigabytes_is_refused():
    huge = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}])
    assert "damaged" in packing.unpack(huge).trouble
