"""A thread works in turns: it is woken, it acts, and it waits again.

The rule kept here: a turn has exactly one cause.  It begins when bytes come
out of a socket (what one call reads bit by bit is one), when an item comes out
of a queue, when an event that was waited for is set, or when the thread
starts; it ends where the thread's next turn begins.  What a turn does to
others, its effects, are the bytes it sends and the work it hands on; these are
the causes of other turns.  So the turns of all threads of all processes form
one graph, and a journey is a walk in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from utils.records import Call, Code, Flow, HandOff, HandOffKind, Trace, Transfer, TransferKind

Cause = Transfer | HandOff
Effect = Transfer | HandOff

#: A thread's own function stands at this depth, below Thread.run.
_LOOP_DEPTH = 1

#: The end of a thread's last turn.
FOREVER = 1 << 63


@dataclass(frozen=True, slots=True)
class Turn:
    """What one thread does between being woken and waiting again."""

    process: str
    thread: int
    begin_ns: int
    end_ns: int
    cause: Cause | None  # None before the first known cause of the thread


class Turns:
    """The turns of all recorded threads, with their calls and effects."""

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._calls: dict[tuple[str, int], Call] = {}
        self._by_thread: dict[tuple[str, int], list[Call]] = defaultdict(list)
        self._turns: dict[tuple[str, int], list[Turn]] = {}
        self._effects: dict[tuple[str, int], list[tuple[int, Effect]]] = defaultdict(list)
        self._woken: dict[int, Turn] = {}  # id of the cause → the turn it began
        self._parts: list[Cause] = []
        self._waiting: set[Code] = set()
        self._given: dict[tuple[str, int], list[HandOff]] = defaultdict(list)
        self._sends: dict[Flow, list[Transfer]] = defaultdict(list)
        self._recvs: dict[Flow, list[Transfer]] = defaultdict(list)
        for trace in traces:
            self._add(trace)
        for transfers in (*self._sends.values(), *self._recvs.values()):
            transfers.sort(key=lambda transfer: transfer.offset)

    def _add(self, trace: Trace) -> None:
        causes: dict[int, list[tuple[int, Cause]]] = defaultdict(list)
        threads = set()
        for call in trace.calls:
            self._calls[trace.process, call.id] = call
            self._by_thread[trace.process, call.thread].append(call)
            threads.add(call.thread)
        for transfer in trace.transfers:
            threads.add(transfer.thread)
            if transfer.kind is TransferKind.SEND and transfer.length:
                self._sends[transfer.flow].append(transfer)
                self._effects[trace.process, transfer.thread].append((transfer.start_ns, transfer))
            elif transfer.kind is TransferKind.RECV:
                # A read that brought nothing, at a stream's end, wakes the thread too.
                causes[transfer.thread].append((transfer.end_ns, transfer))
                if transfer.length:
                    self._recvs[transfer.flow].append(transfer)
            elif transfer.kind is TransferKind.ACCEPT and not transfer.exception:
                causes[transfer.thread].append((transfer.end_ns, transfer))
        for handoff in trace.handoffs:
            giver, taker = self.call(trace.process, handoff.given), self.call(trace.process, handoff.taken)
            if giver is not None and taker is not None:
                self._given[trace.process, giver.id].append(handoff)
                if handoff.kind is not HandOffKind.THREAD:
                    self._waiting.add(taker.code)
                self._effects[trace.process, giver.thread].append((handoff.given_ns, handoff))
                causes[taker.thread].append((handoff.taken_ns, handoff))
        for thread in threads:
            self._effects[trace.process, thread].sort(key=lambda effect: effect[0])
            self._turns[trace.process, thread] = list(
                self._cut(trace.process, thread, sorted(causes[thread], key=lambda cause: cause[0]))
            )

    def _cut(self, process: str, thread: int, causes: list[tuple[int, Cause]]) -> Iterator[Turn]:
        begin, cause = 0, None
        parts: list[Cause] = []
        for at, following in causes:
            if cause is not None and not self._effects_between(process, thread, begin, at):
                longer = self._read_on(cause, following)
                if longer is not None:
                    cause = longer
                    parts.append(following)
                    continue
            yield self._remember(Turn(process, thread, begin, at, cause), parts)
            begin, cause, parts = at, following, [following]
        yield self._remember(Turn(process, thread, begin, FOREVER, cause), parts)

    def _read_on(self, cause: Cause, following: Cause) -> Transfer | None:
        """The two reads as one, if ``following`` only reads more of the same.

        So it is with a frame's header and its payload, or with a head that is
        read byte by byte: one call below the thread's own loop asked for both.
        """
        if not isinstance(cause, Transfer) or not isinstance(following, Transfer):
            return None
        reads = cause.kind is following.kind is TransferKind.RECV and following.length
        if not reads or (cause.flow, cause.end) != (following.flow, following.offset):
            return None
        asking = {call.id for call in self._around(cause)}
        common = next((call for call in self._around(following) if call.id in asking), None)
        if common is None or common.depth <= _LOOP_DEPTH:
            return None
        return replace(cause, length=cause.length + following.length)

    def _around(self, transfer: Transfer) -> Iterator[Call]:
        """The recorded calls that ``transfer`` was made in, the innermost first."""
        call = self.call(transfer.process, transfer.call)
        if call is not None:
            yield call
            yield from self.ancestors(call)

    def _remember(self, turn: Turn, causes: Iterable[Cause]) -> Turn:
        for cause in causes:
            self._woken[id(cause)] = turn
            self._parts.append(cause)  # an id lasts only as long as its object
        return turn

    def _effects_between(self, process: str, thread: int, begin: int, end: int) -> list[Effect]:
        effects = self._effects[process, thread]
        first = bisect_left(effects, begin, key=lambda effect: effect[0])
        last = bisect_left(effects, end, key=lambda effect: effect[0])
        return [effect for _, effect in effects[first:last]]

    # ── what is asked ────────────────────────────────────────────────────────

    def call(self, process: str, number: int | None) -> Call | None:
        """The call with that id, or None if it was not recorded."""
        return None if number is None else self._calls.get((process, number))

    def at(self, process: str, thread: int, time_ns: int) -> Turn:
        """The turn in which ``thread`` was at ``time_ns``."""
        turns = self._turns[process, thread]
        return turns[max(0, bisect_right(turns, time_ns, key=lambda turn: turn.begin_ns) - 1)]

    def woken_by(self, effect: Effect) -> Iterator[Turn]:
        """The turns that ``effect`` caused, in the order of their bytes."""
        if isinstance(effect, HandOff):
            if (turn := self._woken.get(id(effect))) is not None:
                yield turn
            return
        turns = (self._woken.get(id(transfer)) for transfer in self.receivers(effect))
        yield from {id(turn): turn for turn in turns if turn is not None}.values()

    def calls(self, turn: Turn, begin_ns: int | None = None, end_ns: int | None = None) -> list[Call]:
        """The calls entered in ``turn`` (or in a part of it) that did its work.

        A call that outlives the turn without having had an effect in it is the
        waiting for the next turn, and is left out with all that it calls.
        """
        begin = turn.begin_ns if begin_ns is None else begin_ns
        end = turn.end_ns if end_ns is None else end_ns
        calls = self._by_thread[turn.process, turn.thread]
        first = bisect_left(calls, begin, key=lambda call: call.enter_ns)
        found = []
        waiting: set[int | None] = set()
        for call in calls[first:]:
            if call.enter_ns >= end:
                break
            outlives = call.leave_ns is None or call.leave_ns > turn.end_ns
            if call.parent in waiting or (outlives and not self.effects(turn, call.enter_ns, end)):
                waiting.add(call.id)
            else:
                found.append(call)
        return found

    def effects(self, turn: Turn, begin_ns: int | None = None, end_ns: int | None = None) -> list[Effect]:
        """What ``turn`` (or a part of it) sent and handed on, by time."""
        begin = turn.begin_ns if begin_ns is None else begin_ns
        end = turn.end_ns if end_ns is None else end_ns
        return self._effects_between(turn.process, turn.thread, begin, end)

    def thread_of(self, effect: Effect) -> tuple[str, int]:
        """The process and thread that did ``effect``."""
        if isinstance(effect, HandOff):
            return effect.process, self._calls[effect.process, effect.given].thread
        return effect.process, effect.thread

    def senders(self, flow: Flow, start: int, end: int) -> list[Transfer]:
        """The sends that wrote bytes ``start`` to ``end`` of ``flow``."""
        return _overlapping(self._sends[flow], start, end)

    def receivers(self, sent: Transfer) -> list[Transfer]:
        """The recvs that read the bytes of ``sent``."""
        return _overlapping(self._recvs[sent.flow], sent.offset, sent.end)

    def readers(self, flow: Flow, start: int, end: int) -> list[Transfer]:
        """The recvs that read bytes ``start`` to ``end`` of ``flow``."""
        return _overlapping(self._recvs[flow], start, end)

    def waits(self, call: Call) -> bool:
        """Whether ``call`` is of a function by which threads wait for work."""
        return call.code in self._waiting

    def given_by(self, call: Call) -> Sequence[HandOff]:
        """The work that ``call`` handed on, and somebody took."""
        return self._given.get((call.process, call.id), ())

    def ancestors(self, call: Call) -> Iterator[Call]:
        """The calls around ``call``, the innermost first."""
        around = self.call(call.process, call.parent)
        while around is not None:
            yield around
            around = self.call(around.process, around.parent)


def starts_thread(cause: Cause | None) -> bool:
    """Whether a turn with this cause is the first of its thread."""
    return isinstance(cause, HandOff) and cause.kind is HandOffKind.THREAD


def _overlapping(transfers: list[Transfer], start: int, end: int) -> list[Transfer]:
    """The transfers, sorted by offset, that share a byte with ``start`` to ``end``."""
    first = bisect_right(transfers, start, key=lambda transfer: transfer.end)
    last = bisect_left(transfers, end, key=lambda transfer: transfer.offset)
    return transfers[first:last]
