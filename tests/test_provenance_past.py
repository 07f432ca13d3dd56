"""What can have led to what: checked against a walk over every step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.worlds import Process
from utils.provenance.past import Past
from utils.records import HandOffKind

THREADS = range(4)


@st.composite
def worlds(draw):
    """Hand-offs between threads, each taken after it was given."""
    process = Process("server")
    for thread in THREADS:
        process.call(thread, "loop", 0, None)
    for _ in range(draw(st.integers(0, 12))):
        giver, taker = draw(st.permutations(THREADS))[:2]
        given_at = draw(st.integers(1, 50))
        taken = draw(st.integers(given_at, 60))
        process.hands(HandOffKind.QUEUE, giver, taker, given_at, taken)
    return process.trace


def reaches(trace, source, at, target, until):
    """Whether work done by ``source`` at ``at`` can be known to ``target`` at ``until``."""
    if source == target and at <= until:
        return True
    return any(
        handoff.given == source
        and handoff.given_ns >= at
        and handoff.taken_ns <= until
        and reaches(trace, handoff.taken, handoff.taken_ns, target, until)
        for handoff in trace.handoffs
    )


@given(worlds(), st.sampled_from(THREADS), st.integers(0, 70))
def test_the_past_is_all_from_which_there_is_a_way(trace, thread, time):
    bounds = Past([trace]).before(("server", thread), time)
    for other in THREADS:
        known = [at for at in range(71) if reaches(trace, other, at, thread, time)]
        assert bounds.get(("server", other), -1) == max(known, default=-1)


@given(worlds(), st.sampled_from(THREADS), st.integers(0, 70))
def test_the_future_is_all_to_which_there_is_a_way(trace, thread, time):
    bounds = Past([trace]).after(("server", thread), time)
    for other in THREADS:
        reached = [until for until in range(71) if reaches(trace, thread, time, other, until)]
        assert bounds.get(("server", other), 99) == min(reached, default=99)
