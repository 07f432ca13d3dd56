"""A packed file is unpacked as far as it may go, in memory for what is there."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from utils.unpacking import unpacked


@pytest.mark.parametrize(
    ("most", "size"), [(0, 1), (10, 11), (2_999_999, 3_000_000), (3_000_000, 3_000_000), (1 << 40, 3_000_000)]
)
def test_as_far_as_it_may_go_and_one_byte_more(tmp_path, most, size):
    content = bytes(range(250)) * 12_000
    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    assert unpacked(tmp_path / "x.gz", most) == content[:size]


def test_memory_is_taken_for_what_is_there(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"small"))
    tracemalloc.start()
    try:
        assert unpacked(tmp_path / "x.gz", 1 << 30) == b"small"
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()
