"""Pickles, taken apart and never loaded."""

from __future__ import annotations

import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.redis_bytes import CALLING, PICKLED
from utils.wire import pickled
from utils.wire.tiling import Tiler


class Harmless:
    def __reduce__(self):
        return (os.getpid, ())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_a_pickle_would_import_is_named(protocol):
    data = pickle.dumps(Harmless(), protocol)
    assert pickled.names(data) == (f"{os.getpid.__module__}.getpid",)
    assert pickled.looks_pickled(data) is (protocol >= 2)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@given(_VALUES, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_instructions_tile_a_whole_pickle(value, protocol):
    data = pickle.dumps(value, protocol)
    at = 0
    for one in pickled.instructions(data):
        assert one.start == at
        at = one.end
    assert at == len(data)
    # Before protocol 3 there were no bytes: they are made of text by a call.
    assert set(pickled.names(data)) <= {"_codecs.encode", "__builtin__.bytes"}


@given(st.sampled_from([PICKLED, CALLING]), st.binary(max_size=40), st.integers(0, 60))
def test_no_input_makes_it_raise(data, noise, at):
    broken = data[:at] + noise + data[at + len(noise) :]
    tiler = Tiler()
    pickled.lay(tiler, broken)
    assert tiler.at <= len(broken)
    assert isinstance(pickled.told(broken), str)


def test_large_arguments_are_told_in_short():
    assert "bits" in next(
        one.argument
        for one in pickled.instructions(pickle.dumps(1 << 9999))
        if one.argument and "LONG" in one.name
    )
    (told,) = (
        one.argument for one in pickled.instructions(pickle.dumps(bytes(10_000))) if "BYTES" in one.name
    )
    assert len(told) < 2000


def test_of_many_instructions_the_last_are_left_to_others():
    data = pickle.dumps([[] for _ in range(pickled.MOST)])
    tiler = Tiler()
    pickled.lay(tiler, data)
    assert len(tiler.spans) == pickled.MOST and tiler.at < len(data)


def test_nothing_is_loaded(monkeypatch):
    pickles = (CALLING, pickle.dumps(Harmless(), 0))
    monkeypatch.setattr(os, "getpid", lambda: pytest.fail("it was called"))
    for data in pickles:
        assert "getpid" in pickled.told(data)


def test_calls_are_counted():
    assert pickled.told(CALLING) == "a pickle that imports posix.getpid and calls 1×"
    assert pickled.told(PICKLED).startswith("a pickle of ")
