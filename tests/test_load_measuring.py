"""An experiment on real servers: every variant has its turns, and what cannot run here is named."""

from __future__ import annotations

import psutil
import pytest

from utils.errors import EnvironmentLack, ProcessError
from utils.load import measuring, statistics, subjects
from utils.load.standard import ECHO, FRAMES, NEWS, TCP, TELL
from utils.load.values import Experiment, Subject, Variant, Workload

FEW = {"rate": None, "count": 5}


@pytest.fixture(scope="module")
def measured():
    told = []
    variants = (
        Variant("raw TCP", TCP, Workload("tcp", **FEW), floor=True),
        Variant("raw WebSocket", FRAMES, Workload("frames", **FEW), floor=True),
        Variant("echo", ECHO, Workload(**FEW)),
        Variant("echo, open", ECHO, Workload(rate=500.0, count=20)),
        Variant("polled", ECHO, Workload("polling", **FEW)),
        Variant("the library's client", ECHO, Workload("library", **FEW)),
        Variant("told to ten", ECHO, Workload(**FEW, **announced(), clients=10)),
        Variant("a loop over ten", TELL, Workload("tcp", **FEW, **announced(), clients=10), floor=True),
    )
    found = measuring.measure(Experiment("few", "Does it run?", variants, turns=2), told.append)
    assert any("turn 2 of 2, echo" in what for what in told)
    return found


def announced():
    return {"event": NEWS.event, "argument": NEWS.argument, "mark": NEWS.mark}


def test_every_variant_has_its_turns_and_every_request_its_answer(measured):
    assert [result.variant for result in measured.results] == list(measured.experiment.variants)
    for result in measured.results:
        assert len(result.turns) == 2
        for turn in result.turns:
            assert (turn.unanswered, turn.refused) == (0, 0)
            assert len(statistics.unpack(turn.latency)) == turn.count == result.variant.workload.count
            assert turn.elapsed_ns > 0 and turn.client_cpu_ns > 0


def test_the_news_reach_every_client_the_last_one_last(measured):
    for name in ("told to ten", "a loop over ten"):
        heard = statistics.by_client(measured.result(name).turns)
        assert len(heard) == 10 and sorted(heard) == heard.tolist()


def test_no_process_is_left(measured):
    left = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    assert not [command for command in left if {"utils.load.driver", "scenarios.echo"} & set(command)]


def test_what_cannot_run_here_is_named_and_the_rest_is_measured(monkeypatch):
    def lacking():
        raise EnvironmentLack("gevent cannot be measured here", why="it is not installed")

    monkeypatch.setattr(subjects, "gevent_python", lacking)
    variants = (
        Variant("gevent", Subject("scenarios.echo_gevent", gevent=True), Workload(**FEW)),
        Variant("raw TCP", TCP, Workload("tcp", **FEW)),
    )
    found = measuring.measure(Experiment("some", "?", variants, turns=1))
    assert [result.variant.name for result in found.results] == ["raw TCP"]
    assert "it is not installed" in found.missing["gevent"]


def test_a_server_that_cannot_start_is_an_error():
    variants = (Variant("none", Subject("no_such_application"), Workload(**FEW)),)
    with pytest.raises(ProcessError, match="no_such_application"):
        measuring.measure(Experiment("none", "?", variants, turns=1))
