"""A thread works in turns: it is woken, it acts, and it waits again.

The rule kept here: a turn has exactly one cause.  It begins when bytes (or the
end of them) come out of a socket, when a connection is accepted, when an item
comes out of a queue, when an event that was waited for is set, when the time
is over for which the thread slept, or when the thread starts; it ends where
the thread's next turn begins.  What a turn does to others, its effects, are
the connections it opens and closes, the bytes it sends and the work it hands
on; these are the causes of other turns.  So the turns of all threads of all
processes form one graph, and a journey is a walk in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from utils.journeys.calltree import CallTree
from utils.journeys.relays import Relays
from utils.records import Call, Code, Flow, HandOff, HandOffKind, Trace, Transfer, TransferKind

#: A call is the cause of a turn if it slept, and the clock woke it.
Cause = Transfer | HandOff | Call
Effect = Transfer | HandOff

#: A thread's own function stands at this depth, below Thread.run.
_LOOP_DEPTH = 1

#: How a read ends that would have had to wait: who only looks is not woken.
_NOTHING_YET = "BlockingIOError"

#: Where a thread begins that is not the program's own.
_RUN = "Thread.run"

#: The end of a thread's last turn.
FOREVER = 1 << 63

#: What ends the stream of bytes that one side sends.
_ENDING = (TransferKind.SHUTDOWN, TransferKind.CLOSE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one thread does between being woken and waiting again."""

    process: str
    thread: int
    begin_ns: int
    end_ns: int
    cause: Cause | None  # None if it is the thread's own program, or not known


class Turns(CallTree):
    """The turns of all recorded threads, with their calls and effects."""

    def __init__(self, traces: Iterable[Trace], relays: Relays | None = None) -> None:
        super().__init__()
        self._relays = relays or Relays(())
        self._turns: dict[tuple[str, int], list[Turn]] = {}
        self._effects: dict[tuple[str, int], list[Effect]] = {}
        self._effect_times: dict[tuple[str, int], list[int]] = {}
        self._woken: dict[int, Turn] = {}  # id of the cause → the turn it began
        self._parts: list[Cause] = []
        self._waiting: set[Code] = set()
        self._taking: set[tuple[str, int]] = set()  # the calls in which work was taken
        self._given: dict[tuple[str, int], list[HandOff]] = defaultdict(list)
        self._sends: dict[Flow, list[Transfer]] = defaultdict(list)
        self._recvs: dict[Flow, list[Transfer]] = defaultdict(list)
        self._accepts: dict[Flow, list[Transfer]] = defaultdict(list)
        self._ended: dict[Flow, list[Transfer]] = defaultdict(list)  # reads that found the stream's end
        self._connects: dict[Flow, list[Transfer]] = defaultdict(list)
        self._endings: dict[Flow, Transfer] = {}
        self._closed: set[Flow] = set()  # the flows out of sockets that were closed
        self._last: dict[tuple[str, int], int] = {}  # when a thread's last transfer so far was over
        for trace in traces:
            self._add(trace)
        for transfers in (*self._sends.values(), *self._recvs.values()):
            transfers.sort(key=lambda transfer: transfer.offset)

    def _add(self, trace: Trace) -> None:
        causes: dict[int, list[tuple[int, Cause]]] = defaultdict(list)
        effects: dict[int, list[tuple[int, Effect]]] = defaultdict(list)
        threads = set()
        for call in trace.calls:
            self.add(call)
            threads.add(call.thread)
            if call.leave_ns is not None and self._is_alarm(call):
                causes[call.thread].append((call.leave_ns, call))
        for transfer in trace.transfers:
            threads.add(transfer.thread)
            if self._is_cause(transfer):
                causes[transfer.thread].append((self._arrival(transfer), transfer))
            elif self._is_effect(transfer):
                self._last[trace.process, transfer.thread] = transfer.end_ns
                effects[transfer.thread].append((transfer.start_ns, transfer))
        for handoff in trace.handoffs:
            giver, taker = self.call(trace.process, handoff.given), self.call(trace.process, handoff.taken)
            if giver is not None and taker is not None:
                self._given[trace.process, giver.id].append(handoff)
                if handoff.kind is not HandOffKind.THREAD:
                    self._waiting.add(taker.code)
                    self._taking.update((around.process, around.id) for around in self.ancestors(taker))
                effects[giver.thread].append((handoff.given_ns, handoff))
                causes[taker.thread].append((handoff.taken_ns, handoff))
        for thread in threads:
            ordered = sorted(effects[thread], key=lambda effect: effect[0])
            self._effect_times[trace.process, thread] = [at for at, _ in ordered]
            self._effects[trace.process, thread] = [effect for _, effect in ordered]
            self._turns[trace.process, thread] = list(
                self._cut(trace.process, thread, sorted(causes[thread], key=lambda cause: cause[0]))
            )

    def _is_alarm(self, call: Call) -> bool:
        """Whether ``call`` is a sleep that the thread's own function asked for: the clock wakes it.

        A sleep further down is only a slow way through the same work.
        """
        parent = self.call(call.process, call.parent)
        if parent is None or parent.depth > _LOOP_DEPTH:
            return False
        name = call.code.name.rpartition(".")[2]
        return name == "sleep" or (name == "wait" and call.result == "False")

    def _is_cause(self, transfer: Transfer) -> bool:
        if transfer.kind is TransferKind.RECV and transfer.exception != _NOTHING_YET:
            # A read that brought nothing, at a stream's end, wakes the thread too.
            if transfer.length:
                self._recvs[transfer.flow].append(transfer)
            elif not transfer.exception:
                self._ended[transfer.flow].append(transfer)
            return True
        if transfer.kind is TransferKind.ACCEPT and not transfer.exception:
            self._accepts[transfer.flow].append(transfer)
            return True
        return False

    def _arrival(self, transfer: Transfer) -> int:
        """When what came woke its thread.

        A thread that accepts was woken before: the connection was there when it
        called accept.  Of the calls around, those that ended were made for it;
        the loop goes on.
        """
        before = self._last.get((transfer.process, transfer.thread), 0)
        self._last[transfer.process, transfer.thread] = transfer.end_ns
        if transfer.kind is not TransferKind.ACCEPT:
            return transfer.end_ns
        made = [call for call in self.around(transfer) if call.leave_ns and call.enter_ns > before]
        return made[-1].enter_ns if made else transfer.end_ns

    def _is_effect(self, transfer: Transfer) -> bool:
        if transfer.kind is TransferKind.SEND:
            if transfer.length:
                self._sends[transfer.flow].append(transfer)
            return transfer.length > 0
        if transfer.exception:
            return False
        if transfer.kind is TransferKind.CLOSE:
            self._closed.add(transfer.flow)
        if transfer.kind in _ENDING:
            # The first of them ends the stream.
            return self._endings.setdefault(transfer.flow, transfer) is transfer
        if transfer.kind is TransferKind.CONNECT:
            self._connects[transfer.flow].append(transfer)
        return True

    def _cut(self, process: str, thread: int, causes: list[tuple[int, Cause]]) -> Iterator[Turn]:
        begin, cause = 0, None
        parts: list[Cause] = []
        asked: dict[Flow, int] = {}  # when a flow last woke the thread
        for at, following in causes:
            if self._is_in_midst(following, asked):
                continue
            if cause is not None and not self._acts(process, thread, begin, at):
                longer = self._read_on(cause, following) or _take_on(cause, following)
                if longer is not None:
                    cause = longer
                    parts.append(following)
                    continue
            yield from self._turn(process, thread, begin, at, cause, parts)
            begin, cause, parts = at, following, [following]
            if isinstance(following, Transfer):
                asked[following.flow] = at
        yield from self._turn(process, thread, begin, FOREVER, cause, parts)

    def _turn(
        self, process: str, thread: int, begin: int, end: int, cause: Cause | None, parts: Iterable[Cause]
    ) -> Iterator[Turn]:
        """The turn that ``cause`` began; and what the thread begins anew in it, by its own program."""
        anew = self._comes_round(cause, begin, end)
        turn = Turn(process, thread, begin, anew or end, cause)
        for part in parts:
            self._woken[id(part)] = turn
            self._parts.append(part)  # an id lasts only as long as its object
        yield turn
        if anew:
            yield Turn(process, thread, anew, end, None)

    def _comes_round(self, cause: Cause | None, begin: int, end: int) -> int | None:
        """When the thread's own function calls anew what it had called to be answered.

        A client that polls asks again as soon as it has an answer; that is no
        more a consequence of the answer than to wait for the next one would be.
        """
        if not isinstance(cause, Transfer) or cause.kind is not TransferKind.RECV:
            return None
        for asked in self.around(cause):
            loop = self.call(cause.process, asked.parent)
            if loop is not None and loop.depth == _LOOP_DEPTH:
                calls = self.entered(cause.process, cause.thread, begin, end)
                again = (call for call in calls if call.parent == loop.id and call.code == asked.code)
                return next((call.enter_ns for call in again), None)
        return None

    def _is_in_midst(self, cause: Cause, asked: Mapping[Flow, int]) -> bool:
        """Whether only the end of a stream was found, by a call that has answered what was read before.

        A server that has answered may look whether there is anything left to
        read; that there is not, or not yet, changes nothing.
        """
        if not isinstance(cause, Transfer) or cause.kind is not TransferKind.RECV or cause.length:
            return False
        since = asked.get(cause.flow, FOREVER)
        return any(
            call.enter_ns >= since and self._acts(cause.process, cause.thread, call.enter_ns, cause.start_ns)
            for call in self.around(cause)
        )

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
        if self._relays.begins(following.flow, following.offset):
            return None  # a subscriber waits for it as it waited for what it read before
        asking = {call.id for call in self.around(cause)}
        around = list(self.around(following))
        common = next((call for call in around if call.id in asking), None)
        # Above a program's own thread stands no Thread.run.
        loop = _LOOP_DEPTH if around and around[-1].code.name == _RUN else _LOOP_DEPTH - 1
        if common is None or common.depth <= loop:
            return None
        return replace(cause, length=cause.length + following.length)

    def _between(self, process: str, thread: int, begin: int, end: int) -> tuple[int, int]:
        """Where the effects of ``thread`` from ``begin`` to ``end`` stand."""
        times = self._effect_times[process, thread]
        return bisect_left(times, begin), bisect_left(times, end)

    def _acts(self, process: str, thread: int, begin: int, end: int) -> bool:
        first, last = self._between(process, thread, begin, end)
        return first < last

    # ── what is asked ────────────────────────────────────────────────────────

    def at(self, process: str, thread: int, time_ns: int) -> Turn:
        """The turn in which ``thread`` was at ``time_ns``."""
        turns = self._turns[process, thread]
        return turns[max(0, bisect_right(turns, time_ns, key=lambda turn: turn.begin_ns) - 1)]

    def first_cause(self, process: str, thread: int) -> Cause | None:
        """What woke the thread first, as far as it is known."""
        return next((turn.cause for turn in self._turns[process, thread] if turn.cause), None)

    def woken_by(self, effect: Effect) -> Iterator[tuple[Turn, Cause]]:
        """The turns that ``effect`` caused, in the order of their bytes, each with what woke it."""
        causes: Iterable[Cause]
        if isinstance(effect, HandOff):
            causes = (effect,)
        elif effect.kind is TransferKind.SEND:
            causes = [*self.receivers(effect), *self._relayed(effect)]
        elif effect.kind is TransferKind.CONNECT:
            causes = [accept for accept in self._accepts[effect.flow] if accept.end_ns >= effect.start_ns][:1]
        elif effect.kind in _ENDING:
            causes = [read for read in self._ended[effect.flow] if read.end_ns >= effect.start_ns]
        else:
            causes = ()
        seen = set()
        for cause in causes:
            turn = self._woken.get(id(cause))
            if turn is not None and id(turn) not in seen:
                seen.add(id(turn))
                yield turn, cause if isinstance(cause, HandOff) or turn.cause is None else turn.cause

    def _relayed(self, sent: Transfer) -> Iterator[Transfer]:
        """The recvs that read what a message queue sent because of ``sent``: the answer first.

        The others follow by the names of their processes: who is sent it first is chance.
        """
        found = [
            (message.flow != sent.flow.reverse, reader.process, reader)
            for message in self._relays.onward(sent.flow, sent.offset, sent.end)
            for reader in self.readers(message.flow, message.start, message.end)
        ]
        return (reader for *_, reader in sorted(found, key=itemgetter(0, 1)))

    def arrived(self, sent: Transfer, flow: Flow) -> tuple[int, int]:
        """Which bytes of ``flow``, by which it arrived, ``sent`` was: its own, or what a queue made of it."""
        if flow == sent.flow:
            return sent.offset, sent.end
        found = [one for one in self._relays.onward(sent.flow, sent.offset, sent.end) if one.flow == flow]
        return min(one.start for one in found), max(one.end for one in found)

    def relayed(self, flow: Flow, start: int, end: int) -> bool:
        """Whether a message queue sent those bytes because of what it was sent."""
        return self._relays.source(flow, start, end) is not None

    def source(self, cause: Transfer) -> Transfer | None:
        """What ``cause`` is the coming of: a send, a connect, a close; None if it was not recorded."""
        if cause.kind is TransferKind.ACCEPT:
            found = [one for one in self._connects[cause.flow] if one.start_ns <= cause.end_ns]
            return found[-1] if found else None
        if not cause.length:
            return None if cause.exception else self._endings.get(cause.flow)
        found = self.senders(cause.flow, cause.offset, cause.end)
        relayed = None if found else self._relays.source(cause.flow, cause.offset, cause.end)
        if relayed is not None:
            found = self.senders(relayed.flow, relayed.end - 1, relayed.end)
        return found[0] if found else None

    def opened(self, process: str, flow: Flow) -> bool:
        """Whether ``process`` opened the connection from which ``flow`` comes."""
        return any(one.process == process for one in self._connects[flow.reverse])

    def calls(
        self, turn: Turn, begin_ns: int | None = None, end_ns: int | None = None, *, waits: bool = False
    ) -> list[Call]:
        """The calls entered in ``turn`` (or in a part of it) that did its work.

        A call that outlives the turn, or took the work of another one, without
        having had an effect itself is the waiting for the next turn.  It is
        left out with all that it calls, unless ``waits`` are asked for.
        """
        begin = turn.begin_ns if begin_ns is None else begin_ns
        end = turn.end_ns if end_ns is None else end_ns
        found = []
        waiting: set[int | None] = set()
        for call in self.entered(turn.process, turn.thread, begin, end):
            outlives = call.leave_ns is None or call.leave_ns > turn.end_ns
            wait = not waits and (outlives or (call.process, call.id) in self._taking)
            until = end if outlives or call.leave_ns is None else min(end, call.leave_ns)
            if call.parent in waiting or (
                wait and not self._acts(turn.process, turn.thread, call.enter_ns, until)
            ):
                waiting.add(call.id)
            else:
                found.append(call)
        return found

    def effects(self, turn: Turn, begin_ns: int | None = None, end_ns: int | None = None) -> list[Effect]:
        """What ``turn`` (or a part of it) sent and handed on, by time."""
        begin = turn.begin_ns if begin_ns is None else begin_ns
        end = turn.end_ns if end_ns is None else end_ns
        first, last = self._between(turn.process, turn.thread, begin, end)
        return self._effects[turn.process, turn.thread][first:last]

    def effects_of(self, call: Call) -> list[Effect]:
        """What ``call``, and whatever it called in its thread, did to others, by time."""
        end = FOREVER if call.leave_ns is None else call.leave_ns + 1
        first, last = self._between(call.process, call.thread, call.enter_ns, end)
        return self._effects[call.process, call.thread][first:last]

    def thread_of(self, effect: Effect) -> tuple[str, int]:
        """The process and thread that did ``effect``."""
        if isinstance(effect, HandOff):
            given = self.call(effect.process, effect.given)
            assert given is not None  # others are no effects
            return effect.process, given.thread
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

    def unread_from(self, flow: Flow) -> int | None:
        """From which byte of ``flow`` on its reader, which closed, read nothing; None if it did not close."""
        if flow.reverse not in self._closed:
            return None
        return max((recv.end for recv in self._recvs[flow][-1:]), default=0)

    def waits(self, call: Call) -> bool:
        """Whether ``call`` is of a function by which threads wait for work."""
        return call.code in self._waiting

    def given_by(self, call: Call) -> Sequence[HandOff]:
        """The work that ``call`` handed on, and somebody took."""
        return self._given.get((call.process, call.id), ())


def starts_thread(cause: Cause | None) -> bool:
    """Whether a turn with this cause is the first of its thread."""
    return isinstance(cause, HandOff) and cause.kind is HandOffKind.THREAD


def _take_on(cause: Cause, following: Cause) -> HandOff | None:
    """The first of two items, if both are taken out of queues before anything is done."""
    if not isinstance(cause, HandOff) or not isinstance(following, HandOff):
        return None
    return cause if cause.kind is following.kind is HandOffKind.QUEUE else None


def _overlapping(transfers: list[Transfer], start: int, end: int) -> list[Transfer]:
    """The transfers, sorted by offset, that share a byte with ``start`` to ``end``."""
    first = bisect_right(transfers, start, key=lambda transfer: transfer.end)
    last = bisect_left(transfers, end, key=lambda transfer: transfer.offset)
    return transfers[first:last]
