"""Distributions, and how far they can be trusted.

The rule kept here: quantiles, not means; and whatever is said of them comes
with an interval.  Samples of one turn are no independent witnesses (they share
the machine's mood), so the bootstrap draws whole turns first, and samples
within them after; and two variants are compared turn by turn, since turns of
one round ran next to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from hdrh.histogram import HdrHistogram
from numpy.typing import NDArray

from utils.load.values import Result, Turn

#: What a histogram holds: up to a minute, in ns, to three digits.
_LONGEST, _DIGITS = 60_000_000_000, 3

#: How often the bootstrap draws.
_DRAWS = 1000

Samples = NDArray[np.int64]


class Estimate(NamedTuple):
    """A figure, and the interval in which it lies in 95 of 100 draws."""

    value: float
    low: float
    high: float


def pack(samples: Iterable[int]) -> str:
    """Samples, in ns, as an HDR histogram in its own encoding."""
    histogram = HdrHistogram(1, _LONGEST, _DIGITS)
    for sample in samples:
        histogram.record_value(min(max(1, sample), _LONGEST))
    encoded: bytes = histogram.encode()
    return encoded.decode("ascii")


def unpack(encoded: str) -> Samples:
    """The samples of an encoded histogram, sorted, each to three digits."""
    histogram = HdrHistogram.decode(encoded)
    steps = [
        (step.value_iterated_to, step.count_at_value_iterated_to)
        for step in histogram.get_recorded_iterator()
    ]
    values, counts = zip(*steps, strict=True) if steps else ((), ())
    return np.repeat(np.array(values, np.int64), np.array(counts, np.int64))


def samples(result: Result, what: str = "latency") -> list[Samples]:
    """The samples of each turn; ``what`` names one of :class:`~utils.load.values.Turn`'s histograms."""
    return [unpack(getattr(turn, what)) for turn in result.turns]


def pooled(result: Result, what: str = "latency") -> Samples:
    """The samples of all turns, sorted."""
    return np.sort(np.concatenate(samples(result, what)))


def quantile(result: Result, q: float, what: str = "latency") -> Estimate:
    """The quantile ``q`` (0 to 1) of all turns, in ns."""
    turns = samples(result, what)
    chance = np.random.default_rng(1)
    drawn = [
        np.quantile(np.concatenate([chance.choice(turns[place], len(turns[place])) for place in places]), q)
        for places in chance.integers(0, len(turns), (_DRAWS // 4, len(turns)))
    ]
    return _estimate(float(np.quantile(np.concatenate(turns), q)), drawn)


def ratio(one: Result, other: Result, q: float = 0.5, what: str = "latency") -> Estimate:
    """How many times ``other``'s quantile ``one``'s is: the median over the turns of one round.

    Raises ValueError if they have not as many turns.
    """
    pairs = zip(samples(one, what), samples(other, what), strict=True)
    ratios = np.array([np.quantile(a, q) / np.quantile(b, q) for a, b in pairs])
    chance = np.random.default_rng(1)
    drawn = np.median(ratios[chance.integers(0, len(ratios), (_DRAWS, len(ratios)))], axis=1)
    return _estimate(float(np.median(ratios)), drawn)


def throughput(result: Result) -> float:
    """Requests that were granted, a second."""
    turns = result.turns
    granted = sum(turn.count - turn.refused - turn.unanswered for turn in turns)
    return granted / (sum(turn.elapsed_ns for turn in turns) / 1e9)


def server_cpu(result: Result) -> float:
    """What the server's process took of a processor for one request, in ns."""
    return sum(turn.server_cpu_ns for turn in result.turns) / sum(turn.count for turn in result.turns)


def by_client(turns: Sequence[Turn]) -> NDArray[np.float64]:
    """For the first client to hear the news, the second, ...: the median over the turns, in ns."""
    return np.median(np.array([turn.by_client for turn in turns], np.float64), axis=0)


def _estimate(value: float, drawn: Sequence[float] | NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
