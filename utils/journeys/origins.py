"""Where a journey begins: the line that asked for what was seen.

The rule kept here: from bytes one climbs, cause by cause, to the code that
wanted them.  A thread that answers (it was started, it accepted, it took an
item) is passed through; a thread that goes on with its own program is where
the climb ends.  There the journey begins with the outermost call that was made
for its sake alone, and on that thread it ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from utils import libraries
from utils.errors import InputError
from utils.journeys.belonging import Belonging
from utils.journeys.placement import Placement
from utils.journeys.shares import Share, Shares
from utils.journeys.turns import FOREVER, Cause, Effect, Turn, Turns, starts_thread
from utils.records import Call, HandOff, HandOffKind, Message, Transfer, TransferKind


@dataclass(frozen=True, slots=True)
class Ways:
    """By what one finds the way from calls to messages and back."""

    placement: Placement
    belonging: Belonging
    shares: Shares

    def moved(self, transfer: Transfer) -> Sequence[Message]:
        """The messages of which ``transfer`` moved a part, with all that belongs to them."""
        found = self.placement.messages(transfer)
        return [one for message in found for one in self.belonging.of(message)]


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a turn that belongs to a journey.

    ``cause`` woke it (None: the journey begins here); ``incoming`` are the
    bytes that led to it; ``share`` is what of the turn it is, if not all.
    """

    turn: Turn
    begin_ns: int
    end_ns: int
    cause: Cause | None = None
    incoming: Transfer | None = None
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The first part of a journey, and the calls that it consists of on that thread.

    Without such calls, all that the thread does in its turn belongs to it.
    """

    part: Part
    roots: tuple[Call, ...] = ()

    def holds(self, call: Call) -> bool:
        """Whether ``call`` was entered within the roots."""
        return any(
            root.enter_ns <= call.enter_ns and (root.leave_ns is None or call.enter_ns <= root.leave_ns)
            for root in self.roots
        )


def of_call(turns: Turns, call: Call) -> Origin:
    """The journey of ``call``: it begins with the application's own line that led to it.

    That may be code that was not recorded.  In a thread of the libraries' own
    there is none: it begins with the call itself.  A decorator is called twice
    by one line, to be made and to be applied: both belong to it.
    """
    asked = call
    for around in turns.ancestors(call):
        if not _is_of_a_library(around):
            break
        asked = around
    else:
        if _was_started(turns, asked):
            asked = call
    roots = [asked]
    for sibling in turns.siblings(asked):
        if sibling is not asked:
            if sibling.site != asked.site or any(root.code == sibling.code for root in roots):
                break
            roots.append(sibling)
    turn = turns.at(asked.process, asked.thread, asked.enter_ns)
    return _origin(turn, roots)


def of_messages(turns: Turns, followed: Sequence[Message], ways: Ways) -> Origin:
    """Climb from the ``followed`` messages, which are one thing, to the call that asked for them.

    What came from a process that was not traced begins where it was received.
    Raises InputError if no traced process sent or received the first of them.
    """
    message = followed[0]
    sends = turns.senders(message.flow, message.end - 1, message.end)
    if sends:
        return _Climber(turns, ways).climb(sends[0], followed)
    reads = turns.readers(message.flow, message.end - 1, message.end)
    if reads:
        return _received(turns, reads[0], message, ways)
    raise InputError(
        f"no traced process sent or received {message.unit.summary!r}",
        why="its bytes belong to no recorded send or receive: who did was not traced, or left no trace",
        next_step="choose a message that a traced process sent or received",
    )


def _received(turns: Turns, read: Transfer, message: Message, ways: Ways) -> Origin:
    """The journey of what came from somebody who was not traced: it begins with the turn that it woke."""
    turn = turns.at(read.process, read.thread, read.end_ns)
    shares = ways.shares.of_bytes(turn, message.end - 1, message.end)
    if shares:
        return Origin(Part(turn, turn.begin_ns, turn.end_ns, shares[0].read, share=shares[0]))
    return Origin(Part(turn, turn.begin_ns, turn.end_ns, turn.cause))


@dataclass(frozen=True, slots=True)
class _Climber:
    turns: Turns
    ways: Ways

    def climb(self, effect: Effect, followed: Iterable[Message]) -> Origin:
        """From ``effect``, by which the ``followed`` messages were sent."""
        turns = self.turns
        seen: set[int] = set()  # ids of turns: clocks that contradict must not lead round in a circle
        while True:
            process, thread = turns.thread_of(effect)
            at = effect.given_ns if isinstance(effect, HandOff) else effect.start_ns
            turn = turns.at(process, thread, at)
            around = self._around(effect)
            fresh = [call for call in around if call.enter_ns >= turn.begin_ns]
            # A call that nothing recorded encloses was asked for by the user's own
            # code: the journey begins with it, whatever woke the thread before.
            asked = bool(fresh) and fresh[-1].parent is None and not starts_thread(turn.cause)
            if asked or turn.cause is None or id(turn) in seen or self._goes_on(turn, around):
                own = self._own(around, followed)
                if own is None:
                    return Origin(Part(turn, at, at + 1))
                return _origin(turns.at(process, thread, own.enter_ns), [own])
            seen.add(id(turn))
            if isinstance(turn.cause, HandOff):
                effect = turn.cause
                continue
            if isinstance(turn.cause, Call):
                return Origin(Part(turn, turn.begin_ns, turn.end_ns, turn.cause))
            # Woken by bytes: climb on into the process that sent them, if traced.
            share = self.ways.shares.of_effect(turn, effect)
            read = turn.cause if share is None else share.read
            source = turns.source(read)
            if source is None:
                return Origin(Part(turn, turn.begin_ns, turn.end_ns, read, share=share))
            effect = source
            followed = self.ways.moved(read)

    def _around(self, effect: Effect) -> list[Call]:
        """The calls in which ``effect`` was done, the innermost first."""
        number = effect.given if isinstance(effect, HandOff) else effect.call
        call = self.turns.call(effect.process, number)
        return [] if call is None else [call, *self.turns.ancestors(call)]

    def _goes_on(self, turn: Turn, around: Sequence[Call]) -> bool:
        """Whether the thread goes on with its own program, and only waited for what woke it.

        So does a thread that nobody started, if it was no stranger that woke
        it: it reads from a connection that it opened, or waits for an event of
        its own.
        """
        if not around or _was_started(self.turns, around[-1]):
            return False
        if isinstance(turn.cause, Transfer):
            receives = turn.cause.kind is TransferKind.RECV
            return receives and self.turns.opened(turn.process, turn.cause.flow)
        return isinstance(turn.cause, HandOff) and turn.cause.kind is HandOffKind.EVENT

    def _own(self, around: Sequence[Call], followed: Iterable[Message]) -> Call | None:
        """The outermost of the calls that did nothing but what is followed."""
        own = None
        places = {(message.flow, message.start) for message in followed}
        for call in around:
            if any((message.flow, message.start) not in places for message in self._carried(call)):
                break
            own = call
        return own or (around[0] if around else None)

    def _carried(self, call: Call) -> Iterable[Message]:
        """The messages that ``call`` sent, or that threads sent which it handed them to."""
        for effect in self.turns.effects_of(call):
            if isinstance(effect, Transfer):
                yield from self.ways.placement.messages(effect)
                continue
            for turn, cause in self.turns.woken_by(effect):
                if not starts_thread(cause):
                    for onward in self.turns.effects(turn):
                        if isinstance(onward, Transfer):
                            yield from self.ways.placement.messages(onward)


def _origin(turn: Turn, roots: Sequence[Call]) -> Origin:
    begin = roots[0].enter_ns
    ends = [FOREVER if root.leave_ns is None else root.leave_ns + 1 for root in roots]
    return Origin(Part(turn, begin, min(turn.end_ns, max(ends))), tuple(roots))


def _was_started(turns: Turns, outermost: Call) -> bool:
    """Whether another thread started the one whose outermost call this is."""
    first = turns.first_cause(outermost.process, outermost.thread)
    return starts_thread(first) or outermost.code.name in ("Thread.run", "Greenlet.run")


def _is_of_a_library(call: Call) -> bool:
    where = libraries.place(call.code.filename)
    return where is not None and bool(where.library.version)
