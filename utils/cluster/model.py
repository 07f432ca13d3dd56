"""What a cluster can carry: a small model of its costs, fitted to measurements, and where it breaks.

The rule kept here: pure arithmetic, with its assumptions spelled out
(:data:`ASSUMPTIONS`).  A coefficient is a cost in CPU time that was measured;
what the model says beyond the measurements is a prediction, and is called one.

One broadcast costs the servers, in microseconds of CPU time in all,

    bid + process × processes + client × members

where ``members`` are the clients that hear it: it is judged and stored once,
every process hears of it from the queue whether it has a member or not, and
each member is written to.  The queue passes it to every process:

    publish + delivery × processes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

#: How much of one core a process may be busy: above it, waiting grows faster than load.
FULL = 0.7

ASSUMPTIONS = (
    "CPU time is what runs out: not the network, not the database; memory is told beside it.",
    "Clients and rooms are spread evenly over the processes, and each process has a core of its own.",
    "A process does one thing at a time (Python's global lock), and is full at 70 % of a core.",
    "There is one queue, which does one thing at a time, and is full at 70 % of a core, too.",
    "A broadcast costs under load what it costs alone.",
)


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured on one cluster: CPU times are of the whole processes, over all broadcasts."""

    processes: int
    clients: int  # connected
    members: int  # of them, those that hear a broadcast
    broadcasts: int
    servers_cpu_ns: int
    queue_cpu_ns: int
    elapsed_ns: int
    memory_bytes: int  # of all servers together, when all clients were there
    empty_bytes: int  # of all servers together, before the first client came

    @property
    def servers_us(self) -> float:
        """CPU time of all servers for one broadcast, in µs."""
        return self.servers_cpu_ns / self.broadcasts / 1000

    @property
    def queue_us(self) -> float:
        """CPU time of the queue for one broadcast, in µs."""
        return self.queue_cpu_ns / self.broadcasts / 1000


@dataclass(frozen=True, slots=True)
class Measurements:
    """Points, with the conditions under which they were taken; ``held_out`` are not fitted to."""

    conditions: Mapping[str, str]
    points: tuple[Point, ...]
    held_out: tuple[Point, ...]

    def as_json(self) -> dict[str, object]:
        """For a file."""
        return asdict(self)

    @classmethod
    def of_json(cls, facts: Mapping[str, Any]) -> Measurements:
        """From a file.  Raises TypeError or KeyError if it is of another form."""
        points, held_out = (tuple(Point(**one) for one in facts[name]) for name in ("points", "held_out"))
        return cls(dict(facts["conditions"]), points, held_out)


class Load(NamedTuple):
    """How busy things are, in cores: 1.0 is all of one."""

    server: float  # each process
    queue: float


class Need(NamedTuple):
    """What a number of clients needs; ``processes`` is None where no number of them is enough."""

    clients: int
    processes: int | None
    load: Load | None
    limit: str  # what is full first, or would be
    memory_bytes: float  # what the clients take, in all


@dataclass(frozen=True, slots=True)
class Model:
    """The costs, in µs of CPU time; ``client_bytes`` is the memory that a connected client takes."""

    bid: float
    process: float
    client: float
    publish: float
    delivery: float
    client_bytes: float

    def broadcast(self, processes: int, members: float) -> float:
        """CPU time of all servers for one broadcast, in µs."""
        return self.bid + self.process * processes + self.client * members

    def queue(self, processes: int) -> float:
        """CPU time of the queue for one broadcast, in µs."""
        return self.publish + self.delivery * processes

    def load(self, processes: int, clients: int, rooms: int, rate: float) -> Load:
        """How busy all is with ``rate`` broadcasts a second in each of ``rooms`` that share the clients."""
        total = rate * rooms
        server = total * self.broadcast(processes, clients / rooms) / processes
        return Load(server / 1e6, total * self.queue(processes) / 1e6)

    def need(self, clients: int, rooms: int, rate: float) -> Need:
        """The fewest processes that carry so many clients, and what is full first."""
        total, memory = rate * rooms, clients * self.client_bytes
        left = FULL * 1e6 - total * self.process
        if left <= 0:
            limit = "each process: it hears of every broadcast from the queue"
            return Need(clients, None, None, limit, memory)
        own = total * (self.bid + self.client * clients / rooms)
        processes = max(1, int(np.ceil(own / left)))
        load = self.load(processes, clients, rooms, rate)
        if load.queue > FULL:
            limit = "the queue: it hands every broadcast to every process"
            return Need(clients, None, load, limit, memory)
        return Need(clients, processes, load, "the servers: each client is written to", memory)

    @property
    def most_broadcasts(self) -> float:
        """So many broadcasts a second fill every process that only hears of them, however many there are."""
        return FULL * 1e6 / self.process if self.process > 0 else float("inf")

    def error(self, point: Point) -> float:
        """How far the prediction of the servers' cost is off, as a share of what was measured."""
        return self.broadcast(point.processes, point.members) / point.servers_us - 1


def fit(points: Sequence[Point]) -> Model:
    """The model that fits ``points`` best, by least squares of the relative error; no cost is below 0.

    Raises ValueError if they cannot tell the costs apart.
    """
    servers = np.array([(1, point.processes, point.members) for point in points], float)
    if len(points) < 3 or np.linalg.matrix_rank(servers) < 3:
        raise ValueError("measure at least three clusters that differ in processes and in members")
    bid, process, client = _solve(servers, [point.servers_us for point in points])
    publish, delivery = _solve(servers[:, :2], [point.queue_us for point in points])
    memory = [(point.memory_bytes - point.empty_bytes) / point.clients for point in points]
    return Model(bid, process, client, publish, delivery, float(np.median(memory)))


def _solve(rows: np.typing.NDArray[np.float64], costs: Iterable[float]) -> list[float]:
    """Coefficients that are not negative, by dropping those that would be, the most negative first."""
    measured = np.array(list(costs))
    weighted, kept = rows / measured[:, None], list(range(rows.shape[1]))
    while True:
        found, *_ = np.linalg.lstsq(weighted[:, kept], np.ones(len(measured)), rcond=None)
        if (found >= 0).all():
            break
        kept.pop(int(np.argmin(found)))
    solved = np.zeros(rows.shape[1])
    solved[kept] = found
    return [float(one) for one in solved]
