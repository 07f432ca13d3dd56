"""One recorded run: clients that speak to the server, while all is watched.

The rule kept here: whatever happens in the scenario, the capture ends, the
tracers stop and the clients are closed, in that order of need; and nothing is
watched but the server's own port.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from utils import libraries, recording
from utils.capture import files, rights, tap
from utils.capture.live import Counts
from utils.errors import InputError
from utils.overview import bytes_missing
from utils.records import Meta, Recording, Segment, Trace, TransferKind
from utils.server import Server
from utils.tracing.collector import Collector

if TYPE_CHECKING:
    import socketio

#: The name of the notebook's own process in every recording.
PROCESS = "client"

#: How long a client may take to connect, in seconds: a slow machine is no error.
PATIENCE = 30


@dataclass
class Session:
    """What a scenario is handed: a server's address, and clients on demand."""

    server: Server
    clients: dict[str, socketio.SimpleClient] = field(default_factory=dict)
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)  # name → when it connected

    def connect(self, name: str, **options: Any) -> socketio.SimpleClient:
        """A connected python-socketio client that the views will call ``name``.

        ``options`` go to ``SimpleClient.connect``; raises what that raises.
        """
        import requests
        import socketio

        if name in self.clients:
            raise InputError(
                f"there is a client called {name!r} already", next_step="give each client its own name"
            )
        # A proxy set for the outside world must not stand between two local processes.
        direct = requests.Session()
        direct.trust_env = False
        client = socketio.SimpleClient(
            http_session=direct, websocket_extra_options={"http_no_proxy": ["127.0.0.1"]}
        )
        self.clients[name] = client
        began = time.time_ns()
        client.connect(self.server.url, wait_timeout=PATIENCE, **options)
        self.windows[name] = (began, time.time_ns())
        return client

    def close(self) -> None:
        """Disconnect every client; one that never connected has nothing to close."""
        for client in self.clients.values():
            if client.connected:
                client.disconnect()


def record_live(scenario: Callable[[Session], object], server: Server, name: str) -> Recording:
    """Run ``scenario`` against ``server`` with packets captured and calls traced.

    Whatever the scenario raises comes through, after everything is in order.
    """
    tapping = server.mode.name == "tap"
    collector = Collector(PROCESS, tap=tapping)
    session = Session(server)
    counts = Counts(0, 0)
    with tempfile.TemporaryDirectory(prefix="socketio-lab-") as folder, ExitStack() as stack:
        if server.capture is not None:
            stack.callback(server.capture.stop)
            server.capture.start(server.port)
        stack.callback(server.trace_stop)
        server.trace_start()
        stack.enter_context(collector)
        stack.callback(session.close)
        scenario(session)
        session.close()
        collector.stop()
        server.trace_stop()
        # By name, as a folder lists them: a loaded recording equals the saved one.
        traces: tuple[Trace, ...] = (_at_port(collector.take(), server.port), server.trace())
        if server.capture is not None:
            path = Path(folder) / recording.PACKETS_FILE
            counts = server.capture.collect(path)
            segments: Sequence[Segment] = files.read(path).segments
        else:
            segments = tap.segments_from(traces)
            traces = tuple(map(_without_data, traces))
    rights.assert_clean(segments)
    return Recording(_meta(name, server, session, traces, segments, counts), segments, traces)


def _at_port(trace: Trace, port: int) -> Trace:
    """``trace`` without the sockets of anything but the server at ``port``."""
    ours = tuple(
        transfer
        for transfer in trace.transfers
        if port in (transfer.flow.source.port, transfer.flow.destination.port)
    )
    return replace(trace, transfers=ours)


def _without_data(trace: Trace) -> Trace:
    """``trace`` without the bytes that the tap kept: they stand in the packets now."""
    return replace(trace, transfers=tuple(replace(one, data=None) for one in trace.transfers))


def _meta(
    name: str,
    server: Server,
    session: Session,
    traces: Iterable[Trace],
    segments: Iterable[Segment],
    counts: Counts,
) -> Meta:
    versions = {library: libraries.distribution(library).version for library in libraries.STACK}
    return Meta(
        name=name,
        mode=server.mode.name,
        why=server.mode.why,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        platform=platform.system(),
        versions=versions | {"CPython": platform.python_version()},
        port=server.port,
        bytes_lost=bytes_missing(segments),
        packets_dropped=counts.dropped,
        extra={
            "application": [server.module, *server.arguments],
            "clients": {str(port): client for port, client in _client_ports(session, traces)},
        },
    )


def _client_ports(session: Session, traces: Iterable[Trace]) -> Iterator[tuple[int, str]]:
    """Each client port with the name of the client that opened it, by the connects seen."""
    for trace in traces:
        if trace.process != PROCESS:
            continue
        for transfer in trace.transfers:
            for name, (began, ended) in session.windows.items():
                if transfer.kind is TransferKind.CONNECT and began <= transfer.start_ns <= ended:
                    yield transfer.flow.source.port, name
