"""The collector in real programs: it sees everything in scope, and has manners."""

from __future__ import annotations

import contextlib
import gc
import logging
import random
import socket
import sys
import threading
import time
import weakref
from pathlib import Path

import engineio
import psutil
import pytest
import socketio

from tests.apps import echo_server, traced
from tests.waiting import eventually
from utils.records import HandOffKind, TransferKind
from utils.tracing.collector import Collector
from utils.tracing.scope import Detail

APPS = Path(echo_server.__file__).parent
METHODS = (
    "send",
    "sendall",
    "recv",
    "recv_into",
    "accept",
    "connect",
    "connect_ex",
    "listen",
    "shutdown",
    "close",
)
CLEAN = {name: socket.socket.__dict__.get(name) for name in METHODS}


def leftovers():
    """What a collector may have left in this interpreter."""
    found = []
    if {name: socket.socket.__dict__.get(name) for name in METHODS} != CLEAN:
        found.append("methods of sockets")
    if sys.version_info >= (3, 12):
        found += [f"tool {tool}" for tool in range(6) if sys.monitoring.get_tool(tool) == "socketio-lab"]
    if sys.getprofile() is not None or threading.getprofile() is not None:
        found.append("a profile function")
    return found


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    assert leftovers() == []
    yield
    assert leftovers() == []


@contextlib.contextmanager
def serving():
    """A running echo server's address."""
    server_side, server = echo_server.build()
    thread = threading.Thread(target=server.serve_forever, name="serve", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server_side.server.eio.shutdown()
        server.shutdown()
        thread.join(30)
        server.server_close()


@contextlib.contextmanager
def client(address, **options):
    """A connected client, and the bids that it heard."""
    heard = []
    one = socketio.Client(reconnection=False)
    one.on("bid", heard.append)
    one.connect(address, **options)
    try:
        yield one, heard
    finally:
        one.disconnect()


def bid(one, heard, amount):
    assert one.call("bid", amount, timeout=30) == "accepted"
    eventually(lambda: amount in heard)


def covered(transfers):
    """Each flow's bytes as the sends tell them, and as the recvs do."""
    streams: dict[object, dict[TransferKind, bytes]] = {}
    for moved in sorted(transfers, key=lambda moved: moved.offset):
        if moved.length:
            stream = streams.setdefault(moved.flow, {})
            assert moved.offset == len(stream.get(moved.kind, b"")), "a gap or an overlap"
            stream[moved.kind] = stream.get(moved.kind, b"") + moved.data
    return streams


# ── a bid, whole ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("transports", [["polling", "websocket"], ["websocket"], ["polling"]], ids="-".join)
def test_every_byte_has_one_send_and_one_recv_that_agree(transports):
    with Collector("test", tap=True) as collector:
        with serving() as address, client(address, transports=transports) as (one, heard):
            for amount in range(3):
                bid(one, heard, amount)
        trace = collector.take()
    assert (trace.faults, trace.lost) == (0, 0)
    streams = covered(trace.transfers)
    assert streams
    for flow, stream in streams.items():
        sent, received = stream[TransferKind.SEND], stream.get(TransferKind.RECV, b"")
        # What was sent last may not have been read any more.
        assert sent.startswith(received), flow
        assert len(received) > 100
    for moved in trace.transfers:
        assert moved.start_ns <= moved.end_ns


def test_a_bid_is_one_chain_across_threads_and_both_ends():
    with serving() as address, client(address) as (one, heard):
        bid(one, heard, 1)
        with Collector("test", roots=[APPS]) as collector:
            bid(one, heard, 2)
            trace = collector.take()
    calls, threads = trace.calls, trace.threads
    kinds = {handoff.kind for handoff in trace.handoffs}
    assert kinds == set(HandOffKind)

    def path(handoff):
        given, taken = calls[handoff.given], calls[handoff.taken]
        return given.code.name, taken.code.name

    assert {("Queue.put", "Queue.get"), ("Event.set", "Base.receive"), ("Thread.start", "Thread.run")} <= {
        path(handoff) for handoff in trace.handoffs
    }
    (handler,) = [call for call in calls if call.code.name == "build.<locals>.on_bid"]
    assert handler.arguments == {"amount": "2"}
    assert handler.result == "'accepted'"
    assert "_handle_event_internal" in threads[handler.thread]
    above = []
    call = handler
    while call.parent is not None:
        call = calls[call.parent]
        above.append(call.code.name)
    assert above[:3] == [
        "SocketIO._handle_event",
        "SocketIO.on.<locals>.decorator.<locals>._handler",
        "Server._trigger_event",
    ]
    assert above[-1] == "Thread.run"
    encoded = [call.result for call in calls if call.code.name == "Packet.encode"]
    assert "'42[\"bid\",2]'" in encoded


def test_the_chain_of_a_bid_is_the_same_each_time():
    def essential(trace):
        """Each thread's essential calls, by what the thread is for."""
        chains = {}
        for call in trace.calls:
            if call.arguments is not None and call.leave_ns is not None and call.site is not None:
                role = trace.threads[call.thread].partition("(")[2].rstrip(")")
                chains.setdefault(role, []).append(call.code.name)
        for waiting in ("_send_ping", "_service_task", ""):
            chains.pop(waiting, None)  # they wake by the clock
        return chains

    with serving() as address, client(address) as (one, heard):
        bid(one, heard, 0)
        chains = []
        for amount in range(1, 21):
            time.sleep(0.02)  # so that all threads wait again, as in the round before
            with Collector("test", roots=[APPS], detail=Detail.ESSENTIAL) as collector:
                bid(one, heard, amount)
                time.sleep(0.02)
                chains.append(essential(collector.take()))
    handler = [chain["_handle_event_internal"] for chain in chains]
    assert handler == handler[:1] * 20
    assert handler[0].count("build.<locals>.on_bid") == 1
    for role in ("writer", "_write_loop", "simple_websocket.Base._thread", "_handle_eio_message"):
        # How many packets a writer finds at a time is the scheduler's affair.
        assert [set(chain[role]) for chain in chains] == [set(chains[0][role])] * 20


# ── manners ──────────────────────────────────────────────────────────────────


def test_starting_and_stopping_is_idempotent():
    collector = Collector("test", roots=[APPS])
    for _ in range(3):
        collector.start()
        collector.start()
        traced.outer(1)
        collector.stop()
        collector.stop()
        traced.outer(2)
    outer = [call for call in collector.take().calls if call.code.name == "outer"]
    assert [call.arguments["value"] for call in outer] == ["1"] * 3


def test_nothing_is_left_behind_after_an_exception():
    collector = Collector("test", roots=[APPS])
    with pytest.raises(KeyError), collector:
        traced.fails()
    assert leftovers() == []
    assert [call.code.name for call in collector.take().calls][-1] == "fails"


def test_nothing_is_left_behind_if_the_start_fails(monkeypatch):
    collector = Collector("test")

    def fail():
        raise RuntimeError("no")

    monkeypatch.setattr(collector._engine, "start", fail)
    with pytest.raises(RuntimeError):
        collector.start()
    assert leftovers() == []
    assert not collector.recording


def test_clearing_forgets_what_is_past_and_keeps_what_is_running():
    worker = traced.Worker()
    worker.thread.start()
    with Collector("test", roots=[APPS]) as collector:
        worker.ask(1)
        collector.clear()
        worker.ask(2)
        trace = collector.take()
        worker.close()
    outer = [call for call in trace.calls if call.code.name == "outer"]
    assert [call.arguments["value"] for call in outer] == ["2"]
    (work,) = [call for call in trace.calls if call.code.name == "Worker.work"]
    assert work.leave_ns is None
    assert outer[0].parent == work.id
    assert sum(handoff.kind is HandOffKind.QUEUE for handoff in trace.handoffs) == 2


def test_taking_does_not_disturb_the_recording():
    with Collector("test", roots=[APPS]) as collector:
        traced.outer(1)
        first = collector.take()
        traced.outer(2)
        second = collector.take()
    assert second.calls[: len(first.calls) - 1] == first.calls[: len(first.calls) - 1]
    assert [c.arguments["value"] for c in second.calls if c.code.name == "outer"] == ["1", "2"]


def test_nothing_of_the_program_is_kept_alive():
    class Thing:
        pass

    collector = Collector("test", roots=[APPS])
    with collector:
        thing = Thing()
        traced.takes(thing)
        traced.takes([thing, {"key": thing}])
        reference = weakref.ref(thing)
        del thing
        gc.collect()
        assert reference() is None
        assert "<Thing>" in str([call.arguments for call in collector.take().calls])


def test_a_thread_that_begins_is_no_dummy_and_has_its_name():
    with Collector("test", roots=[APPS]) as collector:
        threads = [threading.Thread(target=traced.outer, args=(n,), name=f"worker {n}") for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        trace = collector.take()
    assert not [t for t in threading.enumerate() if isinstance(t, threading._DummyThread)]
    assert {f"worker {n}" for n in range(10)} <= set(trace.threads.values())


def test_memory_is_bounded_and_the_loss_is_reported():
    with Collector("test", roots=[APPS], capacity=1000) as collector:
        for number in range(20_000):
            traced.inner(number)
        trace = collector.take()
    assert trace.lost > 35_000
    inner = [call for call in trace.calls if call.code.name == "inner" and call.arguments]
    assert len(inner) >= 400
    # The latest are kept, without a gap.
    values = [int(call.arguments["value"]) for call in inner]
    assert values == list(range(values[0], 20_000))


def record_under_load(seconds, capacity):
    """Bids as fast as they go, recorded; the bytes kept, looked at all along, and the trace."""
    bound = capacity * 128
    kept = 0
    resident = psutil.Process().memory_info().rss
    with serving() as address, client(address) as (one, heard):
        with Collector("test", roots=[APPS], tap=True, capacity=capacity) as collector:
            until_ns = time.monotonic_ns() + int(seconds * 1e9)
            amount = 0
            while time.monotonic_ns() < until_ns or not collector.lost:
                bid(one, heard, amount)
                heard.clear()
                amount += 1
                kept = max(kept, collector.kept_bytes)
            trace = collector.take()
    grown = psutil.Process().memory_info().rss - resident
    print(
        f"{amount} bids in {seconds} s: {kept:,} bytes kept of {bound:,}, {trace.lost:,} facts lost, {grown:,} grown"
    )
    assert kept <= bound
    assert trace.faults == 0 and trace.lost > 0
    # The latest are there, to the last bid.
    handlers = [call for call in trace.calls if call.code.name == "build.<locals>.on_bid"]
    assert handlers[-1].arguments == {"amount": str(amount - 1)}
    return grown


def test_a_recording_under_load_stays_within_its_bound():
    record_under_load(0.5, capacity=10_000)


@pytest.mark.soak
def test_ten_minutes_under_load_stay_within_the_bound():
    grown = record_under_load(600, capacity=200_000)
    # Beside what is kept, a batch that is not packed yet, and the trace itself while it is made.
    assert grown < 400 << 20


@pytest.mark.parametrize("detail", Detail)
def test_the_detail_says_how_much_is_recorded(detail):
    collector = Collector("test", roots=[APPS], detail=detail)
    collector.install()
    with serving() as address, client(address) as (one, heard):
        bid(one, heard, 0)
        with collector:
            bid(one, heard, 1)
            trace = collector.take()
    names = {call.code.name: call.arguments for call in trace.calls if call.site is not None}
    assert "Packet.encode" in names
    assert ("Buffer.feed" in names) == (detail is not Detail.ESSENTIAL)
    assert any(names.values()) == (detail is not Detail.PLAIN)
    # Hand-offs and sockets are told whatever the detail.
    assert {handoff.kind for handoff in trace.handoffs} == set(HandOffKind)
    assert trace.transfers


# ── hostile programs ─────────────────────────────────────────────────────────


class Mine:
    """A value of the program that must not be touched by others."""

    touched: list[str] = []

    def _touch(self, *arguments):
        Mine.touched.append(type(self).__name__)
        self.harm()

    def harm(self):
        raise RuntimeError("hands off")

    __repr__ = __str__ = __eq__ = __bool__ = __len__ = __iter__ = __hash__ = __getattr__ = __format__ = _touch
    __reduce__ = __sizeof__ = __class_getitem__ = __instancecheck__ = _touch


class Leaves(Mine):
    def harm(self):
        raise SystemExit("a repr that ends the program")


class Blocks(Mine):
    def harm(self):
        threading.Event().wait()  # for ever


class Locks(Mine):
    """Takes a lock that the thread which looks may hold already."""

    lock = threading.Lock()

    def harm(self):
        with Locks.lock, logging._lock, threading._active_limbo_lock:
            Locks.lock.acquire()


class Recurses(Mine):
    def harm(self):
        repr(self)


class Vast(Mine):
    def harm(self):
        return "x" * (1 << 34)


class Odd(type):
    """A metaclass that must not be asked anything."""

    def _touch(cls, *arguments):
        Mine.touched.append("Odd")
        raise RuntimeError("hands off")

    __repr__ = __hash__ = __eq__ = __instancecheck__ = __subclasscheck__ = __bool__ = _touch
    __name__ = property(_touch)


def hostile_values():
    """Values at which a careless look raises, blocks, deadlocks, never ends, or takes all memory."""
    loop, knot = [], {}
    loop.append(loop)
    knot["self"] = knot
    deep = []
    for _ in range(100_000):
        deep = [deep]
    half_made = Mine.__new__(Mine)
    odd = Odd("X" * (1 << 20), (), {})
    single = [kind() for kind in (Mine, Leaves, Blocks, Locks, Recurses, Vast)]
    vast = ["x" * (1 << 22), b"x" * (1 << 22), bytearray(1 << 22), list(range(100_000)), 1 << 1_000_000]
    values = [*single, half_made, odd, object.__new__(odd), loop, knot, deep, *vast]
    return [*values, [Mine()], {"k": Mine()}, (Blocks(), {"k": [Locks()]}), dict.fromkeys(range(100_000))]


def hold_hostile_bids(bids):
    values = hostile_values()
    began = time.monotonic()
    with serving() as address, client(address) as (one, heard):
        with Collector("test", roots=[APPS], capacity=400_000) as collector:
            with Locks.lock:
                for amount in range(bids):
                    assert traced.takes(values[amount % len(values)]) is values[amount % len(values)]
                    bid(one, heard, amount)
            trace = collector.take()
    assert heard == list(range(bids))
    assert Mine.touched == []
    assert trace.faults == 0
    assert time.monotonic() - began < 10 + bids  # nothing blocked, nothing was looked through
    for call in trace.calls:
        if call.parent is not None and call.leave_ns is not None:
            parent = trace.calls[call.parent]
            assert parent.leave_ns is None or parent.leave_ns >= call.leave_ns
            assert parent.thread == call.thread
    handlers = [call for call in trace.calls if call.code.name == "build.<locals>.on_bid"]
    assert [call.result for call in handlers][-bids:] == ["'accepted'"] * len(handlers)
    taken = [call for call in trace.calls if call.code.name == "takes"]
    assert len(taken) == len(handlers) == bids or trace.lost
    assert all(call.leave_ns is not None for call in taken + handlers)
    assert max(len(text) for call in taken for text in call.arguments.values()) < 20_000


def test_traced_bids_with_hostile_values():
    """No exception reaches the program, no deadlock, all calls balanced."""
    hold_hostile_bids(50)


@pytest.mark.soak
def test_a_thousand_traced_bids_with_hostile_values():
    hold_hostile_bids(1000)


class InOrder(socketio.Client):
    """Handles its messages one after the other; the library's own client starts a thread for each."""

    class _EngineIO(engineio.Client):
        def _trigger_event(self, event, *arguments, run_async=False, **named):
            run_async = run_async and event != "message"
            return super()._trigger_event(event, *arguments, run_async=run_async, **named)

    def _engineio_client_class(self):
        return self._EngineIO


def hold_bursts(bursts):
    """Bursts of texts and blobs, with jitter: traced, they come in order and whole."""
    jitter = random.Random(8)
    with Collector("test", roots=[APPS], tap=True, capacity=200_000) as collector:
        with serving() as address:
            heard = []
            one = InOrder(reconnection=False)
            one.on("piece", lambda number, blob: heard.append((number, blob)))
            one.connect(address)
            try:
                for burst in range(bursts):
                    heard.clear()
                    one.emit("burst", [jitter.uniform(0, 0.002) for _ in range(10)])
                    eventually(lambda: len(heard) == 10)
                    assert heard == [(number, bytes([number]) * 3) for number in range(10)], burst
            finally:
                one.disconnect()
        trace = collector.take()
    assert trace.faults == 0


def test_jittered_bursts_keep_their_order():
    hold_bursts(20)


@pytest.mark.soak
def test_a_thousand_jittered_bursts_keep_their_order():
    hold_bursts(1000)


def test_switching_on_and_off_under_load():
    stop = threading.Event()
    failures = []

    def load():
        try:
            number = 0
            while not stop.is_set():
                assert traced.consumes(3) == 15
                assert traced.catches() == "caught"
                number += 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=load, name=f"load {n}") for n in range(2)]
    for thread in threads:
        thread.start()
    collector = Collector("test", roots=[APPS], capacity=2_000)
    try:
        for _ in range(5):
            collector.start()
            time.sleep(0.01)
            collector.take()
            collector.clear()
            collector.stop()
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        collector.remove()
    assert failures == []
    assert collector.take().faults == 0


def test_a_program_that_clears_its_own_locals_is_not_changed():
    """Looking at a frame's locals must not put old values back."""

    def program():
        values = []
        for number in range(100):
            total = traced.outer(number)
            del number
            values.append(total)
        return values

    expected = program()
    with Collector("test", roots=[APPS, Path(__file__)]):
        assert program() == expected
