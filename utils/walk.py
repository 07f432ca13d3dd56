"""The way of one message through the turns of all threads.

The rule kept here: it goes from cause to effect, and leaves nothing out that
the message caused: by the bytes that a turn sends and by the work that it hands
on, never by nearness in time.  A thread's work is told to its end before the
work that it handed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from utils.errors import InputError
from utils.placement import Placement
from utils.records import Call, HandOff, Message, Transfer
from utils.turns import Effect, Turn, Turns, starts_thread


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a turn that belongs to the way; ``incoming`` are the bytes that led to it."""

    turn: Turn
    begin_ns: int
    end_ns: int
    incoming: Transfer | None = None


class Walk:
    """The parts that ``message`` leads through, from its first cause on, in the order of cause.

    Raises InputError if no traced process sent ``message``.
    """

    def __init__(self, turns: Turns, message: Message) -> None:
        self._turns = turns
        self.origin = _origin(turns, message)

    def __iter__(self) -> Iterator[Part]:
        # Depth first, by a stack of our own: a long journey must not meet
        # Python's limit on recursion.
        told: set[int] = set()  # ids of causes whose turn is told
        stack = [self.origin]
        while stack:
            part = stack.pop()
            yield part
            children = []
            for effect in self.effects(part):
                incoming = effect if isinstance(effect, Transfer) else part.incoming
                for woken in self._woken(effect, incoming):
                    if id(woken.turn.cause) not in told:
                        told.add(id(woken.turn.cause))
                        children.append(woken)
            stack.extend(reversed(children))

    def calls(self, part: Part) -> list[Call]:
        """The calls that do the work of ``part``, by time."""
        calls = self._turns.calls(part.turn, part.begin_ns, part.end_ns)
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
        return any(any(self._woken(given, None)) for given in self._turns.given_by(call))

    def _woken(self, effect: Effect, incoming: Transfer | None) -> Iterator[Part]:
        """The turns that ``effect`` caused and in which the way goes on.

        A thread that was woken only to return to the user's own code, which
        had waited for it, is the journey's end, not a part of it; whether it
        had to wait at all is chance.
        """
        for turn in self._turns.woken_by(effect):
            part = Part(turn, turn.begin_ns, turn.end_ns, incoming)
            if isinstance(effect, Transfer) or self.calls(part):
                yield part

    def _belongs(self, part: Part, call: Call) -> bool:
        """Whether ``call`` continues the way, or was begun anew by the user's own code."""
        if part.begin_ns != part.turn.begin_ns or starts_thread(part.turn.cause):
            return True
        outermost = call
        for around in self._turns.ancestors(call):
            outermost = around
        return outermost.enter_ns < part.begin_ns


def carried(turns: Turns, messages: Iterable[Message], of: Message) -> list[Message]:
    """The messages on the wire that the way of ``of`` consists of, in the order of cause.

    Raises InputError if no traced process sent ``of``.
    """
    placement = Placement(messages)
    walk = Walk(turns, of)
    sends = (effect for part in walk for effect in walk.effects(part) if isinstance(effect, Transfer))
    found = (message for send in sends for message in placement.completed(send))
    return list({id(message): message for message in found}.values())


# ── where it began ───────────────────────────────────────────────────────────


def _origin(turns: Turns, message: Message) -> Part:
    """Climb from the bytes of ``message`` to the outermost call that led to them."""
    sends = turns.senders(message.flow, message.end - 1, message.end)
    if not sends:
        raise InputError(
            f"no traced process sent {message.unit.summary!r}",
            why="its bytes belong to no recorded send: that process was not traced, or not yet",
            next_step="choose a message that a traced process sent",
        )
    effect: Effect = sends[0]
    while True:
        process, thread = turns.thread_of(effect)
        at = effect.given_ns if isinstance(effect, HandOff) else effect.start_ns
        turn = turns.at(process, thread, at)
        root = _outermost(turns, turn, effect)
        # A call that nothing recorded encloses was asked for by the user's own
        # code: the journey begins with it, whatever woke the thread before.
        fresh = root is not None and root.parent is None and not starts_thread(turn.cause)
        if root is not None and (fresh or turn.cause is None):
            return Part(turn, root.enter_ns, turn.end_ns if root.leave_ns is None else root.leave_ns + 1)
        if turn.cause is None:
            return Part(turn, at, at + 1)
        if isinstance(turn.cause, HandOff):
            effect = turn.cause
            continue
        # Woken by bytes: climb on into the process that sent them, if traced.
        senders = turns.senders(turn.cause.flow, turn.cause.offset, turn.cause.end)
        if not senders:
            return Part(turn, turn.begin_ns, turn.end_ns)
        effect = senders[0]


def _outermost(turns: Turns, turn: Turn, effect: Effect) -> Call | None:
    """The outermost call around ``effect`` that was entered within ``turn``."""
    number = effect.given if isinstance(effect, HandOff) else effect.call
    call = turns.call(effect.process, number)
    outermost = None
    while call is not None and call.enter_ns >= turn.begin_ns:
        outermost = call
        call = turns.call(call.process, call.parent)
    return outermost
