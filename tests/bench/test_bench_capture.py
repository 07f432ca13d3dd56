"""What a capture on the loopback loses and costs, beside tcpdump and scapy, while the notebook is busy."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import socketio
from scapy.layers.inet import TCP
from scapy.sendrecv import AsyncSniffer

from tests.bench.flood import SIZE
from utils.capture import files
from utils.capture.live import LiveCapture
from utils.streams import reassembly

pytestmark = pytest.mark.bench

RATE = 50_000
SECONDS = 4.0


class Seen(NamedTuple):
    """What a sniffer got of a flood: data bytes, packets, and what it took of the processor.

    ``made_s`` is what it took afterwards to make a capture file of it, if it was not one yet.
    """

    data: int
    packets: int
    cpu_s: float
    made_s: float = 0.0


class Flood:
    """The process that floods a port of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> tuple[int, float]:
        """Bytes sent, and segments a second."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(RATE, SECONDS, file=self._process.stdin, flush=True)
        meanwhile()
        sent, rate = map(float, self._process.stdout.readline().split())
        return int(sent), rate


@pytest.fixture
def flood() -> Iterator[Flood]:
    command = [sys.executable, "-m", "tests.bench.flood"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Flood(process)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def busy() -> Iterator[None]:
    """This process, the notebook's, computes in another thread."""
    done = threading.Event()

    def spin() -> None:
        while not done.is_set():
            sum(range(1000))

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def data_bytes(path: Path) -> tuple[int, int]:
    """Data bytes, each counted once, and packets, of a capture file."""
    contents = files.read(path)
    streams = reassembly.Streams()
    got = sum(
        chunk.length for s in contents.segments for _, chunk in streams.add(s) if chunk.data is not None
    )
    return got, contents.packets


def ours(flood: Flood, path: Path, stall: float = 0.0) -> tuple[Seen, tuple[int, float], int]:
    def meanwhile() -> None:
        if stall:
            time.sleep(1.0)
            os.kill(capture.pid, signal.SIGSTOP)
            time.sleep(stall)
            os.kill(capture.pid, signal.SIGCONT)

    capture = LiveCapture()
    try:
        capture.start(flood.port)
        before = cpu(capture.pid)
        sent = flood.run(meanwhile)
        time.sleep(0.1)  # the last block's time-out
        spent = cpu(capture.pid) - before
        counts = capture.collect(path)
        made = cpu(capture.pid) - before - spent
    finally:
        capture.close()
    data, packets = data_bytes(path)
    assert packets == counts.packets
    return Seen(data, packets, spent, made), sent, counts.dropped


def by_tcpdump(flood: Flood, path: Path) -> tuple[Seen, tuple[int, float]]:
    program = shutil.which("tcpdump")
    assert program, "tcpdump is not installed (Debian: apt install tcpdump)"
    command = [program, "-i", "lo", "-Q", "in", "-B", "65536", "-s", "0", "-w", str(path), "-Z", "root"]
    with subprocess.Popen([*command, f"tcp port {flood.port}"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "listening on" not in process.stderr.readline():
            pass
        before = cpu(process.pid)
        sent = flood.run()
        time.sleep(0.5)
        spent = cpu(process.pid) - before
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    data, packets = data_bytes(path)
    return Seen(data, packets, spent), sent


def by_scapy(flood: Flood) -> tuple[Seen, tuple[int, float]]:
    """As it comes, in a thread of the notebook."""
    seen = [0, 0]

    def note(packet) -> None:
        seen[0] += len(packet[TCP].payload)
        seen[1] += 1

    ready = threading.Event()
    sniffer = AsyncSniffer(
        iface="lo",
        filter=f"tcp port {flood.port} and inbound",
        prn=note,
        store=False,
        started_callback=ready.set,
    )
    sniffer.start()
    assert ready.wait(10)

    def spent() -> float:
        threads = {thread.id: thread for thread in psutil.Process().threads()}
        mine = threads[sniffer.thread.native_id]
        return mine.user_time + mine.system_time

    before = spent()
    sent = flood.run()
    after = spent()
    got = Seen(seen[0], seen[1], after - before)
    sniffer.stop()
    return got, sent


def test_nothing_is_lost_at_50_000_a_second_while_the_notebook_is_busy(flood, tmp_path):
    with busy():
        steady, steady_sent, steady_dropped = ours(flood, tmp_path / "steady.pcapng")
        stalled, stalled_sent, stalled_dropped = ours(flood, tmp_path / "stalled.pcapng", stall=1.0)
        dumped, dumped_sent = by_tcpdump(flood, tmp_path / "tcpdump.pcap")
        scapys, scapys_sent = by_scapy(flood)
    print(f"\n{'':24} offered/s  captured    packets  µs of CPU a packet  and to make a file of it")
    for name, seen, (sent, rate) in (
        ("our sniffer", steady, steady_sent),
        ("the same, stalled 1 s", stalled, stalled_sent),
        ("tcpdump", dumped, dumped_sent),
        ("scapy's AsyncSniffer", scapys, scapys_sent),
    ):
        each, made = (spent / max(1, seen.packets) * 1e6 for spent in (seen.cpu_s, seen.made_s))
        numbers = f"{rate:9,.0f} {seen.data / sent:9.1%} {seen.packets:10,} {each:19.2f}"
        print(f"{name:24} {numbers}", f"{made:23.2f}" if made else "")
    assert steady_sent[1] >= 0.95 * RATE, "this machine is too busy to offer so much"
    assert (steady.data, steady_dropped) == (steady_sent[0], 0)
    assert (stalled.data, stalled_dropped) == (stalled_sent[0], 0)
    assert steady.packets >= steady_sent[0] / SIZE * 0.9, "the segments were not small"
    assert (steady.cpu_s + steady.made_s) / steady.packets <= 1e-6
    assert steady.cpu_s / steady.packets <= dumped.cpu_s / dumped.packets


@pytest.fixture
def url(tmp_path) -> Iterator[str]:
    """The auction, served as anybody would: not traced."""
    command = [
        sys.executable,
        "-m",
        "lab_server",
        "--lesson",
        "seed",
        "--lesson",
        "unguarded",
        "--stop-with-parent",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        for line in process.stdout:
            if " listens on " in line:
                yield line.split()[-1]
                break
        process.communicate(timeout=30)  # closes its input, which ends it


def test_a_round_trip_hardly_feels_the_capture(url, tmp_path):
    each, rounds = 100, 20
    times: dict[bool, list[int]] = {True: [], False: []}
    capture = LiveCapture()
    with socketio.SimpleClient() as client:
        client.connect(url, wait_timeout=30)
        try:
            for number in range(2 * rounds + 2):
                on = bool(number % 2)
                if on:
                    capture.start(int(url.rpartition(":")[2]))
                for _ in range(each):
                    began = time.perf_counter_ns()
                    client.emit("replace old value", {"lot": 1, "cents": 12500})
                    client.receive(timeout=30)
                    if number >= 2:  # the first ones warm up
                        times[on].append(time.perf_counter_ns() - began)
                if on:
                    assert capture.collect(tmp_path / "x.pcapng").packets >= 2 * each
                    capture.stop()
        finally:
            capture.close()
    with_it, without = (statistics.median(times[on]) for on in (True, False))
    ratio = with_it / without
    print(
        f"\np50 of a round trip: {with_it / 1000:.0f} µs with the capture, {without / 1000:.0f} without;",
        end=" ",
    )
    print(f"{ratio:.2f} times")
    assert ratio <= 1.1
