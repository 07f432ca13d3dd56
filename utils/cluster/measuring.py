"""Measures what a broadcast costs a cluster: ``python -m utils.cluster measure``.

The rule kept here: the servers are not traced and nothing is captured; what is
counted is CPU time, which a busy machine disturbs least; the clients are in
this process, and their cost is not the servers'.  A bid is over when everybody
in the room has heard of it; then comes the next.
"""

from __future__ import annotations

import json
import os
import platform
import selectors
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from wsproto.frame_protocol import FrameProtocol

from utils.capture.rights import Mode
from utils.cluster.cluster import Cluster, Plan
from utils.cluster.model import Measurements, Point
from utils.errors import ProcessError

#: (processes, clients, members) that the model is fitted to, and those that it is checked on.
FITTED = ((1, 8, 8), (1, 80, 80), (2, 40, 40), (2, 120, 120), (5, 10, 10), (5, 80, 80))
HELD_OUT = ((2, 80, 80), (3, 120, 60))

#: So many bids are counted; those before are not, they warm up.
BIDS, WARM_UP = 150, 10

#: How long an answer may take, in seconds.
_PATIENCE = 30.0

_NEWS = b'"bids placed"'

_UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Crowd:
    """Many clients that only count the news that they hear; the first also bids."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._tails: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._protocol = FrameProtocol(client=True, extensions=[])
        self._changed = threading.Condition()
        self._answers: list[bytes] = []
        self.heard = 0
        self._over = False
        self._thread = threading.Thread(target=self._listen, name="the crowd", daemon=True)

    def add(self, port: int, lot: int) -> None:
        """One more client, at that server and in that lot's room."""
        client = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(_UPGRADE.format(port=port).encode())
        self._until(client, b"\r\n\r\n")
        self._say(client, "40")
        self._until(client, b'40{"sid"')
        # With the number of a bid that it would know already, it is not sent the picture.
        self._say(client, f'421["join",{{"lot":{lot},"after":1}}]')
        self._until(client, b"431[")
        self._sockets.append(client)
        self._tails[client] = b""
        self._selector.register(client, selectors.EVENT_READ)

    def begin(self) -> None:
        """All are there: from now on news are counted."""
        self._thread.start()

    def bid(self, message: dict[str, Any], members: int) -> dict[str, Any]:
        """The first client bids; the answer, when ``members`` have heard.  Raises ProcessError if late."""
        with self._changed:
            wanted = self.heard + members
            self._say(self._sockets[0], f"427{json.dumps(['bid', message])}")
            if not self._changed.wait_for(lambda: self.heard >= wanted and self._answers, _PATIENCE):
                raise ProcessError(
                    "a bid was not told to everybody",
                    why=f"{wanted - self.heard} of {members} did not hear it",
                )
            answer: dict[str, Any] = json.loads(self._answers.pop()[3:])[0]
            return answer

    def close(self) -> None:
        """All leave."""
        self._over = True
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)
        self._selector.close()
        for client in self._sockets:
            client.close()

    def _say(self, client: socket.socket, text: str) -> None:
        client.sendall(self._protocol.send_data(text))

    def _until(self, client: socket.socket, what: bytes) -> None:
        found = b""
        while what not in found:
            more = client.recv(65536)
            if not more:
                raise ProcessError("a server ended a connection", why=repr(found[-100:]))
            found += more

    def _listen(self) -> None:
        while not self._over:
            for key, _ in self._selector.select(0.1):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                self._take(client, client.recv(1 << 16))

    def _take(self, client: socket.socket, data: bytes) -> None:
        if not data:
            self._selector.unregister(client)
            return
        known = self._tails[client] + data
        heard, at = known.count(_NEWS), known.find(b"437[")
        if b"\x81\x012" in data:
            self._say(client, "3")  # the server asks whether it is still there
        with self._changed:
            self.heard += heard
            end = known.find(b"}]", at)
            if 0 <= at < end:
                self._answers.append(known[at : end + 2])
                known = known[end + 2 :]
            if heard or at >= 0:
                self._changed.notify_all()
        # What stands at the end may be the beginning of more.
        rest = known[known.rfind(_NEWS) + len(_NEWS) :] if _NEWS in known else known
        self._tails[client] = rest[-4096:] if b"437[" in rest else rest[-len(_NEWS) + 1 :]


def measure_point(plan: Plan, clients: int, members: int, bids: int = BIDS) -> Point:
    """What broadcasts to ``members`` of ``clients`` cost such a cluster."""
    cluster = Cluster.start(plan, Mode("tap", "nothing is recorded"))
    crowd = Crowd()
    try:
        servers = [psutil.Process(int(one.child.info["pid"])) for one in cluster.servers if one.child]
        empty = sum(one.memory_info().rss for one in servers)
        ports = [one.port for one in cluster.servers]
        for number in range(clients):
            # Those who hear it come first, and are spread over all servers as the others are.
            crowd.add(ports[number % len(ports)], 1 if number < members else 2)
        crowd.begin()
        assert cluster.queue is not None
        queue = int(cluster.queue.child.info["pid"])
        idle = _share(servers)
        cents = 100_000
        began_ns = cpu_ns = queue_ns = 0
        for number in range(WARM_UP + bids):
            if number == WARM_UP:
                began_ns, cpu_ns, queue_ns = time.monotonic_ns(), _cpu_ns(servers), _exact_ns(queue)
            bidder = ("Ada", "Grace")[number % 2]
            message = {"id": str(uuid.uuid4()), "lot": 1, "bidder": bidder, "cents": cents}
            crowd.bid(message, members)
            cents += 10_000
        elapsed = time.monotonic_ns() - began_ns
        # What they would have done anyhow is not the bids' cost.
        spent = _cpu_ns(servers) - cpu_ns - round(idle * elapsed)
        memory = sum(one.memory_info().rss for one in servers)
        return Point(
            plan.servers, clients, members, bids, spent, _exact_ns(queue) - queue_ns, elapsed, memory, empty
        )
    finally:
        crowd.close()
        cluster.stop()


def measure(
    module: str,
    fitted: Iterable[tuple[int, int, int]] = FITTED,
    held_out: Iterable[tuple[int, int, int]] = HELD_OUT,
    say: Callable[[str], object] = print,
) -> Measurements:
    """All points, one cluster after the other."""

    def taken(wanted: Iterable[tuple[int, int, int]]) -> Iterable[Point]:
        for processes, clients, members in wanted:
            plan = Plan(module, ("--log-level", "warning"), processes, traced=False)
            point = measure_point(plan, clients, members)
            say(
                f"{processes} processes, {members} of {clients} clients: "
                f"{point.servers_us:,.0f} µs of CPU a broadcast, the queue {point.queue_us:,.0f} µs"
            )
            yield point

    conditions = {
        "application": module,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.system(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "mode": "threading, SQLite",
        **{name: version(name) for name in ("Flask-SocketIO", "python-socketio", "python-engineio", "redis")},
    }
    return Measurements(conditions, tuple(taken(fitted)), tuple(taken(held_out)))


def save(measured: Measurements, path: Path) -> None:
    """Write them into ``path``."""
    path.write_text(json.dumps(measured.as_json(), indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Measurements:
    """Read them from ``path``."""
    return Measurements.of_json(json.loads(path.read_text(encoding="utf-8")))


def _cpu_ns(processes: Iterable[psutil.Process]) -> int:
    """The CPU time of whole processes so far, ended threads included; in steps of 10 ms."""
    return sum(round((one.cpu_times().user + one.cpu_times().system) * 1e9) for one in processes)


def _exact_ns(pid: int) -> int:
    """The CPU time of a process's main thread so far: Redis does all its work in it."""
    path = Path(f"/proc/{pid}/schedstat")
    if path.exists():
        return int(path.read_text().split()[0])
    return _cpu_ns([psutil.Process(pid)])


def _share(processes: list[psutil.Process], seconds: float = 1.0) -> float:
    """How much of a core they use while nothing is asked of them."""
    before, begun = _cpu_ns(processes), time.monotonic_ns()
    time.sleep(seconds)
    return (_cpu_ns(processes) - before) / (time.monotonic_ns() - begun)
