"""The trace-event file holds the format's rules, and all of the recording."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import hostile, worlds
from tests.test_journey import a_bid
from utils import lab
from utils.records import HandOffKind
from utils.views import traceevents

WHERE = {"pid", "tid"}


def nanoseconds(microseconds):
    """As Perfetto reads a time: its grain is a nanosecond."""
    return round(microseconds * 1000)


def check(events):
    """Fail unless ``events`` are what the format asks for."""
    ordered = [event for event in events if event["ph"] != "M"]
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    slices, flows = defaultdict(list), defaultdict(list)
    last = defaultdict(lambda: float("-inf"))
    for event in ordered:
        track = (event["pid"], event["tid"])
        assert event["ts"] >= 0 and event["ts"] >= last[track], "time goes back"
        last[track] = event["ts"]
        assert track in named, "a track without a name"
        if event["ph"] == "X":
            assert event["dur"] >= 0
            slices[track].append(
                (nanoseconds(event["ts"]), nanoseconds(event["ts"]) + nanoseconds(event["dur"]))
            )
        elif event["ph"] in "sf":
            flows[event["cat"], event["id"]].append(event)
        else:
            assert event["ph"] == "i" and event["s"] == "t"
    for found in slices.values():
        open_ends = []
        for start, end in sorted(found, key=lambda one: (one[0], -one[1])):
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            assert not open_ends or end <= open_ends[-1], "slices cross"
            open_ends.append(end)
    for ends in flows.values():
        begin, finish = sorted(ends, key=lambda event: event["ph"], reverse=True)
        assert (begin["ph"], finish["ph"], finish["bp"]) == ("s", "f", "e")
        assert begin["ts"] <= finish["ts"]
        for end in (begin, finish):
            inside = slices[end["pid"], end["tid"]]
            within = any(first <= nanoseconds(end["ts"]) <= after for first, after in inside)
            assert within, "a flow's end outside of slices"
    return ordered


def test_a_world_of_three_messages():
    world, messages = a_bid()
    events = check(list(traceevents.events(world, messages, {})))
    calls = sum(len(trace.calls) + len(trace.transfers) for trace in world.traces)
    assert sum(event["ph"] == "X" for event in events) == calls
    handed = [event for event in events if event["ph"] == "s" and event["name"].endswith("hand-off")]
    assert len(handed) == sum(len(trace.handoffs) for trace in world.traces)
    assert [event["args"]["bytes"] for event in events if event["ph"] == "i"] == [8, 9, 9]
    assert sum(event["name"] == "bytes" and event["ph"] == "s" for event in events) == 3


@st.composite
def crossing(draw):
    """Calls that begin and end anyhow, as generators do, some of them never."""
    process = worlds.Process("server")
    for _ in range(draw(st.integers(1, 10))):
        enter = draw(st.integers(0, 50))
        leave = draw(st.none() | st.integers(enter, 60))
        process.call(draw(st.integers(1, 2)), "work", enter, leave)
    for number in range(draw(st.integers(0, 4))):
        # Two threads that only give and take: what hands work on is no generator.
        at = 10 * number + draw(st.integers(0, 4))
        given = process.call(3, "put", at, at + draw(st.integers(0, 4)))
        taken = process.call(4, "get", 10 * number, 10 * number + 9)
        process.hands(HandOffKind.EVENT, given, taken, at, 10 * number + draw(st.integers(5, 9)))
    return worlds.recording(process)


@given(crossing())
def test_slices_nest_and_say_when_they_really_ended(world):
    events = check(list(traceevents.events(world, [], {})))
    found = [event for event in events if event["ph"] == "X"]
    calls = world.traces[0].calls
    first = min(call.enter_ns for call in calls)
    assert sorted(event["ts"] for event in found) == sorted((call.enter_ns - first) / 1000 for call in calls)
    # A slice that does not say when it ended shows it.
    whole = [(event["tid"], event["ts"], event["dur"]) for event in found if "ended" not in event["args"]]
    real = [
        (call.thread, (call.enter_ns - first) / 1000, (call.leave_ns - call.enter_ns) / 1000)
        for call in calls
        if call.leave_ns is not None
    ]
    assert all(one in real for one in whole)


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in lab.captures().glob("*/meta.json")), ids=lambda path: path.name
)
@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_a_reference_recording(folder, suffix, tmp_path):
    run = lab.load(folder)
    path = run.trace_events(tmp_path / f"trace{suffix}")
    content = path.read_bytes()
    document = json.loads(gzip.decompress(content) if suffix.endswith(".gz") else content)
    assert document["displayTimeUnit"] == "ns"
    events = check(document["traceEvents"])
    assert sum(event["ph"] == "i" for event in events) == len(run.messages)
    assert sum(event["ph"] == "X" for event in events) == sum(
        len(trace.calls) + len(trace.transfers) for trace in run.recording.traces
    )
    # They stand by their first bytes; two answers on two connections may end the other way round.
    begun = sorted(run.messages, key=lambda message: message.first_ns)
    for message, packet in zip(begun, [event for event in events if event["ph"] == "i"], strict=True):
        assert packet["args"]["bytes"] == len(message.unit.raw)


@hostile.each_payload
def test_no_payload_breaks_the_file(payload, tmp_path):
    process = worlds.Process("server")
    process.call(1, payload, 0, 5, result=payload)
    path = traceevents.write(tmp_path / "trace.json", worlds.recording(process), [], {})
    check(json.loads(path.read_text())["traceEvents"])
