"""Joining calls and packets: how long it takes, and that twice as much takes twice as long."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.wire_bytes import framed
from tests.worlds import Process, flow
from utils.journeys.join import check
from utils.journeys.journey import Journeys
from utils.records import (
    Flag,
    Flow,
    HandOffKind,
    Meta,
    Recording,
    Segment,
    TransferKind,
)
from utils.streams import dissection

pytestmark = pytest.mark.bench

#: Bids of one connection before the next client comes.
EACH = 100


class Traffic:
    """So many bids: each goes from a client's emit through two threads of the server, and back."""

    def __init__(self, bids: int) -> None:
        self.client, self.server = Process("client"), Process("server")
        self.segments: list[Segment] = []
        self.now = 1
        for number in range(bids):
            if number % EACH == 0:
                self._connect(number // EACH)
            self._bid(number)

    def recording(self) -> Recording:
        meta = Meta("made", "live", "", "2000-01-01T00:00:00Z", "3", "test", {}, 5000)
        return Recording(meta, tuple(self.segments), (self.client.trace, self.server.trace))

    def _tick(self) -> int:
        self.now += 10
        return self.now

    def _connect(self, number: int) -> None:
        self.way = flow(10_000 + number)
        self.sent = dict.fromkeys((self.way, self.way.reverse), 0)
        self.main, self.reader, self.worker, self.writer = (4 * number + thread for thread in range(1, 5))
        self._segment(self.way, b"", Flag.SYN, -1)
        self._segment(self.way.reverse, b"", Flag.SYN | Flag.ACK, -1)
        self.loops = {
            thread: self.server.call(thread, "loop", self._tick(), None)
            for thread in (self.reader, self.worker, self.writer)
        }
        self.read_loop = self.client.call(self.reader, "read_loop", self._tick(), None)

    def _segment(self, way: Flow, payload: bytes, flags: int = Flag.ACK, offset: int | None = None) -> None:
        at = self.sent[way] if offset is None else offset
        back = self.sent[way.reverse]
        self.segments.append(Segment(self._tick(), way, 1 + at, 1 + back, flags, payload))

    def _move(
        self, process: Process, kind: TransferKind, thread: int, way: Flow, size: int, call: int
    ) -> None:
        start = self._tick()
        offset = self.sent[way] - (size if kind is TransferKind.RECV else 0)
        process.moves(kind, thread, way, offset, size, start, self._tick(), call=call)

    def _message(self, way: Flow, data: bytes, sender: tuple, reader: tuple) -> None:
        """In three segments, each acknowledged, sent at once and read at once."""
        process, thread, call = sender
        start = self._tick()
        third = len(data) // 3
        for part in (data[:third], data[third : 2 * third], data[2 * third :]):
            self._segment(way, part)
            self.sent[way] += len(part)
            self._segment(way.reverse, b"")
        process.moves(
            TransferKind.SEND,
            thread,
            way,
            self.sent[way] - len(data),
            len(data),
            start,
            self._tick(),
            call=call,
        )
        process, thread, call = reader
        self._move(process, TransferKind.RECV, thread, way, len(data), call)

    def _calls(self, process: Process, thread: int, parent: int | None, *names: str) -> int:
        """Each in the one before it; the outermost's id."""
        outermost = parent
        for place, name in enumerate(names):
            number = process.call(thread, name, self._tick(), None, parent)
            outermost = number if place == 0 else outermost
            parent = number
        assert outermost is not None
        return outermost

    def _over(self, process: Process, first: int) -> None:
        """All calls from ``first`` on are over."""
        for number in range(first, len(process.calls)):
            if process.calls[number].leave_ns is None:
                process.calls[number] = replace(process.calls[number], leave_ns=self._tick())

    def _bid(self, number: int) -> None:
        client, server, way = self.client, self.server, self.way
        emit = self._calls(client, self.main, None, "emit", "encode", "send", "frame", "mask")
        read = self.loops[self.reader]
        bid = framed(f'42["bid",{{"lot":1,"number":{number}}}]', key=b"\1\2\3\4")
        self._message(way, bid, (client, self.main, emit), (server, self.reader, read))
        self._over(client, emit)
        work = self._calls(server, self.reader, read, "receive", "unmask", "decode", "set")
        given = len(server.calls) - 1
        at = self._tick()
        taken = server.call(self.worker, "wait", at - 5, self._tick(), self.loops[self.worker])
        server.hands(HandOffKind.EVENT, given, taken, at, server.calls[taken].leave_ns or 0)
        self._over(server, work)
        handled = self._calls(
            server, self.worker, self.loops[self.worker], "handle", "handler", "emit", "put"
        )
        given = len(server.calls) - 1
        at = self._tick()
        taken = server.call(self.writer, "get", at - 5, self._tick(), self.loops[self.writer])
        server.hands(HandOffKind.QUEUE, given, taken, at, server.calls[taken].leave_ns or 0)
        self._over(server, handled)
        write = self._calls(server, self.writer, self.loops[self.writer], "write", "encode", "frame")
        news = framed(f'42["bids placed",{number}]', client=False)
        self._message(way.reverse, news, (server, self.writer, write), (client, self.reader, self.read_loop))
        self._over(server, write)
        told = self._calls(client, self.reader, self.read_loop, "decode", "on_placed")
        self._over(client, told)


def join(recorded: Recording) -> int:
    """Messages from segments, turns from calls, every byte and time checked, one journey told."""
    messages = dissection.messages(recorded.segments, server_port=recorded.meta.port)
    journeys = Journeys(recorded, messages, {})
    assert check(journeys.turns, messages).whole
    return len(journeys.of(messages[len(messages) // 2]).steps)


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_joining_a_hundred_thousand_calls_with_fifty_thousand_segments():
    few, many = (Traffic(bids).recording() for bids in (1_000, 5_000))
    calls = sum(len(trace.calls) for trace in many.traces)
    assert calls >= 100_000 and len(many.segments) >= 50_000
    join(few)  # what is looked up once, about files and libraries
    whole = min(seconds(lambda: join(many)) for _ in range(3))
    gc.disable()  # its passes come in steps: two sizes would tell where they fall
    try:
        took = [min(seconds(lambda made=made: join(made)) for _ in range(3)) for made in (few, many)]
    finally:
        gc.enable()
    print(f"\n{calls:,} calls with {len(many.segments):,} segments: {whole:.2f} s;", end=" ")
    print(f"five times as much takes {took[1] / took[0]:.1f} times as long")
    assert whole < 5
    assert took[1] / took[0] < 5 * 1.25
