"""How fast a capture is understood, beside Wireshark and scapy's own session, on the same file."""

from __future__ import annotations

import gc
import shutil
import statistics
import subprocess
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.layers.inet import TCP
from scapy.packet import bind_layers, split_layers
from scapy.sendrecv import sniff
from scapy.sessions import TCPSession

from tests.bench.captures import CLIENTS, PORT, write
from utils import lab
from utils.capture import files
from utils.scapy_layers import WebSocket
from utils.streams import dissection
from utils.wire.units import SocketType

pytestmark = pytest.mark.bench

MESSAGES = 200_000
TIMES = 5


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def dissect(path: Path) -> int:
    """From the file to Socket.IO, each packet with its type, namespace, id and JSON; how many there were."""
    messages = dissection.messages(files.read(path).segments, server_port=PORT)
    return sum(1 for place, packet in messages.socketio())


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("captures") / "all.pcapng", MESSAGES)


def test_everything_that_the_file_holds_is_found(capture):
    messages = dissection.messages(files.read(capture).segments, server_port=PORT)
    packets = [packet for _, packet in messages.socketio()]
    each = MESSAGES // CLIENTS
    assert Counter(packet.type for packet in packets) == {
        SocketType.EVENT: MESSAGES * 3 // 4,
        SocketType.ACK: MESSAGES // 4,
        SocketType.CONNECT: CLIENTS,
    }
    assert Counter(packet.namespace for packet in packets) == {"/lot": each, "/": MESSAGES - each + CLIENTS}
    bids = [packet for packet in packets if packet.event == "bid"]
    asked = sum(range(0, each, 2))
    assert sum(packet.id for packet in bids) == CLIENTS * asked
    assert sum(packet.data[1]["cents"] - 12_500 for packet in bids) == CLIENTS * asked
    told = [packet.data[0]["bid"] for packet in packets if packet.type is SocketType.ACK]
    assert sum(bid["number"] for bid in told) == CLIENTS * sum(range(1, each, 4))


def test_dissection_beside_wireshark_and_scapy(capture, tmp_path):
    few = MESSAGES // 200
    short = write(tmp_path / "few.pcapng", few)
    tshark = shutil.which("tshark")
    assert tshark, "tshark is not installed (Debian: apt install tshark)"
    fields = ["-e", "websocket.opcode", "-e", "websocket.payload.text"]
    command = [tshark, "-r", str(capture), "-d", f"tcp.port=={PORT},http", "-Y", "websocket", "-T", "fields"]

    def wireshark() -> None:
        subprocess.run([*command, *fields], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def with_scapy() -> None:
        for ends in ({"sport": PORT}, {"dport": PORT}):
            bind_layers(TCP, WebSocket, **ends)
        try:
            sniff(offline=str(short), session=TCPSession, store=False)
        finally:
            for ends in ({"sport": PORT}, {"dport": PORT}):
                split_layers(TCP, WebSocket, **ends)

    # Taken in turns: whatever else the machine does, it does to all of them.
    turns = [
        (
            seconds(lambda: dissect(capture)) / MESSAGES,
            seconds(wireshark) / MESSAGES,
            seconds(with_scapy) / few,
        )
        for _ in range(TIMES)
    ]
    ours, theirs, layers = (statistics.median(column) for column in zip(*turns, strict=True))
    print(
        f"\n{1 / ours:,.0f} messages a second; tshark {1 / theirs:,.0f}; scapy's TCPSession {1 / layers:,.0f}"
    )
    print(f"{theirs / ours:.1f} times tshark, {layers / ours:.0f} times scapy's TCPSession")
    assert theirs / ours >= 8 and layers / ours >= 100


def test_the_cost_is_linear_and_the_memory_bounded(tmp_path):
    small, large = (write(tmp_path / f"{n}.pcapng", n) for n in (10_000, 1_000_000))
    each = [
        statistics.median(seconds(lambda path=path: dissect(path)) for _ in range(3)) / n
        for path, n in ((small, 10_000), (large, 1_000_000))
    ]
    tracemalloc.start()
    run = lab.read(large)
    assert len(run.messages) >= 1_000_000
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = large.stat().st_size
    print(
        f"\na message takes {each[0] * 1e6:.2f} µs of 10,000 and {each[1] * 1e6:.2f} µs of 1,000,000;",
        end=" ",
    )
    print(f"they take {kept / size:.1f} times their file, and {peak / size:.1f} while they are told apart")
    assert each[1] / each[0] < 1.5
    assert peak / size <= 3


def test_the_first_of_a_million_messages_is_soon_on_the_screen(tmp_path):
    large = write(tmp_path / "large.pcapng", 1_000_000)
    took = seconds(lambda: print(lab.read(large).packets().text[:200]))
    print(f"\nthe first message is shown after {took:.2f} s")
    assert took < 2
