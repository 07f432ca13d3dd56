"""What is measured, how, and what came of it: frozen values that a file holds.

The rule kept here: a result knows its conditions.  All times are integers in
nanoseconds; a latency counts from the moment at which the request was *due*,
not from when the client came to send it (else a server that stalls would be
asked less while it stalls: "coordinated omission").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from utils.errors import InputError

#: The form of the file; another one is refused.
FORM = 1


@dataclass(frozen=True, slots=True)
class Subject:
    """A server: ``python -m module arguments``, run unchanged and untraced in a process of its own.

    ``environment`` are variables that it is started with; a value of "" stands
    for a fresh random one.  One that needs ``gevent`` runs in the environment
    that has it.
    """

    module: str
    arguments: tuple[str, ...] = ()
    gevent: bool = False
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """What the clients do.

    ``speaks`` is "websocket", "polling" (both Socket.IO), "frames" (a WebSocket
    without it), "tcp" (bytes), or "library" (python-socketio's client, one
    request at a time).  ``argument`` is the event's argument as JSON, in which
    ``<number>``, ``<cents>``, ``<uuid>``, ``<name>`` and ``<text>`` (of ``size``
    bytes) are filled in anew for each request.  ``greeting`` are events, with
    their arguments, that each client emits when it has connected.

    ``rate`` is in requests a second, at random moments (a Poisson process);
    None sends each when the one before has been answered, ``rest`` seconds after
    it.  With a ``mark`` a request is over when every client has heard the news that carries its
    number behind that text; without one, when it is acknowledged.
    """

    speaks: str = "websocket"
    event: str = "echo"
    argument: str = '"<text>"'
    size: int = 10
    clients: int = 1
    askers: int = 1
    rate: float | None = 100.0
    rest: float = 0.0
    count: int = 100
    greeting: tuple[tuple[str, str], ...] = ()
    mark: str = ""
    deflate: bool = False
    gzip: bool = True


@dataclass(frozen=True, slots=True)
class Variant:
    """One side of a comparison: what is done, to whom.  A ``floor`` is what no stack can be faster than."""

    name: str
    subject: Subject
    workload: Workload = Workload()
    floor: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """A question, and the variants that answer it; each has ``turns`` turns, in mixed order.

    The first turn of each warms up, and is not kept.
    """

    name: str
    question: str
    variants: tuple[Variant, ...]
    turns: int = 6


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of one variant gave.  Histograms are in HdrHistogram's own encoding, of nanoseconds.

    ``latency`` is from due to over (see :class:`Workload`), ``answer`` from due
    to acknowledged, ``late`` from due to sent: the client's own share.
    ``by_client`` is, for the first client to hear, the second and so on, the
    median time from due.  CPU times are those of the whole processes.
    """

    latency: str
    answer: str
    late: str
    count: int
    refused: int
    unanswered: int
    elapsed_ns: int
    client_cpu_ns: int
    server_cpu_ns: int = 0
    load: float = 0.0  # the machine's, over one minute, when it began
    by_client: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which circumstances something was measured."""

    created: str  # ISO 8601, UTC
    python: str
    platform: str
    cores: int
    versions: dict[str, str]
    apart: bool = False  # whether the clients had a core for themselves
    capture: str = "off"
    tracing: str = "off"


@dataclass(frozen=True, slots=True)
class Result:
    """One variant's turns, in the order in which they were taken."""

    variant: Variant
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """An experiment's results, by its variants; ``missing`` says what was not measured, and why."""

    experiment: Experiment
    results: tuple[Result, ...]
    conditions: Conditions
    missing: dict[str, str]

    def result(self, name: str) -> Result:
        """The result of the variant called ``name``.  Raises InputError if there is none."""
        for result in self.results:
            if result.variant.name == name:
                return result
        known = ", ".join(repr(each.variant.name) for each in self.results)
        raise InputError(
            f"{name!r} was not measured",
            why=self.missing.get(name, f"what was measured is {known}"),
            next_step="ask for one of those, or measure it",
        )


class _File(msgspec.Struct):
    form: int
    measured: list[Measured]


def save(measured: list[Measured], path: Path) -> Path:
    """Write results into a file."""
    text = msgspec.json.format(msgspec.json.encode(_File(FORM, measured)), indent=1)
    path.write_bytes(text + b"\n")
    return path


def load(path: Path) -> list[Measured]:
    """Results from their file.  Raises InputError if it holds none."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read", why=error.strerror or "", next_step="measure first"
        ) from error
    except msgspec.MsgspecError as error:
        raise InputError(
            f"{path.name} holds no results of the latency lab", why=str(error), next_step="measure anew"
        ) from error
    if found.form != FORM:
        raise InputError(
            f"{path.name} is of form {found.form}; this version reads form {FORM}", next_step="measure anew"
        )
    return found.measured
