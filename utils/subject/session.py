"""One recorded run: clients that speak to the server, while all is watched.

The rule kept here: whatever happens in the scenario, the capture ends, the
tracers stop and the clients are closed, in that order of need; and nothing is
watched but the ports of what was started for it.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from utils import libraries, recording
from utils.capture import files, rights, tap
from utils.capture.live import Counts, LiveCapture
from utils.errors import InputError
from utils.records import Flow, Meta, Recording, Segment, Service, Trace, TransferKind
from utils.streams.overview import bytes_missing
from utils.streams.segments import Segments
from utils.subject import clients
from utils.subject.application import Application
from utils.subject.byhand import ByHand
from utils.subject.server import Server
from utils.tracing.collector import Collector

if TYPE_CHECKING:
    import requests
    import socketio

#: The name of the notebook's own process in every recording.
PROCESS = "client"

#: What goes out of the socket that did it.
_OUTWARD = (TransferKind.SEND, TransferKind.CONNECT, TransferKind.SHUTDOWN, TransferKind.CLOSE)

#: How long a client may take to connect, in seconds: a slow machine is no error.
PATIENCE = 30

#: How long the server may take to be done with connections that were closed, in seconds.
SETTLE = 5


class Subject(Protocol):
    """What is recorded: a server, or several that work together."""

    @property
    def application(self) -> Application: ...
    @property
    def mode(self) -> rights.Mode: ...
    @property
    def capture(self) -> LiveCapture | None: ...
    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def servers(self) -> Sequence[Server]:
        """The processes of the application, which are traced."""

    @property
    def services(self) -> Mapping[int, Service]:
        """What listens, by its port: these processes, and what they use."""

    def address(self, name: str | None = None) -> str:
        """The URL of what goes by ``name``; of what clients come to, without one."""


@dataclass
class Session:
    """What a scenario is handed: a server's address, and clients on demand."""

    server: Subject
    clients: dict[str, socketio.SimpleClient] = field(default_factory=dict)
    #: Who connected, and when it began and had ended.
    windows: list[tuple[str, int, int]] = field(default_factory=list)
    _https: list[requests.Session] = field(default_factory=list)
    _hands: list[ByHand] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)

    def connect(
        self,
        name: str,
        *,
        to: str | None = None,
        in_order: bool = False,
        websocket: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> socketio.SimpleClient:
        """A connected python-socketio client that the views will call ``name``.

        Of several servers it connects ``to`` the one that goes by that name.

        One that receives binary events had better be ``in_order``; how it asks
        for its WebSocket may be changed by ``websocket`` (for both, see
        :func:`utils.subject.clients.make`).  ``options`` go to ``SimpleClient.connect``;
        raises what that raises.
        """
        self._take(name)
        client = clients.make(self._http(), in_order=in_order, websocket=websocket)
        self.clients[name] = client
        with self.connecting(name):
            client.connect(self.server.address(to), wait_timeout=PATIENCE, **options)
        return client

    def by_hand(self, name: str) -> ByHand:
        """A WebSocket to the server whose frames the scenario writes itself.

        Raises what :class:`~utils.subject.byhand.ByHand` raises.
        """
        self._take(name)
        with self.connecting(name):
            hand = ByHand(self.server.url, PATIENCE)
        self._hands.append(hand)
        return hand

    def get(self, path: str, name: str = "visitor", **options: Any) -> requests.Response:
        """What the server answers to a plain ``GET path``, on a connection of its own.

        ``options`` go to :func:`requests.request`; raises what that raises.
        """
        return self.ask("GET", path, name, **options)

    def post(self, path: str, name: str = "visitor", **options: Any) -> requests.Response:
        """The same with ``POST path``."""
        return self.ask("POST", path, name, **options)

    def ask(
        self, method: str, path: str, name: str = "visitor", *, to: str | None = None, **options: Any
    ) -> requests.Response:
        """The same with any method; of several servers, ``to`` the one that goes by that name."""
        with self._http() as http, self.connecting(name):
            return http.request(method, self.server.address(to) + path, **{"timeout": PATIENCE, **options})

    def close(self) -> None:
        """Let every client leave, and close what they opened; a second time, nothing happens."""
        for client in self.clients.values():
            clients.leave(client, PATIENCE)
        while self._hands:
            self._hands.pop().close()
        while self._https:
            self._https.pop().close()

    def _take(self, name: str) -> None:
        if name in self._names:
            raise InputError(
                f"there is a client called {name!r} already", next_step="give each client its own name"
            )
        self._names.add(name)

    def _http(self) -> requests.Session:
        self._https.append(clients.http())
        return self._https[-1]

    @contextmanager
    def connecting(self, name: str) -> Iterator[None]:
        """Whatever is connected meanwhile goes by ``name``."""
        began = time.time_ns()
        try:
            yield
        finally:  # it may have been refused
            self.windows.append((name, began, time.time_ns()))


def record_live(
    scenario: Callable[[Session], object],
    server: Subject,
    name: str,
    *,
    finish: Callable[[Recording], Recording] | None = None,
) -> Recording:
    """Run ``scenario`` against ``server`` with packets captured and calls traced.

    A server that waits for it is let go, and one that ends meanwhile leaves
    what it can: its packets, and its trace if it ended in order.  Whatever the
    scenario raises comes through, after everything is in order.  ``finish``
    makes of what was recorded what may be kept, and answers for the secrets in
    it; without it, a recording with one of this machine's is refused.
    """
    watched = server.services.keys()
    tapping = server.mode.name == "tap"
    collector = Collector(PROCESS, tap=tapping)
    session = Session(server)
    counts = Counts(0, 0)
    with tempfile.TemporaryDirectory(prefix="socketio-lab-") as folder, ExitStack() as stack:
        if server.capture is not None:
            stack.callback(server.capture.stop)
            server.capture.start(*watched)
        for one in server.servers:
            stack.callback(one.trace_stop)
            one.trace_start()
        stack.enter_context(collector)
        stack.callback(session.close)
        for one in server.servers:
            libraries.know(one.installation)
            one.go()
        scenario(session)
        session.close()
        collector.stop()
        client = _at_ports(collector.take(), watched)
        closed = {one.flow.source.port for one in client.transfers if one.kind is TransferKind.CLOSE}
        clients.until(lambda: all(closed.isdisjoint(one.trace_peers()) for one in server.servers), SETTLE)
        for one in server.servers:
            one.trace_stop()
        # By name, as a folder lists them: a loaded recording equals the saved one.
        others = [port for one in server.servers for port in one.ports() if port not in watched]
        left = (one.trace() for one in server.servers)
        traces = (client, *(trace for trace in left if trace is not None))
        if server.capture is not None:
            path = Path(folder) / recording.PACKETS_FILE
            counts = server.capture.collect(path)
            segments: Sequence[Segment] = files.read(path).segments
        else:
            segments = tap.segments_from([_at_ports(trace, watched) for trace in traces])
            traces = tuple(map(_without_data, traces))
    if finish is None:
        rights.assert_clean(segments)
    meta = _meta(name, server, session, traces, segments, counts)
    if others:
        meta = replace(meta, extra={**meta.extra, "other ports": others})
    made = Recording(meta, segments, traces)
    return made if finish is None else finish(made)


def _at_ports(trace: Trace, ports: Collection[int]) -> Trace:
    """``trace`` without the sockets of anything but the servers at ``ports``."""
    ours = tuple(
        transfer
        for transfer in trace.transfers
        if transfer.flow.source.port in ports or transfer.flow.destination.port in ports
    )
    return replace(trace, transfers=ours)


def _without_data(trace: Trace) -> Trace:
    """``trace`` without the bytes that the tap kept: they stand in the packets now."""
    return replace(trace, transfers=tuple(replace(one, data=None) for one in trace.transfers))


def _meta(
    name: str,
    server: Subject,
    session: Session,
    traces: Iterable[Trace],
    segments: Iterable[Segment],
    counts: Counts,
) -> Meta:
    installed = server.servers[0].installation
    listening = {} if len(server.services) == 1 else dict(server.services)
    named = _client_ports(session, traces, listening, Segments.of(segments).flows)
    return Meta(
        name=name,
        mode=server.mode.name,
        why=server.mode.why,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        python=installed.python,
        platform=platform.system(),
        versions=dict(installed.versions()),
        port=server.port,
        bytes_lost=bytes_missing(segments),
        packets_dropped=counts.dropped,
        extra={
            "application": list(server.application.shown),
            "clients": {str(port): client for port, client in named},
        },
        services=listening,
    )


def _client_ports(
    session: Session, traces: Iterable[Trace], listening: Mapping[int, Service], flows: Iterable[Flow]
) -> Iterator[tuple[int, str]]:
    """Each client port with the name of what opened it."""
    opened: set[int] = set()
    for trace in traces:
        for transfer in trace.transfers:
            if trace.process == PROCESS:
                # By the connects seen: several clients are one process.
                for name, began, ended in session.windows:
                    if transfer.kind is TransferKind.CONNECT and began <= transfer.start_ns <= ended:
                        yield transfer.flow.source.port, name
                opened.add(transfer.flow.source.port)
                continue
            here, there = transfer.flow if transfer.kind in _OUTWARD else transfer.flow.reverse
            if there.port in listening and here.port not in listening and here.port not in opened:
                opened.add(here.port)
                yield here.port, trace.process  # a server is a client of what it uses
    # What no traced process opened comes from what stands before the servers; or to what they use,
    # from the server that did not live to tell.
    told = {trace.process for trace in traces}
    before = [one.name for one in listening.values() if one.protocol == "http" and not one.traced]
    silent = [one.name for one in listening.values() if one.traced and one.name not in told]
    for here, there in flows:
        service = listening.get(there.port)
        if service is None or here.port in opened:
            continue
        for name in (before if service.traced else silent)[:1]:
            opened.add(here.port)
            yield here.port, name
