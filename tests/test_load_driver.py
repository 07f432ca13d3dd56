"""What stamps become: latencies from due to over, and what was refused or never came."""

from __future__ import annotations

import pytest

from utils.load import statistics
from utils.load.driver import turn
from utils.load.pace import Stamps


def told(stamps, clients=1, *, news=False):
    return turn(dict(enumerate(stamps)), clients, news=news, cpu_ns=7)


def values(histogram):
    return statistics.unpack(histogram).tolist()


def test_a_latency_counts_from_due():
    found = told([Stamps(due=1000, sent=1400, answered=3000), Stamps(due=2000, sent=2000, answered=2500)])
    assert values(found.latency) == pytest.approx([500, 2000], rel=1e-3)
    assert values(found.late) == pytest.approx([1, 400], rel=1e-3)  # the least that a histogram holds is 1
    assert (found.count, found.unanswered, found.refused, found.client_cpu_ns) == (2, 0, 0, 7)
    assert found.elapsed_ns == 2000


def test_what_never_came_and_what_was_refused_are_counted_and_not_timed():
    found = told([Stamps(due=1, sent=1), Stamps(due=1, sent=1, answered=9, granted=False)])
    assert (found.unanswered, found.refused, values(found.latency)) == (1, 1, [])


def test_news_are_over_when_the_last_client_has_heard():
    stamps = [
        Stamps(due=100, sent=100, answered=150, heard=[200, 300]),
        Stamps(due=100, sent=100, answered=150, heard=[220, 340]),
        Stamps(due=100, sent=100, answered=150, heard=[210]),
    ]
    found = told(stamps, 2, news=True)
    assert values(found.latency) == [200, 240]
    assert values(found.answer) == [50, 50, 50]
    assert found.by_client == (110, 220)
    assert found.unanswered == 1


def test_what_was_never_said_takes_no_time():
    """Of a loop that was given up, the requests that stood behind have no moment."""
    found = told([Stamps(due=1000, sent=1000, answered=3000), Stamps(), Stamps()])
    assert (found.elapsed_ns, found.unanswered) == (2000, 2)
    assert told([Stamps()]).elapsed_ns == 1
