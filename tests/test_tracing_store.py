"""A trace in a file: what is loaded equals what was saved, and what is broken is refused."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps import traced
from utils import lab
from utils.errors import CaptureFileError
from utils.records import (
    Call,
    Code,
    Endpoint,
    Flow,
    HandOff,
    HandOffKind,
    Site,
    Trace,
    Transfer,
    TransferKind,
)
from utils.tracing import store
from utils.tracing.collector import Collector

texts = st.text(max_size=20)
times = st.integers(0, 2**62)
codes = st.builds(Code, texts, texts, st.integers(0, 10**6))
sites = st.builds(Site, codes, st.integers(0, 10**6))
endpoints = st.builds(Endpoint, texts, st.integers(0, 65535))


@st.composite
def traces(draw):
    count = draw(st.integers(0, 6))
    numbers = st.integers(0, count - 1) if count else st.nothing()
    maybe = st.none() | numbers
    process = draw(texts)
    calls = [
        draw(
            st.builds(
                Call,
                id=st.just(number),
                process=st.just(process),
                thread=st.integers(),
                code=codes,
                parent=st.none() | st.integers(0, number - 1) if number else st.none(),
                depth=st.integers(0, 100),
                enter_ns=times,
                leave_ns=st.none() | times,
                site=st.none() | sites,
                left=st.none() | st.integers(0, 10**6),
                arguments=st.none() | st.dictionaries(texts, texts, max_size=3),
                result=st.none() | texts,
                exception=st.none() | texts,
            )
        )
        for number in range(count)
    ]
    transfers = st.builds(
        Transfer,
        process=st.just(process),
        thread=st.integers(),
        kind=st.sampled_from(TransferKind),
        flow=st.builds(Flow, endpoints, endpoints),
        offset=st.integers(0, 2**40),
        length=st.integers(0, 2**40),
        start_ns=times,
        end_ns=times,
        call=maybe,
        site=st.none() | sites,
        data=st.none() | st.binary(max_size=30),
        exception=st.none() | texts,
    )
    handoffs = st.builds(
        HandOff, st.just(process), st.sampled_from(HandOffKind), numbers, numbers, times, times
    )
    return Trace(
        process=process,
        pid=draw(st.integers(0, 2**22)),
        python=draw(texts),
        threads=draw(st.dictionaries(st.integers(), texts, max_size=3)),
        calls=tuple(calls),
        transfers=tuple(draw(st.lists(transfers, max_size=4))),
        handoffs=tuple(draw(st.lists(handoffs, max_size=3)) if count else ()),
        lost=draw(st.integers(0, 10**9)),
        faults=draw(st.integers(0, 10**9)),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("traces")


@given(traces())
def test_what_was_saved_is_loaded(folder, trace):
    path = folder / "any.trace.json.gz"
    assert store.save(trace, path) == path
    assert store.load(path) == trace
    first = path.read_bytes()
    store.save(store.load(path), path)
    assert path.read_bytes() == first  # equal traces make equal files


@pytest.fixture(scope="module")
def real(folder):
    """A recorded trace in a file."""
    collector = Collector("test", roots=[Path(traced.__file__)], tap=True)
    with collector:
        worker = traced.Worker()
        worker.thread.start()
        worker.ask(1)
        worker.close()
        traced.consumes(3)
    return store.save(collector.take(), folder / "real.trace.json.gz")


def test_a_recorded_trace_survives(real):
    trace = store.load(real)
    assert trace.calls
    assert trace.handoffs
    assert store.load(store.save(trace, real.with_name("again.gz"))) == trace
    assert not list(real.parent.glob(".*.part"))


def document(real):
    return json.loads(gzip.decompress(real.read_bytes()))


def refused(path):
    with pytest.raises(CaptureFileError) as caught:
        store.load(path)
    assert caught.value.why
    assert caught.value.next_step
    return caught.value.why


BREAKS = {
    "another format": lambda d: d.update(format="something else"),
    "another version": lambda d: d.update(version=2),
    "an unknown member": lambda d: d.update(more=1),
    "a missing member": lambda d: d.pop("texts"),
    "a missing column": lambda d: d["calls"].pop("enter"),
    "an unknown column": lambda d: d["calls"].update(more=[]),
    "a short column": lambda d: d["calls"]["depth"].pop(),
    "a text for a number": lambda d: d["calls"]["enter"].__setitem__(0, "1"),
    "a fraction for a number": lambda d: d["calls"]["enter"].__setitem__(0, 1.5),
    "a truth for a number": lambda d: d["calls"]["enter"].__setitem__(0, True),
    "a code that is not there": lambda d: d["calls"]["code"].__setitem__(0, 10**6),
    "a place before the first": lambda d: d["calls"]["code"].__setitem__(0, -1),
    "a text that is not there": lambda d: d["codes"].__setitem__(0, [10**6, 0, 1]),
    "a site that is not there": lambda d: d["calls"]["site"].__setitem__(0, 10**6),
    "a parent that is not there": lambda d: d["calls"]["parent"].__setitem__(0, 10**6),
    "two calls with one id": lambda d: d["calls"]["id"].__setitem__(1, d["calls"]["id"][0]),
    "a hand-off to nobody": lambda d: d["handoffs"]["taken"].__setitem__(0, 10**6),
    "a kind that is none": lambda d: d["handoffs"]["kind"].__setitem__(0, "wish"),
    "a thread that is no number": lambda d: d["threads"].update({"main": "x"}),
    "a list": lambda d: [d],
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_refused(real, tmp_path, name):
    broken = document(real)
    broken = BREAKS[name](broken) if name == "a list" else (BREAKS[name](broken), broken)[1]
    path = tmp_path / "broken.gz"
    path.write_bytes(gzip.compress(json.dumps(broken).encode()))
    refused(path)


def test_bytes_that_are_no_base64_are_refused(tmp_path):
    flow = Flow(Endpoint("a", 1), Endpoint("b", 2))
    moved = Transfer("p", 1, TransferKind.SEND, flow, 0, 1, 0, 0, data=b"x")
    path = store.save(Trace("p", 1, "3", {}, (), (moved,), ()), tmp_path / "one.gz")
    assert store.load(path).transfers == (moved,)
    broken = document(path)
    for nonsense in ("not base64!", "eA", "ü"):
        broken["transfers"]["data"] = [nonsense]
        path.write_bytes(gzip.compress(json.dumps(broken).encode()))
        refused(path)


def test_a_file_that_ends_early_is_refused_wherever_it_ends(real, tmp_path):
    whole = real.read_bytes()
    path = tmp_path / "cut.gz"
    for length in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:length])
        refused(path)


def test_a_file_with_a_changed_byte_is_refused_or_the_same(real, tmp_path):
    whole, rng = real.read_bytes(), random.Random(5)
    path = tmp_path / "changed.gz"
    for _ in range(200):
        changed = bytearray(whole)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        try:
            assert store.load(path) == store.load(real)
        except CaptureFileError:
            pass


@settings(max_examples=50)
@given(content=st.binary(max_size=200))
def test_any_other_file_is_refused(folder, content):
    for path, data in ((folder / "raw", content), (folder / "packed", gzip.compress(content))):
        path.write_bytes(data)
        refused(path)


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_any_other_document_is_refused(folder, value):
    path = folder / "json"
    path.write_bytes(gzip.compress(json.dumps(value).encode()))
    refused(path)


def test_a_deeply_nested_document_is_refused(tmp_path):
    path = tmp_path / "deep.gz"
    path.write_bytes(gzip.compress(b"[" * 200_000))
    refused(path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST_BYTES", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"[" + b" " * (4 << 20)))
    assert "larger than 1 MiB" in refused(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CaptureFileError, match="nowhere"):
        store.load(tmp_path / "nowhere.gz")


def test_a_save_that_fails_leaves_the_old_file(tmp_path, real, monkeypatch):
    path = store.save(store.load(real), tmp_path / "trace.gz")
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        store.save(store.load(real), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["trace.gz"]


def test_a_large_trace_is_loaded_in_bounded_memory(tmp_path):
    """At most so many bytes a call at the peak, whatever the number of calls: 100,000 of them fit into 200 MB."""
    real = store.load(lab.captures() / "auction" / "server.trace.json.gz")
    calls = []
    while len(calls) < 20_000:
        first = len(calls)
        calls += [
            replace(call, id=call.id + first, parent=None if call.parent is None else call.parent + first)
            for call in real.calls
        ]
    path = store.save(replace(real, calls=tuple(calls), transfers=(), handoffs=()), tmp_path / "large.gz")
    del calls
    tracemalloc.start()
    try:
        loaded = store.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / len(loaded.calls) < 2000
    texts = {id(call.arguments) for call in loaded.calls if call.arguments is not None}
    assert len(texts) < len(loaded.calls) / 4  # calls share what they have in common
