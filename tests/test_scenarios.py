"""Every reference recording, and every fresh one of the same scenario: whole, and the same chain again."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Sequence
from functools import cache

import pytest

from scenarios.plays import PLAYS, Play
from tests.chains import chain
from tools import captures
from utils import lab
from utils.recording import stale
from utils.records import Level, StepKind
from utils.run import Run

NAMES = [play.name for play in PLAYS]
BY_NAME = {play.name: play for play in PLAYS}

#: The journeys that the walkthrough is to tell, and the recording in which each is found.
WANTED = {
    "construct": "smallest_opening",
    "serve": "smallest_opening",
    "route": "opening",
    "on": "opening",
    "GET /auctions": "opening",
    "open": "polling",
    "connect": "polling",
    "upgrade": "one_bid",
    "event in": "one_bid",
    "broadcast out": "one_bid",
    "ack from the server": "auction",
    "ack from the client": "answers",
    "heartbeat": "heartbeat",
    "binary in": "answers",
    "binary out": "auction",
    "enter a room": "auction",
    "disconnect": "one_bid",
    "close": "one_bid",
}


@cache
def replayed(name: str) -> Run:
    return lab.replay(name)


def chains(run: Run, play: Play) -> dict[str, tuple]:
    return {name: chain(run.journey(name)) for name in play.journeys}


@pytest.mark.parametrize(("journey", "name"), WANTED.items())
def test_each_journey_is_in_a_reference_recording(journey, name):
    assert journey in BY_NAME[name].journeys
    told = replayed(name).journey(journey)
    sizes = [len(told.at(level)) for level in Level]
    assert 0 < sizes[0] <= sizes[1] <= sizes[2] == len(told.steps)


@pytest.mark.parametrize("name", NAMES)
class TestReference:
    def test_every_byte_has_one_send_and_one_recv_and_no_time_contradicts(self, name):
        report = replayed(name).check()
        assert report.whole and report.data_bytes > 0, report
        assert report.unread == 0 or BY_NAME[name].unread, report

    def test_nothing_is_missing_and_the_tracer_had_no_fault(self, name):
        recorded = replayed(name).recording
        assert recorded.meta.bytes_lost == 0
        assert {(trace.lost, trace.faults) for trace in recorded.traces} == {(0, 0)}
        play = BY_NAME[name]
        assert len(recorded.traces) == 1 + play.cluster.get("servers", 1) - play.killed

    def test_each_of_its_journeys_is_whole(self, name):
        run = replayed(name)
        assert set(BY_NAME[name].journeys) <= set(run.journeys)
        play = BY_NAME[name]
        # What a killed server sent, nobody is left to tell of.
        for journey in play.journeys if play.killed else run.journeys:
            assert run.check(journey).whole, journey

    def test_it_tells_what_made_it(self, name):
        extra = replayed(name).recording.meta.extra
        assert extra["scenario"] == inspect.getsource(BY_NAME[name].scenario), "run `make captures`"
        assert extra["application"] == list(BY_NAME[name].application)

    def test_it_is_small(self, name):
        assert sum(path.stat().st_size for path in (lab.captures() / name).iterdir()) < captures.LARGEST

    def test_it_was_made_with_the_versions_that_are_installed(self, name):
        others = [one for one in stale(replayed(name).recording) if not one.startswith("CPython")]
        assert not others, "run `make captures`"


@pytest.mark.parametrize("name", [path.name for path in lab.captures().iterdir() if path.is_dir()])
def test_no_committed_recording_contradicts_itself(name):
    """The report's old versions write a page that nobody reads into a WebSocket that has ended."""
    assert replayed(name).check().whole


@pytest.mark.parametrize("name", NAMES)
def test_three_fresh_recordings_are_whole_and_tell_the_same_chain(name):
    alike(name, 3)


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_twenty_fresh_recordings_are_whole_and_tell_the_same_chain(name):
    alike(name, 20)


def alike(name: str, count: int) -> None:
    """``count`` recordings, each on a server of its own, are whole and alike, and like the reference."""
    play = BY_NAME[name]
    runs = [captures.record(play) for _ in range(count)]
    for run in runs:
        assert not captures.complaints(run, play)
    if not stale(runs[0].recording) and not stale(replayed(name).recording):
        runs.append(replayed(name))
    for journey in play.journeys:
        first, *others = [chain(run.journey(journey)) for run in runs]
        for other in others:
            assert other == first, difference(journey, first, other)


def difference(journey: str, first: Iterable[Sequence[str]], other: Iterable[Sequence[str]]) -> str:
    lines = ([" ".join(step) for step in one] for one in (first, other))
    return "\n".join(difflib.unified_diff(*lines, journey, journey, n=2, lineterm=""))


def test_a_heartbeat_is_told_from_the_clock_to_the_next_sleep():
    told = chain(replayed("heartbeat").journey("heartbeat"), Level.LIBRARY)
    assert told[0][2] == StepKind.CLOCK.value
    wires = [title for _, _, kind, title, _ in told if kind == StepKind.WIRE.value]
    assert wires == ["ping", "pong"]
    assert told[-1][3] == "Socket._send_ping"
