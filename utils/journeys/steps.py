"""Single steps of a journey, made from the facts of the recording.

The rule kept here: a step says what the recording says and adds nothing; its
texts are made from names and numbers that were recorded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypedDict

from utils import libraries
from utils.journeys.placement import Placement
from utils.journeys.turns import Turns
from utils.records import (
    Call,
    Code,
    Excerpt,
    Flow,
    HandOff,
    HandOffKind,
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

#: "Thread-7 (_read_loop_websocket)" → "_read_loop_websocket": numbers differ from run to run.
_NUMBERED_THREAD = re.compile(r"^Thread-\d+(?: \((?P<target>.+)\))?$")

_HANDOFF_WORDS = {
    HandOffKind.QUEUE: ("put into a queue", "taken out of it"),
    HandOffKind.EVENT: ("an event set", "the wait for it over"),
    HandOffKind.THREAD: ("a thread started", "the thread runs"),
}

#: How a step shows what a socket was asked to do; the rest open and close connections.
_KINDS = {TransferKind.SEND: StepKind.SEND, TransferKind.RECV: StepKind.RECV}

#: Of these, the end is what counts: then something has come.
_ARRIVING = (TransferKind.RECV, TransferKind.ACCEPT)


class _Source(TypedDict):
    """The fields of a step that say where its code can be read."""

    library: Library | None
    excerpt: Excerpt | None
    link: Link | None


class StepMaker:
    """Makes the steps of one recording, journey after journey.

    ``turn`` is the number of the turn that is being told.
    """

    def __init__(
        self,
        recording: Recording,
        turns: Turns,
        placement: Placement,
        clients: Mapping[int, str],
    ) -> None:
        self.begin(0)
        self._versions = recording.meta.versions
        self._sources = recording.sources
        self._listening = recording.meta.listening
        self._turns = turns
        self._placement = placement
        self._clients = clients
        self._threads = dict(self._thread_labels(recording))

    def begin(self, start_ns: int) -> None:
        """A journey begins: from now on times count from ``start_ns``."""
        self.turn = 0
        self._start_ns = start_ns
        self._shown: set[tuple[Flow, int]] = set()  # the messages that were shown on the wire

    # ── steps ────────────────────────────────────────────────────────────────

    def call(self, call: Call, level: Level, depth: int, child: Call | None, message: Message | None) -> Step:
        """``call`` is entered; ``child`` is the first call that is told below it."""
        site = child.site if child is not None else None
        # Where this function goes on: the line of the first call told below
        # it, or the line that it returned from.
        current = site.line if site is not None and site.code == call.code else call.left
        note = ""
        if call.site is not None:
            note = f"called by {call.site.code.name}, line {call.site.line}"
        if call.exception:
            note = f"{note}; left by {call.exception}" if note else f"left by {call.exception}"
        return Step(
            kind=StepKind.CALL,
            level=level,
            process=call.process,
            thread=self._label(call),
            title=call.code.name,
            since_ns=call.enter_ns - self._start_ns,
            depth=depth,
            duration_ns=None if call.leave_ns is None else call.leave_ns - call.enter_ns,
            **self._source(call.code, current),
            arguments=tuple((call.arguments or {}).items()),
            result=call.result,
            note=note,
            message=message,
            turn=self.turn,
            call=call.id,
        )

    def transfer(self, transfer: Transfer) -> Step:
        """Bytes go into a socket, or come out of one; or a connection begins or ends."""
        message = self.message(transfer)
        span = None
        if message is not None:
            start = max(transfer.offset, message.start) - message.start
            span = (start, min(transfer.end, message.end) - message.start)
        site = transfer.site
        arrives = transfer.kind in _ARRIVING
        return Step(
            kind=_KINDS.get(transfer.kind, StepKind.SOCKET),
            level=Level.LIBRARY,
            process=transfer.process,
            thread=self._label(transfer),
            title=f"socket.{transfer.kind.value}" + (f" in {site.code.name}" if site else ""),
            since_ns=(transfer.end_ns if arrives else transfer.start_ns) - self._start_ns,
            depth=0,
            duration_ns=None if arrives else transfer.end_ns - transfer.start_ns,
            **self._source(site.code if site else None, site.line if site else None),
            note=self._told(transfer),
            message=message,
            span=span,
            onward=not arrives,
            turn=self.turn,
            call=transfer.call,
        )

    def _told(self, transfer: Transfer) -> str:
        """What happened to the connection, in one sentence."""
        peers = self._peers(transfer.flow)
        match transfer.kind:
            case TransferKind.LISTEN:
                return f"connections are waited for at {transfer.flow.source}"
            case TransferKind.CONNECT:
                return f"a connection is opened: {transfer.flow}"
            case TransferKind.ACCEPT:
                return f"a connection is accepted: {transfer.flow}"
            case TransferKind.SHUTDOWN | TransferKind.CLOSE:
                return f"the stream {peers} ends after {transfer.offset} bytes"
            case TransferKind.RECV if not transfer.length:
                return f"nothing more comes after {transfer.offset} bytes of {peers}"
        way = "into" if transfer.kind is TransferKind.SEND else "out of"
        unit = "byte" if transfer.length == 1 else "bytes"
        return (
            f"{transfer.length} {unit} {way} the socket, bytes {transfer.offset} to {transfer.end} of {peers}"
        )

    def alarm(self, call: Call) -> Step:
        """``call`` slept, and the clock wakes its thread."""
        woken = call.leave_ns or call.enter_ns
        return Step(
            kind=StepKind.CLOCK,
            level=Level.LIBRARY,
            process=call.process,
            thread=self._label(call),
            title=call.code.name,
            since_ns=woken - self._start_ns,
            depth=0,
            **self._source(call.code, call.left),
            arguments=tuple((call.arguments or {}).items()),
            note=f"the clock wakes the thread, which slept for {(woken - call.enter_ns) / 1e9:.1f} s",
            turn=self.turn,
            call=call.id,
        )

    def handoff(self, handoff: HandOff, message: Message | None) -> Step:
        """Work passes from one thread to another; ``message`` is what it is about."""
        taken = self._turns.call(handoff.process, handoff.taken)
        given = self._turns.call(handoff.process, handoff.given)
        site = taken.site if taken else None
        code = site.code if site else taken.code if taken else None
        line = site.line if site else taken.left if taken else None
        gave, took = _HANDOFF_WORDS[handoff.kind]
        giver = self._label(given)
        return Step(
            kind=StepKind.HANDOFF,
            level=Level.LIBRARY,
            process=handoff.process,
            thread=self._label(taken),
            title=f"{given.code.name if given else '?'} → {taken.code.name if taken else '?'}",
            since_ns=handoff.given_ns - self._start_ns,
            depth=0,
            duration_ns=handoff.taken_ns - handoff.given_ns,
            **self._source(code, line),
            note=f"{gave} by {giver}; {took} here",
            message=message,
            turn=self.turn,
            call=handoff.given,
        )

    def wire(self, send: Transfer) -> Iterator[Step]:
        """The messages whose last byte ``send`` wrote, as seen on the wire."""
        return self._seen(self._placement.completed(send))

    def relayed(self, read: Transfer) -> Iterator[Step]:
        """What ``read`` brought from a message queue, which was not traced, as seen on the wire."""
        brought = self._placement.messages(read)
        return self._seen(one for one in brought if self._turns.relayed(one.flow, one.start, one.end))

    def _seen(self, messages: Iterable[Message]) -> Iterator[Step]:
        for message in messages:
            if (message.flow, message.start) in self._shown:
                continue
            self._shown.add((message.flow, message.start))
            yield Step(
                kind=StepKind.WIRE,
                level=Level.LIBRARY,
                process="wire",
                thread=self._peers(message.flow),
                title=message.unit.summary,
                since_ns=message.last_ns - self._start_ns,
                depth=0,
                note=f"{len(message.unit.raw)} bytes on the wire, {self._peers(message.flow)}",
                message=message,
                span=(0, len(message.unit.raw)),
                turn=self.turn,
            )

    # ── sources ──────────────────────────────────────────────────────────────

    def library(self, code: Code) -> Library | None:
        """The library of ``code``: as the recording keeps it, or else as it is known here."""
        where = libraries.place(code.filename)
        if where is None:
            return None
        kept = {} if self._sources is None else self._sources.libraries
        return kept.get(libraries.key(where.library, self._versions), where.library)

    def _source(self, code: Code | None, line: int | None) -> _Source:
        """Where ``code`` can be read.  An excerpt of another version would show other lines."""
        if code is None:
            return _Source(library=None, excerpt=None, link=None)
        where = libraries.place(code.filename)
        if self._sources is not None and where is not None:
            excerpt = self._sources.excerpt(where.portable(self._versions), code.name, line)
        else:
            excerpt = libraries.excerpt(code, line)
        link = libraries.link(code.filename, line or code.first_line)
        return _Source(library=self.library(code), excerpt=excerpt, link=link)

    # ── names and messages ───────────────────────────────────────────────────

    def message(self, transfer: Transfer | None) -> Message | None:
        """The message that the last byte of ``transfer`` belongs to."""
        return None if transfer is None else self._placement.message(transfer)

    def _peers(self, flow: Flow) -> str:
        return f"{self._end(flow.source.port)} → {self._end(flow.destination.port)}"

    def _end(self, port: int) -> str:
        """What is at ``port``: a server, or a client."""
        service = self._listening.get(port)
        return self._clients.get(port, "client") if service is None else service.name

    def _label(self, of: Call | Transfer | None) -> str:
        return "" if of is None else self._threads.get((of.process, of.thread), "")

    def _thread_labels(self, recording: Recording) -> Iterator[tuple[tuple[str, int], str]]:
        """Each thread's name without its number, and with the client that it serves."""
        between = {service.name for service in self._listening.values()}
        for trace in recording.traces:
            served: dict[int, set[str]] = defaultdict(set)
            for transfer in trace.transfers:
                if transfer.kind is TransferKind.ACCEPT:
                    continue  # whoever it is, another thread will serve them
                for endpoint in transfer.flow:
                    name = self._clients.get(endpoint.port)
                    if name is not None and name not in between:
                        served[transfer.thread].add(name)
            for ident, name in trace.threads.items():
                match = _NUMBERED_THREAD.match(name)
                label = (match["target"] or "thread") if match else name
                clients = served[ident]
                yield (trace.process, ident), f"{label} ({clients.pop()})" if len(clients) == 1 else label
