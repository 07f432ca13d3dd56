"""What is folded away: what waits, what serves, what is done once for all that comes."""

from __future__ import annotations

from tests.test_journey import message
from tests.worlds import Process, flow, recording
from utils import lab
from utils.journeys.journey import Journeys
from utils.records import HandOffKind, Level

ALICE = flow(40001)


def levels(journey) -> dict[str, Level]:
    return {step.title: step.level for step in journey.steps}


def starting(works: bool):
    """A request that starts a thread, which goes to where it waits, or does some work first."""
    server = Process("server")
    handle = server.call(1, "handle", 1, 90)
    begin = server.call(1, "start_background_task", 10, 20, handle)
    start = server.call(1, "Thread.start", 11, 19, begin)
    send = server.call(1, "send", 30, 40, handle)
    server.send(1, ALICE.reverse, 0, 4, 31, 32, call=send)
    run = server.call(2, "Thread.run", 12, None)
    if works:
        server.call(2, "work", 13, 15, run)
    server.hands(HandOffKind.THREAD, start, run, 11, 12)
    if not works:  # a function of which no snapshot was taken
        server.calls[run] = server.calls[run].__class__(
            **{
                **{name: getattr(server.calls[run], name) for name in server.calls[run].__slots__},
                "arguments": None,
            }
        )
    answer = message(ALICE.reverse, 0, b"pong", 32, "answer")
    return Journeys(recording(server), [answer], {}).of(answer)


def test_a_thread_that_only_goes_to_where_it_waits_is_folded_with_all_that_started_it():
    told = levels(starting(works=False))
    for title in ("start_background_task", "Thread.start", "Thread.start → Thread.run"):
        assert told[title] is Level.ALL, title
    assert told["handle"] is not Level.ALL


def test_a_thread_that_works_is_told():
    told = levels(starting(works=True))
    assert told["Thread.start → Thread.run"] is Level.LIBRARY
    assert told["start_background_task"] is not Level.ALL


def test_nothing_is_thrown_away():
    for name in ("one_bid", "polling"):
        run = lab.replay(name)
        for journey in run.journeys:
            told = run.journey(journey)
            assert told.at(Level.ALL) == told.steps


def test_what_logging_asks_for_is_no_part_of_the_work():
    """The application formats its log in a function of its own; whether there is something to log is chance."""
    run = lab.replay("polling")
    formatted = [
        step for name in run.journeys for step in run.journey(name).steps if step.title == "JSONLines.format"
    ]
    assert all(step.level is Level.ALL for step in formatted)
