"""What one read brought at once, told apart.

The rule kept here: whether two messages come out of a socket by one read or by
two is chance, and no journey may depend on it.  Where a read brought several
messages, and the thread handed on one thing for each, each message has its
share of the turn: what is done once for all, what is done for it, and the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from utils.journeys.placement import Placement
from utils.journeys.turns import Effect, Turn, Turns
from utils.records import Call, HandOff, Transfer, TransferKind


@dataclass(frozen=True, slots=True)
class Share:
    """One message's share of a turn: its part of the read, and the times (from, to) that are its own."""

    read: Transfer
    spans: tuple[tuple[int, int], ...]

    def holds(self, time_ns: int) -> bool:
        """Whether what happened then belongs to it."""
        return any(begin <= time_ns < end for begin, end in self.spans)


class Shares:
    """The shares of all turns of one recording."""

    def __init__(self, turns: Turns, placement: Placement) -> None:
        self._turns = turns
        self._placement = placement
        self._known: dict[int, Sequence[Share]] = {}  # id of a turn → its shares

    def of(self, turn: Turn) -> Sequence[Share]:
        """The shares of ``turn``, in the order of their bytes; none if it is one thing."""
        if id(turn) not in self._known:
            self._known[id(turn)] = self._cut(turn)
        return self._known[id(turn)]

    def of_effect(self, turn: Turn, effect: Effect) -> Share | None:
        """The share in which ``effect`` was done."""
        return self.at(turn, effect.given_ns if isinstance(effect, HandOff) else effect.start_ns)

    def at(self, turn: Turn, time_ns: int) -> Share | None:
        """The share of what ``turn`` did at ``time_ns``."""
        return next((share for share in self.of(turn) if share.holds(time_ns)), None)

    def of_bytes(self, turn: Turn, start: int, end: int) -> Sequence[Share]:
        """The shares of the messages that hold bytes ``start`` to ``end`` of what was read."""
        return [share for share in self.of(turn) if share.read.offset < end and start < share.read.end]

    def _cut(self, turn: Turn) -> Sequence[Share]:
        read = turn.cause
        if not isinstance(read, Transfer) or read.kind is not TransferKind.RECV:
            return ()
        messages = [message for message in self._placement.messages(read) if message.end <= read.end]
        effects = self._turns.effects(turn)
        handed = [effect for effect in effects if isinstance(effect, HandOff)]
        if len(messages) < 2 or not len(messages) == len(handed) == len(effects):
            return ()
        ends = [turn.begin_ns, *map(self._end, handed)]
        calls = self._turns.calls(turn)
        stretches = [
            [call for call in calls if begin < call.enter_ns <= end] for begin, end in pairwise(ends)
        ]
        begins = [_own(stretches[0], stretches[1], turn.begin_ns), *(end + 1 for end in ends[1:-1])]
        shares = []
        for message, begin, end in zip(messages, begins, ends[1:], strict=True):
            start = max(message.start, read.offset)
            part = replace(read, offset=start, length=message.end - start)
            spans = ((turn.begin_ns, begins[0]), (begin, end + 1), (ends[-1] + 1, turn.end_ns))
            shares.append(Share(part, spans))
        return shares

    def _end(self, handed: HandOff) -> int:
        """When the call was over that handed the work on."""
        given = self._turns.call(handed.process, handed.given)
        return handed.given_ns if given is None or given.leave_ns is None else given.leave_ns


def _own(first: Sequence[Call], second: Sequence[Call], otherwise: int) -> int:
    """When the work on the first message began: as that on the second did, by the same function."""
    if second:
        for call in reversed(first):
            if call.code == second[0].code:
                return call.enter_ns
    return otherwise
