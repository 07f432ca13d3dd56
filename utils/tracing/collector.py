"""The recorder of one process: calls, transfers and hand-offs, on command.

The rule kept here: a collector has manners.  It starts and stops as often as
asked, in a process where threads already run; when it is stopped and removed,
nothing of it is left in the interpreter, even after an exception.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from utils.records import Trace
from utils.tracing.arrivals import Arrivals
from utils.tracing.buffer import Buffer, Kind
from utils.tracing.greenlets import Greenlets
from utils.tracing.hooks import Engine
from utils.tracing.overhearing import Heard, Overhearing
from utils.tracing.scope import Detail, Scope
from utils.tracing.sockets import SocketBoundary
from utils.tracing.transfers import Transfers

if sys.version_info >= (3, 12):
    from utils.tracing.monitoring import MonitoringEngine as _Engine
else:
    from utils.tracing.profiling import ProfilingEngine as _Engine


class Collector:
    """Records what the stack does in this process.

    ``process`` names the process in the trace; ``roots`` are the folders (or
    files) of the application's own code; ``tap`` keeps a copy of all bytes that
    pass a socket; ``detail`` says how much is recorded.  The latest ``capacity``
    facts are kept (a call makes two, a transfer one), in at most 128 bytes for
    each, snapshots and data included: 256 MB for the two millions that are the
    default.  How many older ones gave way, the trace says (``Trace.lost``).
    ``clock`` returns nanoseconds.
    """

    def __init__(
        self,
        process: str,
        *,
        roots: Sequence[Path] = (),
        tap: bool = False,
        capacity: int = 2_000_000,
        detail: Detail = Detail.FULL,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.process = process
        self._scope = Scope(roots, detail)
        self._buffer = Buffer(capacity, clock)
        self._greenlets = Greenlets(self._buffer)
        self._transfers = Transfers(self._buffer, tap=tap, worker=self._greenlets.worker)
        self._boundary = SocketBoundary(self._transfers)
        self._arrivals = Arrivals()
        self._engine: Engine = _Engine(self._buffer, self._scope)
        self._installed = False
        self.recording = False

    def install(self) -> None:
        """Stand by: count the bytes of every connection from now on, record nothing.

        Offsets are true only for connections that began after this.  A process
        whose recording is switched on and off installs first, before it opens
        a socket.
        """
        self._boundary.install()
        self._installed = True
        # An application that uses greenlets imports them later: then they are followed from their first on.
        self._arrivals.when("greenlet", self._greenlets.install)
        for name in ("gevent._socket3", "gevent.server"):
            self._arrivals.when(name, self._boundary.also)

    def remove(self) -> None:
        """Stop, and no longer stand by: leave nothing behind.  Idempotent."""
        self._installed = False
        self.stop()
        self._arrivals.forget()
        self._greenlets.remove()

    def start(self) -> None:
        """Record from now on; idempotent."""
        if self.recording:
            return
        self._boundary.install()
        try:
            self._buffer.note(Kind.SESSION)
            self._engine.start()
            self._greenlets.start()
            self._transfers.recording = True
            self.recording = True
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Record no longer; idempotent.  What was recorded is kept."""
        self.recording = False
        self._transfers.recording = False
        self._greenlets.recording = False
        self._engine.stop()
        if not self._installed:
            self._boundary.remove()

    def open_ports(self) -> list[int]:
        """The ports of the peers whose connections this process still serves."""
        return self._transfers.connections.open_ports()

    def listen(self) -> None:
        """Hear all bytes that pass this process's sockets from here on, whether it records or not."""
        self._transfers.listener = Overhearing()

    def heard(self) -> tuple[list[Heard], int]:
        """What passed since the last time, and how often there was no room for it."""
        listener = self._transfers.listener
        return ([], 0) if listener is None else listener.take()

    def hear_no_more(self) -> None:
        """End :meth:`listen`; idempotent."""
        self._transfers.listener = None

    @property
    def lost(self) -> int:
        """How many facts gave way to later ones at the bound."""
        return self._buffer.lost

    @property
    def kept_bytes(self) -> int:
        """How many bytes the packed facts take: at most 128 for each of the capacity."""
        return self._buffer.packed_bytes

    def take(self) -> Trace:
        """What was recorded so far; recording goes on if it is on."""
        # Loaded when it is needed: an application's start need not wait for it.
        from utils.tracing.assembly import assemble

        return assemble(self.process, self._buffer.copy(), self._scope, self._engine.refine)

    def clear(self) -> None:
        """Forget what was recorded; a call that is running now is kept as running."""
        was_recording = self.recording
        if was_recording:
            self._engine.stop()
        self._buffer.clear()
        if was_recording:
            self._buffer.note(Kind.SESSION)
            self._engine.start()
            self._greenlets.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()
