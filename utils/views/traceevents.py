"""A recording in the trace-event format, which Perfetto and chrome://tracing open.

The rule kept here: what the format asks for holds (slices of a track lie in
each other, each flow has both its ends in a slice, times of a track never go
back), and nothing is lost for it: where a slice had to be cut so as to nest, its
arguments say when the call really ended.  Times are microseconds from the
recording's first moment, exact to the nanosecond.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils import libraries
from utils.records import Call, Flow, HandOff, Message, Recording, Trace, Transfer, TransferKind
from utils.views import wording

#: The process under which the packets stand.
WIRE = "wire"

_MOVING = (TransferKind.SEND, TransferKind.RECV)

Event = dict[str, Any]
Track = tuple[int, int]  # pid and tid


def write(path: Path, recording: Recording, messages: Iterable[Message], clients: Mapping[int, str]) -> Path:
    """Write the recording to ``path``, packed if its name ends in .gz."""
    document = {
        "traceEvents": list(events(recording, messages, clients)),
        "displayTimeUnit": "ns",
        "otherData": {
            "recording": wording.visible(recording.meta.name),
            "mode": recording.meta.mode,
            "created": recording.meta.created,
            **{wording.visible(name): version for name, version in recording.meta.versions.items()},
        },
    }
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )
    path = Path(path)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def events(recording: Recording, messages: Iterable[Message], clients: Mapping[int, str]) -> Iterator[Event]:
    """The events: names of the tracks first, then all else by time."""
    messages = list(messages)
    moments = [message.first_ns for message in messages]
    moments += [call.enter_ns for trace in recording.traces for call in trace.calls[:1]]
    moments += [one.start_ns for trace in recording.traces for one in trace.transfers[:1]]
    base = min(moments, default=0)
    found: list[Event] = []
    for pid, trace in enumerate(recording.traces, 1):
        yield _named("process_name", pid, 0, wording.visible(trace.process))
        yield _named("process_sort_index", pid, 0, pid)
        for tid, name in trace.threads.items():
            yield _named("thread_name", pid, tid, wording.visible(name))
        found += _Process(pid, trace, base).events()
    wire = len(recording.traces) + 1
    lanes: dict[Flow, int] = {}
    who = wording.Clients(messages, clients)
    yield _named("process_name", wire, 0, WIRE)
    yield _named("process_sort_index", wire, 0, 0)
    for message in messages:
        if message.flow not in lanes:
            lanes[message.flow] = len(lanes) + 1
            ends = " → ".join(who.ends(message))
            yield _named("thread_name", wire, lanes[message.flow], ends)
        found.append(_packet(message, wire, lanes[message.flow], base))
    found += _over_the_wire(recording, base)
    # Of two that begin together, the longer one stands around the other.
    found.sort(key=lambda event: (event["ts"], -event.get("dur", 0)))
    yield from found


def _named(kind: str, pid: int, tid: int, name: str | int) -> Event:
    field = "sort_index" if kind.endswith("sort_index") else "name"
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "ts": 0, "args": {field: name}}


def _packet(message: Message, pid: int, tid: int, base: int) -> Event:
    unit = message.unit
    return {
        "ph": "i",
        "s": "t",
        "cat": "packet",
        "name": wording.visible(unit.summary),
        "pid": pid,
        "tid": tid,
        "ts": _micros(message.first_ns - base),
        "args": {"layer": unit.layer.value, "bytes": len(unit.raw), "offset": message.start},
    }


def _micros(nanoseconds: int) -> float:
    return nanoseconds / 1000


# ── slices ───────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Slice:
    """One call, or one step of a socket, in its thread."""

    tid: int
    start: int
    end: int | None
    event: Event
    shown_end: int = 0


class _Process:
    """The slices and hand-offs of one process."""

    def __init__(self, pid: int, trace: Trace, base: int) -> None:
        self._pid = pid
        self._trace = trace
        self._base = base
        self._calls: dict[int, _Slice] = {}

    def events(self) -> Iterator[Event]:
        slices = [self._call(call) for call in self._trace.calls]
        slices += [self._transfer(one) for one in self._trace.transfers]
        by_thread: dict[int, list[_Slice]] = defaultdict(list)
        for one in slices:
            by_thread[one.tid].append(one)
        for found in by_thread.values():
            _nest(found)
        for one in slices:
            one.event["ts"] = _micros(one.start - self._base)
            one.event["dur"] = _micros(one.shown_end - one.start)
            if one.end is None:
                one.event["args"]["ended"] = "not while it was recorded"
            elif one.end > one.shown_end:
                one.event["args"]["ended"] = f"{wording.duration(one.end - one.start)} after it began"
            yield one.event
        for number, handoff in enumerate(self._trace.handoffs):
            yield from self._handoff(number, handoff)

    def _event(self, name: str, category: str, tid: int, facts: Mapping[str, Any]) -> Event:
        return {
            "ph": "X",
            "name": wording.visible(name),
            "cat": wording.visible(category),
            "pid": self._pid,
            "tid": tid,
            "args": {key: value for key, value in facts.items() if value is not None},
        }

    def _call(self, call: Call) -> _Slice:
        place = libraries.place(call.code.filename)
        facts: dict[str, Any] = {
            "file": None if place is None else f"{wording.visible(place.path)}:{call.code.first_line}",
            "called by": None
            if call.site is None
            else f"{wording.visible(call.site.code.name)}:{call.site.line}",
            "result": None if call.result is None else wording.visible(call.result),
            "left by": call.exception,
        }
        for name, value in (call.arguments or {}).items():
            facts[f"argument {wording.visible(name)}"] = wording.visible(value)
        category = place.library.name if place is not None else "application"
        made = _Slice(
            call.thread,
            call.enter_ns,
            call.leave_ns,
            self._event(call.code.name, category, call.thread, facts),
        )
        self._calls[call.id] = made
        return made

    def _transfer(self, one: Transfer) -> _Slice:
        facts = {
            "bytes": one.length if one.kind in _MOVING else None,
            "offset": one.offset if one.kind in _MOVING else None,
            "connection": str(one.flow),
            "left by": one.exception,
        }
        event = self._event(f"socket.{one.kind.value}", "socket", one.thread, facts)
        return _Slice(one.thread, one.start_ns, one.end_ns, event)

    def _handoff(self, number: int, handoff: HandOff) -> Iterator[Event]:
        given, taken = self._calls[handoff.given], self._calls[handoff.taken]
        begin = _within(given, handoff.given_ns)
        yield from _flow(
            f"{self._trace.process} {number}",
            f"{handoff.kind.value} hand-off",
            ((self._pid, given.tid), begin),
            ((self._pid, taken.tid), max(begin, _within(taken, handoff.taken_ns))),
            self._base,
        )


def _nest(slices: list[_Slice]) -> None:
    """Cut slices where they would outlast the one in which they began."""
    last = max((one.end or one.start for one in slices), default=0)
    slices.sort(key=lambda one: (one.start, -(one.end or last)))
    around: list[_Slice] = []
    for one in slices:
        one.shown_end = last if one.end is None else one.end
        while around and around[-1].shown_end <= one.start:
            around.pop()
        if around:
            one.shown_end = min(one.shown_end, around[-1].shown_end)
        around.append(one)


def _within(one: _Slice, time_ns: int) -> int:
    """That time, or the nearest inside the slice: a flow's end belongs to the slice around it."""
    return max(one.start, min(time_ns, one.shown_end - 1))


# ── flows ────────────────────────────────────────────────────────────────────


def _flow(
    number: str, name: str, begin: tuple[Track, int], end: tuple[Track, int], base: int
) -> Iterator[Event]:
    (first, start), (second, finish) = begin, end
    common = {"cat": "flow", "name": name, "id": number}
    yield {**common, "ph": "s", "pid": first[0], "tid": first[1], "ts": _micros(start - base)}
    yield {**common, "ph": "f", "bp": "e", "pid": second[0], "tid": second[1], "ts": _micros(finish - base)}


def _over_the_wire(recording: Recording, base: int) -> Iterator[Event]:
    """From each send to the first receive that took bytes of it."""
    received: dict[Flow, list[tuple[Track, Transfer]]] = defaultdict(list)
    for pid, trace in enumerate(recording.traces, 1):
        for one in trace.transfers:
            if one.kind is TransferKind.RECV and one.length:
                received[one.flow].append(((pid, one.thread), one))
    for found in received.values():
        found.sort(key=lambda pair: pair[1].offset)
    for pid, trace in enumerate(recording.traces, 1):
        for number, sent in enumerate(trace.transfers):
            if sent.kind is not TransferKind.SEND or not sent.length:
                continue
            taker = next((pair for pair in received[sent.flow] if pair[1].end > sent.offset), None)
            if taker is None or taker[1].offset >= sent.end:
                continue
            track, taken = taker
            yield from _flow(
                f"wire {pid} {number}",
                "bytes",
                ((pid, sent.thread), sent.start_ns),
                (track, max(sent.start_ns, taken.start_ns, taken.end_ns - 1)),
                base,
            )
