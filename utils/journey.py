"""One message's journey: from the line that asked for it to the last that felt it.

The rule kept here: calls and packets are joined by stream offset and by the
object handed on, never by nearness in time.  Time is the check: a send starts
before its packet is seen, and the packet is seen before its recv returns
(:func:`check`).  A step states facts of the recording only.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from utils import libraries
from utils.errors import InputError
from utils.records import (
    Call,
    Code,
    Excerpt,
    Flow,
    HandOff,
    HandOffKind,
    Journey,
    Level,
    Library,
    Link,
    Message,
    Recording,
    Step,
    StepKind,
    Transfer,
    TransferKind,
)
from utils.turns import Turn, Turns, starts_thread

#: "Thread-7 (_read_loop_websocket)" → "_read_loop_websocket": numbers differ from run to run.
_NUMBERED_THREAD = re.compile(r"^Thread-\d+(?: \((?P<target>.+)\))?$")

#: The modules by which one thread hands work to another.
_HANDING = ("queue.py", "threading.py")

_HANDOFF_WORDS = {
    HandOffKind.QUEUE: ("put into a queue", "taken out of it"),
    HandOffKind.EVENT: ("an event set", "the wait for it over"),
    HandOffKind.THREAD: ("a thread started", "the thread runs"),
}


def journey(
    recording: Recording,
    messages: Sequence[Message],
    of: Message,
    *,
    name: str = "",
    clients: Mapping[int, str] | None = None,
) -> Journey:
    """The journey that ``of`` belongs to, from its first cause to its last effect.

    ``messages`` are all messages of the recording (see
    :func:`utils.reassembly.messages`); ``clients`` maps a client's port to the
    name that it goes by.  Raises InputError if no traced process sent ``of``.
    """
    turns = Turns(recording.traces)
    origin = _origin(turns, of)
    teller = _Teller(recording, turns, _by_flow(messages), clients or {})
    steps = tuple(teller.tell(origin))
    return Journey(
        name=name or of.unit.summary,
        start_ns=origin.begin_ns,
        steps=steps,
        mode=recording.meta.mode,
    )


# ── where it began ───────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a turn that belongs to the journey."""

    turn: Turn
    begin_ns: int
    end_ns: int


def _origin(turns: Turns, message: Message) -> _Part:
    """Climb from the bytes of ``message`` to the outermost call that led to them."""
    sends = turns.senders(message.flow, message.end - 1, message.end)
    if not sends:
        raise InputError(
            f"no traced process sent {message.unit.summary!r}",
            why="its bytes belong to no recorded send: that process was not traced, or not yet",
            next_step="choose a message that a traced process sent",
        )
    effect: Transfer | HandOff = sends[0]
    while True:
        process, thread = turns.thread_of(effect)
        at = effect.given_ns if isinstance(effect, HandOff) else effect.start_ns
        turn = turns.at(process, thread, at)
        root = _outermost(turns, turn, effect)
        # A call that nothing recorded encloses was asked for by the user's own
        # code: the journey begins with it, whatever woke the thread before.
        fresh = root is not None and root.parent is None and not starts_thread(turn.cause)
        if root is not None and (fresh or turn.cause is None):
            return _Part(turn, root.enter_ns, turn.end_ns if root.leave_ns is None else root.leave_ns + 1)
        if turn.cause is None:
            return _Part(turn, at, at + 1)
        if isinstance(turn.cause, HandOff):
            effect = turn.cause
            continue
        # Woken by bytes: climb on into the process that sent them, if traced.
        senders = turns.senders(turn.cause.flow, turn.cause.offset, turn.cause.end)
        if not senders:
            return _Part(turn, turn.begin_ns, turn.end_ns)
        effect = senders[0]


def _outermost(turns: Turns, turn: Turn, effect: Transfer | HandOff) -> Call | None:
    """The outermost call around ``effect`` that was entered within ``turn``."""
    number = effect.given if isinstance(effect, HandOff) else effect.call
    call = turns.call(effect.process, number)
    outermost = None
    while call is not None and call.enter_ns >= turn.begin_ns:
        outermost = call
        call = turns.call(call.process, call.parent)
    return outermost


# ── telling it ───────────────────────────────────────────────────────────────


class _Source(TypedDict):
    """The fields of a step that say where its code can be read."""

    library: Library | None
    excerpt: Excerpt | None
    link: Link | None


@dataclass
class _Teller:
    """Walks the turns in the order of cause and makes the steps."""

    recording: Recording
    turns: Turns
    messages: Mapping[Flow, list[Message]]
    clients: Mapping[int, str]
    told: set[int] = field(default_factory=set)  # ids of causes whose turn is told
    shown: set[tuple[Flow, int]] = field(default_factory=set)  # messages already shown
    count: int = 0

    def tell(self, origin: _Part) -> Iterator[Step]:
        self.start_ns = origin.begin_ns
        self.labels = {
            (trace.process, ident): self._thread_label(trace.process, ident, name)
            for trace in self.recording.traces
            for ident, name in trace.threads.items()
        }
        # Depth first, by a stack of our own: a long journey must not meet
        # Python's limit on recursion.
        stack: list[tuple[_Part, Message | None]] = [(origin, None)]
        while stack:
            part, incoming = stack.pop()
            self.count += 1
            yield from self._turn(part, incoming)
            children: list[tuple[_Part, Message | None]] = []
            for effect in self._effects(part):
                carried = self._completed(effect) if isinstance(effect, Transfer) else incoming
                for woken in self._woken(effect):
                    if id(woken.turn.cause) not in self.told:
                        self.told.add(id(woken.turn.cause))
                        children.append((woken, carried))
            stack.extend(reversed(children))

    def _woken(self, effect: Transfer | HandOff) -> Iterator[_Part]:
        """The turns that ``effect`` caused and in which the journey goes on.

        A thread that was woken only to return to the user's own code, which
        had waited for it, is the journey's end, not a part of it; whether it
        had to wait at all is chance.
        """
        for turn in self.turns.woken_by(effect):
            part = _Part(turn, turn.begin_ns, turn.end_ns)
            if isinstance(effect, Transfer) or self._calls(part):
                yield part

    def _belongs(self, part: _Part, call: Call) -> bool:
        """Whether ``call`` continues the journey, or was begun anew by the user's own code."""
        if part.begin_ns != part.turn.begin_ns or starts_thread(part.turn.cause):
            return True
        outermost = call
        for around in self.turns.ancestors(call):
            outermost = around
        return outermost.enter_ns < part.begin_ns

    def _calls(self, part: _Part) -> list[Call]:
        calls = self.turns.calls(part.turn, part.begin_ns, part.end_ns)
        return [call for call in calls if self._belongs(part, call)]

    def _effects(self, part: _Part) -> list[Transfer | HandOff]:
        found = []
        for effect in self.turns.effects(part.turn, part.begin_ns, part.end_ns):
            number = effect.given if isinstance(effect, HandOff) else effect.call
            call = self.turns.call(effect.process, number)
            if call is None or self._belongs(part, call):
                found.append(effect)
        return found

    def _turn(self, part: _Part, incoming: Message | None) -> Iterator[Step]:
        """The steps of one turn: what woke it, its calls and sends by time."""
        calls = self._calls(part)
        effects = self._effects(part)
        sends = [effect for effect in effects if isinstance(effect, Transfer)]
        cause = part.turn.cause if part.begin_ns == part.turn.begin_ns else None
        if isinstance(cause, Transfer):
            message = self._message(cause.flow, cause.end - 1)
            incoming = message or incoming
            yield self._transfer_step(part, cause, message)
        elif isinstance(cause, HandOff):
            yield self._handoff_step(part, cause, incoming)
        outgoing = self._completed(sends[-1]) if sends else None
        in_play = incoming or outgoing
        shown = {call.id for call in calls}
        children: dict[int, Call] = {}
        for call in calls:
            if call.parent in shown and call.parent is not None:
                children.setdefault(call.parent, call)
        base = min((call.depth for call in calls), default=0)
        entries: list[tuple[int, Call | Transfer]] = [(call.enter_ns, call) for call in calls]
        entries += [(send.start_ns, send) for send in sends]
        for _, entry in sorted(entries, key=lambda pair: pair[0]):
            if isinstance(entry, Call):
                yield self._call_step(part, entry, entry.depth - base, children.get(entry.id), in_play)
                continue
            message = self._message(entry.flow, entry.end - 1)
            in_play = message or in_play
            yield self._transfer_step(part, entry, message)
            yield from self._wire_steps(part, entry)

    # ── single steps ─────────────────────────────────────────────────────────

    def _call_step(
        self, part: _Part, call: Call, depth: int, child: Call | None, message: Message | None
    ) -> Step:
        library = self._library(call.code)
        site = child.site if child is not None else None
        # Where this function goes on: the line of the first call told below
        # it, or the line that it returned from.
        current = site.line if site is not None and site.code == call.code else call.left
        parent = self.turns.call(call.process, call.parent)
        crosses = parent is None or self._library(parent.code) != library
        level = self._level(part, call, crosses)
        note = ""
        if call.site is not None:
            note = f"called by {call.site.code.name}, line {call.site.line}"
        if call.exception:
            note = f"{note}; left by {call.exception}" if note else f"left by {call.exception}"
        return Step(
            kind=StepKind.CALL,
            level=level,
            process=call.process,
            thread=self.labels.get((call.process, call.thread), ""),
            title=call.code.name,
            since_ns=call.enter_ns - self.start_ns,
            depth=depth,
            duration_ns=None if call.leave_ns is None else call.leave_ns - call.enter_ns,
            **self._source(call.code, current),
            arguments=tuple((call.arguments or {}).items()),
            result=call.result,
            note=note,
            message=message,
            turn=self.count,
        )

    def _level(self, part: _Part, call: Call, crosses: bool) -> Level:
        """How deep one must look to see ``call``."""
        # The tracer takes snapshots of the functions that do the work.
        # Whether a thread came to wait once more before its next turn is chance.
        if call.arguments is None or self.turns.waits(call):
            return Level.ALL
        where = libraries.place(call.code.filename)
        if where is None or where.library != libraries.python_library():
            return Level.LIBRARY if crosses else Level.ESSENTIAL
        # Everybody calls Python's own library; it is told where it moves the work on.
        if where.path in _HANDING:
            leads_on = any(any(self._woken(given)) for given in self.turns.given_by(call))
            return Level.LIBRARY if leads_on else Level.ALL
        effects = self.turns.effects(part.turn, call.enter_ns, call.leave_ns)
        return Level.LIBRARY if crosses and effects else Level.ESSENTIAL

    def _transfer_step(self, part: _Part, transfer: Transfer, message: Message | None) -> Step:
        sending = transfer.kind is TransferKind.SEND
        accepting = transfer.kind is TransferKind.ACCEPT
        span = None
        if message is not None:
            start = max(transfer.offset, message.start) - message.start
            span = (start, min(transfer.end, message.end) - message.start)
        site = transfer.site
        if accepting:
            note = f"a connection is accepted: {transfer.flow}"
        else:
            way = "into" if sending else "out of"
            unit = "byte" if transfer.length == 1 else "bytes"
            note = (
                f"{transfer.length} {unit} {way} the socket, bytes {transfer.offset} to "
                f"{transfer.end} of {self._peers(transfer.flow)}"
            )
        return Step(
            kind=StepKind.SEND if sending else StepKind.RECV,
            level=Level.LIBRARY,
            process=transfer.process,
            thread=self.labels.get((transfer.process, transfer.thread), ""),
            title=f"socket.{transfer.kind.value}" + (f" in {site.code.name}" if site else ""),
            since_ns=(transfer.start_ns if sending else transfer.end_ns) - self.start_ns,
            depth=0,
            duration_ns=transfer.end_ns - transfer.start_ns if sending else None,
            **self._source(site.code if site else None, site.line if site else None),
            note=note,
            message=message,
            span=span,
            turn=self.count,
        )

    def _handoff_step(self, part: _Part, handoff: HandOff, message: Message | None) -> Step:
        taken = self.turns.call(handoff.process, handoff.taken)
        given = self.turns.call(handoff.process, handoff.given)
        site = taken.site if taken else None
        code = site.code if site else taken.code if taken else None
        line = site.line if site else taken.left if taken else None
        gave, took = _HANDOFF_WORDS[handoff.kind]
        giver = self.labels.get((given.process, given.thread), "") if given else ""
        return Step(
            kind=StepKind.HANDOFF,
            level=Level.LIBRARY,
            process=handoff.process,
            thread=self.labels.get((part.turn.process, part.turn.thread), ""),
            title=f"{given.code.name if given else '?'} → {taken.code.name if taken else '?'}",
            since_ns=handoff.given_ns - self.start_ns,
            depth=0,
            duration_ns=handoff.taken_ns - handoff.given_ns,
            **self._source(code, line),
            note=f"{gave} by {giver}; {took} here",
            message=message,
            turn=self.count,
        )

    def _wire_steps(self, part: _Part, send: Transfer) -> Iterator[Step]:
        """The messages whose last byte ``send`` wrote, as seen on the wire."""
        for message in self.messages.get(send.flow, ()):
            if not send.offset < message.end <= send.end or (send.flow, message.start) in self.shown:
                continue
            self.shown.add((send.flow, message.start))
            yield Step(
                kind=StepKind.WIRE,
                level=Level.LIBRARY,
                process="wire",
                thread=self._peers(send.flow),
                title=message.unit.summary,
                since_ns=message.last_ns - self.start_ns,
                depth=0,
                note=f"{len(message.unit.raw)} bytes on the wire, {self._peers(send.flow)}",
                message=message,
                span=(0, len(message.unit.raw)),
                turn=self.count,
            )

    # ── sources ──────────────────────────────────────────────────────────────

    def _library(self, code: Code) -> Library | None:
        """The library of ``code``, in the version that was recorded."""
        where = libraries.place(code.filename)
        if where is None:
            return None
        recorded = self.recording.meta.versions.get(where.library.name, where.library.version)
        return replace(where.library, version=recorded)

    def _source(self, code: Code | None, line: int | None) -> _Source:
        """Where ``code`` can be read.  An excerpt of another version would show other lines."""
        if code is None:
            return _Source(library=None, excerpt=None, link=None)
        library = self._library(code)
        where = libraries.place(code.filename)
        same = where is not None and library == where.library
        return _Source(
            library=library,
            excerpt=libraries.excerpt(code, line) if same else None,
            link=libraries.link(
                code.filename, line or code.first_line, version=library.version if library else None
            ),
        )

    # ── names and messages ───────────────────────────────────────────────────

    def _message(self, flow: Flow, offset: int) -> Message | None:
        """The message that the byte at ``offset`` of ``flow`` belongs to."""
        messages = self.messages.get(flow, [])
        index = bisect_right(messages, offset, key=lambda message: message.start) - 1
        if index >= 0 and offset < messages[index].end:
            return messages[index]
        return None

    def _completed(self, effect: Transfer) -> Message | None:
        return self._message(effect.flow, effect.end - 1)

    def _peers(self, flow: Flow) -> str:
        if flow.destination.port == self.recording.meta.port:
            return f"{self._client(flow.source.port)} → server"
        return f"server → {self._client(flow.destination.port)}"

    def _client(self, port: int) -> str:
        return self.clients.get(port, "client")

    def _thread_label(self, process: str, ident: int, name: str) -> str:
        """A thread's name without its number, and the client that it serves."""
        match = _NUMBERED_THREAD.match(name)
        label = (match["target"] or "thread") if match else name
        ports = {
            endpoint.port
            for trace in self.recording.traces
            if trace.process == process
            for transfer in trace.transfers
            if transfer.thread == ident
            for endpoint in transfer.flow
            if endpoint.port in self.clients
        }
        if len(ports) == 1:
            return f"{label} ({self.clients[ports.pop()]})"
        return label


def _by_flow(messages: Iterable[Message]) -> dict[Flow, list[Message]]:
    by_flow: dict[Flow, list[Message]] = defaultdict(list)
    for message in messages:
        by_flow[message.flow].append(message)
    for found in by_flow.values():
        found.sort(key=lambda message: message.start)
    return by_flow


# ── the check ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JoinReport:
    """How well calls and packets agree: counts of bytes and of messages."""

    data_bytes: int = 0  # seen on the wire
    sent_once: int = 0  # of them, bytes that belong to exactly one send
    received_once: int = 0  # of them, bytes that belong to exactly one recv
    messages: int = 0
    in_order: int = 0  # messages with send start ≤ packet ≤ recv return

    @property
    def whole(self) -> bool:
        """Every byte has its one send and one recv, and no time contradicts."""
        return (
            self.sent_once == self.data_bytes == self.received_once and self.in_order == self.messages
        )


def check(recording: Recording, messages: Iterable[Message]) -> JoinReport:
    """Hold the wire against the calls: every byte, then every time."""
    turns = Turns(recording.traces)
    report = JoinReport()
    for message in messages:
        sends = turns.senders(message.flow, message.start, message.end)
        recvs = turns.readers(message.flow, message.start, message.end)
        in_order = (
            bool(sends)
            and bool(recvs)
            and min(send.start_ns for send in sends) <= message.first_ns
            and message.last_ns <= max(recv.end_ns for recv in recvs)
        )
        report = replace(
            report,
            data_bytes=report.data_bytes + message.end - message.start,
            sent_once=report.sent_once + _covered_once(sends, message.start, message.end),
            received_once=report.received_once + _covered_once(recvs, message.start, message.end),
            messages=report.messages + 1,
            in_order=report.in_order + in_order,
        )
    return report


def _covered_once(transfers: Sequence[Transfer], start: int, end: int) -> int:
    """How many of the bytes ``start`` to ``end`` lie in exactly one transfer."""
    edges = sorted(
        edge
        for transfer in transfers
        for edge in ((max(start, transfer.offset), 1), (min(end, transfer.end), -1))
    )
    covered = depth = 0
    before = start
    for at, change in edges:
        if depth == 1:
            covered += at - before
        depth += change
        before = at
    return covered
