"""The rules of the auction, and nothing else: no Flask, no database, no clock.

A bid is judged against where its lot stands.  All money is in integer cents,
all times are milliseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The highest sum that the house deals in, in cents: a thousand million.
MAX_CENTS = 100_000_000_000


class Refused(Exception):
    """A request that the house does not grant; the client is told all of it.

    ``code`` is for programs, ``message`` for people, ``details`` are JSON values.
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a lot stands at the moment at which a bid is judged."""

    opening_cents: int
    increment_cents: int
    closes_at: int
    closed: bool
    highest_cents: int | None = None
    leader: str | None = None

    @property
    def minimum_cents(self) -> int:
        """The least that the next bid must offer, in cents."""
        if self.highest_cents is None:
            return self.opening_cents
        return self.highest_cents + self.increment_cents

    def is_open(self, now: int) -> bool:
        """Whether bids are taken at ``now``: until the closing time, and not at it."""
        return not self.closed and now < self.closes_at


def judge(standing: Standing, bidder: str, cents: int, now: int) -> None:
    """Return if ``bidder`` may have the lot for ``cents`` at ``now``; raise Refused if not."""
    if not standing.is_open(now):
        raise Refused("closed", "This lot is closed.", closes_at=standing.closes_at)
    if standing.leader is not None and same_person(standing.leader, bidder):
        raise Refused("own_lead", "You lead already; you would bid against yourself.")
    if cents < standing.minimum_cents:
        raise Refused(
            "too_low",
            f"The next bid must be at least {in_words(standing.minimum_cents)}.",
            minimum_cents=standing.minimum_cents,
        )
    if cents > MAX_CENTS:
        raise Refused("too_high", f"The house takes no bid above {in_words(MAX_CENTS)}.")


def same_person(one: str, other: str) -> bool:
    """Whether two names are one bidder's: capitals do not make another person."""
    return one.casefold() == other.casefold()


def in_words(cents: int) -> str:
    """A sum for people: ``1234567`` becomes ``12,345.67``."""
    return f"{cents // 100:,}.{cents % 100:02}"
