"""How fast a capture is understood, beside Wireshark and scapy's own session, on the same file."""

from __future__ import annotations

import gc
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Callable

import pytest
from scapy.layers.inet import TCP
from scapy.packet import bind_layers, split_layers
from scapy.sendrecv import sniff
from scapy.sessions import TCPSession

from tests.bench.traffic import PORT, write
from utils import reassembly
from utils.capture import files
from utils.scapy_layers import WebSocket

pytestmark = pytest.mark.bench

MESSAGES = 20_000


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def dissect(path) -> int:
    """To Socket.IO, with types, namespaces, ids and JSON; how many messages there were."""
    found = reassembly.messages(files.read(path).segments, server_port=PORT)
    return sum(packet.socketio is not None for message in found for packet in message.unit.packets)


def test_dissection_beside_wireshark_and_scapy(tmp_path):
    path = write(tmp_path / "all.pcapng", MESSAGES)
    few = MESSAGES // 100
    short = write(tmp_path / "few.pcapng", few)
    assert dissect(path) == MESSAGES + 1  # and the CONNECT in the poll's answer
    tshark = shutil.which("tshark")
    assert tshark, "tshark is not installed (Debian: apt install tshark)"
    fields = ["-e", "websocket.opcode", "-e", "websocket.payload.text"]
    command = [tshark, "-r", str(path), "-d", f"tcp.port=={PORT},http", "-Y", "websocket", "-T", "fields"]

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

    ours = sorted(seconds(lambda: dissect(path)) for _ in range(3))[1] / MESSAGES
    theirs = sorted(seconds(wireshark) for _ in range(3))[1] / MESSAGES
    layers = seconds(with_scapy) / few
    print(
        f"\n{1 / ours:,.0f} messages a second; tshark {1 / theirs:,.0f}; scapy's TCPSession {1 / layers:,.0f}"
    )
    print(f"{theirs / ours:.1f} times tshark, {layers / ours:.0f} times scapy's TCPSession")
    assert theirs / ours >= 8 and layers / ours >= 100


def test_the_cost_is_linear_and_the_memory_bounded(tmp_path):
    small, large = (write(tmp_path / f"{n}.pcapng", n) for n in (10_000, 100_000))
    each = [seconds(lambda path=path: dissect(path)) / n for path, n in ((small, 10_000), (large, 100_000))]
    tracemalloc.start()
    found = reassembly.messages(files.read(large).segments, server_port=PORT)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    ratio = kept / large.stat().st_size
    print(
        f"\na message takes {each[0] * 1e6:.1f} µs of 10,000 and {each[1] * 1e6:.1f} µs of 100,000;", end=" "
    )
    print(f"{len(found):,} messages take {ratio:.1f} times their file")
    assert each[1] / each[0] < 1.5
    assert ratio <= 3
