"""The way of one journey through the turns of all threads.

The rule kept here: it goes from cause to effect, and leaves nothing out that
its origin caused: by the connections that a turn opens and closes, the bytes
that it sends and the work that it hands on, never by nearness in time.  A
thread's work is told to its end before the work that it handed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from utils.journeys.origins import Origin, Part
from utils.journeys.shares import Share, Shares
from utils.journeys.turns import Effect, Turns, starts_thread
from utils.records import Call, HandOff, Transfer


class Walk:
    """The parts that ``origin`` leads through, in the order of cause."""

    def __init__(self, turns: Turns, shares: Shares, origin: Origin) -> None:
        self._turns = turns
        self._shares = shares
        self.origin = origin

    def __iter__(self) -> Iterator[Part]:
        return (part for part, _ in self.ways())

    def ways(self) -> Iterator[tuple[Part, int | None]]:
        """Each part with the place, from 1, of the part that woke it; None for the first."""
        # Depth first, by a stack of our own: a long journey must not meet
        # Python's limit on recursion.
        told: set[tuple[int, Share | None]] = set()  # ids of the turns that are told
        stack: list[tuple[Part, int | None]] = [(self.origin.part, None)]
        for place in count(1):
            if not stack:
                return
            part, waker = stack.pop()
            yield part, waker
            children = []
            for effect in self.effects(part):
                incoming = effect if isinstance(effect, Transfer) else part.incoming
                for woken in self.woken(effect, incoming):
                    if (id(woken.turn), woken.share) not in told:
                        told.add((id(woken.turn), woken.share))
                        children.append((woken, place))
            stack.extend(reversed(children))

    def calls(self, part: Part) -> list[Call]:
        """The calls that do the work of ``part``, by time."""
        # The way that a new thread takes to where it waits is its work; and who
        # asks for a call sees all of it, the waiting too.
        waits = starts_thread(part.cause) or self._is_asked(part)
        calls = self._turns.calls(part.turn, part.begin_ns, part.end_ns, waits=waits)
        return [call for call in calls if self._belongs(part, call)]

    def effects(self, part: Part) -> list[Effect]:
        """What ``part`` sends and hands on, by time."""
        found = []
        for effect in self._turns.effects(part.turn, part.begin_ns, part.end_ns):
            number = effect.given if isinstance(effect, HandOff) else effect.call
            call = self._turns.call(effect.process, number)
            if call is None or self._belongs(part, call):
                found.append(effect)
        return found

    def goes_on_from(self, call: Call) -> bool:
        """Whether ``call`` hands work on to a thread in which the way goes on."""
        return any(any(self.woken(given)) for given in self._turns.given_by(call))

    def woken(self, effect: Effect, incoming: Transfer | None = None) -> Iterator[Part]:
        """The turns that ``effect`` caused and in which the way goes on.

        A thread that was woken only to return to the user's own code, which
        had waited for it, is the journey's end, not a part of it; whether it
        had to wait at all is chance.
        """
        for turn, cause in self._turns.woken_by(effect):
            part = Part(turn, turn.begin_ns, turn.end_ns, cause, incoming)
            if isinstance(effect, HandOff):
                if self.calls(part):
                    yield part
                continue
            start, end = effect.offset, effect.end
            if isinstance(cause, Transfer) and cause.flow != effect.flow:
                # A queue made something of it: of what was read with it, this is all that belongs here.
                start, end = self._turns.arrived(effect, cause.flow)
                start, end = max(start, cause.offset), min(end, cause.end)
                part = replace(part, cause=replace(cause, offset=start, length=end - start))
            shares = self._shares.of_bytes(turn, start, end)
            yield from [replace(part, cause=share.read, share=share) for share in shares] or [part]

    def _belongs(self, part: Part, call: Call) -> bool:
        """Whether ``call`` continues the way, or was begun anew by the user's own code."""
        if part.share is not None and not part.share.holds(call.enter_ns):
            return False
        if self._is_asked(part):
            return self.origin.holds(call)
        if part is self.origin.part or starts_thread(part.cause):
            return True
        outermost = call
        for around in self._turns.ancestors(call):
            outermost = around
        return outermost.enter_ns < part.begin_ns

    def _is_asked(self, part: Part) -> bool:
        """Whether it is on the thread that asked, where the journey ends with the call that asked."""
        begun = self.origin.part.turn
        same = (part.turn.process, part.turn.thread) == (begun.process, begun.thread)
        return same and bool(self.origin.roots)
