"""Runs any Python application unchanged, traced, and answers to its parent.

    python -m utils.tracing.launcher [OPTIONS] -m MODULE [ARGUMENTS...]
    python -m utils.tracing.launcher [OPTIONS] SCRIPT [ARGUMENTS...]

The rule kept here: the application cannot tell the difference.  It runs in the
main thread, as ``python -m MODULE`` or ``python SCRIPT`` would run it; the
collector stands before the first of its imports.  The parent is told as soon as
the process listens on a TCP port, and may then ask for ``trace_start``,
``trace_stop``, ``trace_clear``, ``trace_peers``, ``trace_save`` (with a ``path``),
``tap_listen``, ``tap_heard`` (with a ``path``), ``tap_end`` and ``stop`` (see
:mod:`utils.supervision`).
"""

from __future__ import annotations

import _thread
import argparse
import functools
import os
import platform
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from utils.supervision import Control
from utils.tracing import program
from utils.tracing.collector import Collector
from utils.tracing.overhearing import overheard
from utils.tracing.scope import Detail

#: Seconds that the application has to end by itself.
GRACE = 2.0

#: How often it is looked whether a socket listens that did not tell, in seconds.
_PORT_POLL = 0.5

#: The status of a process that had to be ended by force.
_FORCED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the application that the command line names; see the module."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    control = Control.take_over()
    listening = _Listening()
    collector = None
    if options.trace or options.start:
        collector = Collector(
            options.process,
            roots=options.root or [_application_root(options)],
            tap=options.tap,
            capacity=options.capacity,
            detail=Detail(options.detail),
        )
        collector.install()
        if hasattr(os, "register_at_fork"):
            # A forked child is not asked for its trace: it need not make one.
            os.register_at_fork(after_in_child=collector.remove)
    stopping = _Stopping()
    control.serve(_handlers(collector, stopping), on_parent_gone=stopping.begin)
    announced = threading.Event()
    threading.Thread(
        target=_announce, args=(control, listening, announced), name="readiness", daemon=True
    ).start()
    if options.start and collector is not None:
        collector.start()
    try:
        _run(options)
    except KeyboardInterrupt:
        if not stopping.begun:
            raise
    except SystemExit as error:
        if not announced.is_set() and error.code not in (None, 0):
            control.failed(f"the application ended with status {error.code}")
        raise
    except program.NoProgramError as error:
        control.failed(str(error))
        print(f"{sys.executable}: {error}", file=sys.stderr)
        sys.exit(error.status)
    except BaseException as error:
        if not announced.is_set():
            control.failed(f"{type(error).__name__}: {error}")
        program.report(error)
        sys.exit(1)


# ── the command line ─────────────────────────────────────────────────────────


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m utils.tracing.launcher",
        description="Run a Python application unchanged, and trace it on command.",
    )
    parser.add_argument("--process", default="server", help="the process's name in the trace")
    parser.add_argument("--trace", action="store_true", help="stand by to record")
    parser.add_argument("--start", action="store_true", help="record from the first line on")
    parser.add_argument("--tap", action="store_true", help="keep a copy of all bytes that pass a socket")
    parser.add_argument("--capacity", type=int, default=2_000_000, help="facts that are kept, the latest")
    parser.add_argument(
        "--detail",
        choices=[detail.value for detail in Detail],
        default=Detail.FULL.value,
        help="how much is recorded",
    )
    parser.add_argument(
        "--root",
        type=Path,
        action="append",
        help="a folder of the application's own code (default: where the application stands)",
    )
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module, as python -m does")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="run a script, as python does")
    options = parser.parse_args(arguments)
    if not options.module and not options.script:
        parser.error("name a module or a script to run")
    return options


def _application_root(options: argparse.Namespace) -> Path:
    """Where the application's own code stands: the script's or the package's folder."""
    if not options.module:
        return Path(options.script[0]).resolve().parent
    relative = Path(*options.module[0].split("."))
    for entry in sys.path:
        candidate = Path(entry or ".").resolve() / relative
        if candidate.is_dir():
            return candidate
        if candidate.with_suffix(".py").is_file():
            return candidate.with_suffix(".py")
    return Path.cwd() / relative


def _run(options: argparse.Namespace) -> None:
    """As ``python -m MODULE`` or ``python SCRIPT`` would."""
    if options.module:
        program.run_module(options.module[0], options.module[1:])
    else:
        program.run_path(options.script[0], options.script[1:])


# ── ready, steady, stop ──────────────────────────────────────────────────────


class _Listening:
    """Where this process listens, told by its sockets as soon as they do; the application need not help."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._ports: set[int] = set()
        original: Any = socket.socket.listen

        @functools.wraps(original, updated=())
        def listen(sock: socket.socket, *arguments: Any) -> None:
            original(sock, *arguments)
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                self._ports.add(sock.getsockname()[1])
                self._told.set()

        socket.socket.listen = listen  # type: ignore[method-assign,assignment]

    def ports(self, timeout: float) -> list[int]:
        """The TCP ports, as soon as there is one; none if there is none after ``timeout`` seconds."""
        if self._told.wait(timeout):
            return sorted(self._ports)
        # Not every socket is Python's own: gevent's, for one, do not tell.
        import psutil

        try:
            connections = psutil.Process().net_connections(kind="tcp")
        except psutil.Error:
            return []
        return sorted({found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN})


def _announce(control: Control, listening: _Listening, announced: threading.Event) -> None:
    """Tell the parent once this process listens."""
    while not (ports := listening.ports(_PORT_POLL)):
        pass
    announced.set()
    control.ready(port=ports[0], ports=ports, pid=os.getpid(), python=platform.python_version())


class _Stopping:
    """Ends the application: first as Ctrl-C would, then by force."""

    def __init__(self) -> None:
        self.begun = False

    def begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        threading.Thread(target=self._force, name="end by force", daemon=True).start()
        if hasattr(signal, "pthread_kill"):
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
        else:
            _thread.interrupt_main()

    def _force(self) -> None:
        time.sleep(GRACE)
        os._exit(_FORCED)


# ── commands ─────────────────────────────────────────────────────────────────


class _NotTracedError(RuntimeError):
    """A trace was asked of a process that makes none."""


def _handlers(collector: Collector | None, stopping: _Stopping) -> dict[str, Any]:
    def traced() -> Collector:
        if collector is None:
            raise _NotTracedError("this process was started without --trace")
        return collector

    def start(words: dict[str, Any]) -> dict[str, Any]:
        traced().start()
        return {}

    def stop_trace(words: dict[str, Any]) -> dict[str, Any]:
        traced().stop()
        return {}

    def clear(words: dict[str, Any]) -> dict[str, Any]:
        traced().clear()
        return {}

    def peers(words: dict[str, Any]) -> dict[str, Any]:
        return {"ports": traced().open_ports()}

    def save(words: dict[str, Any]) -> dict[str, Any]:
        # Loaded when it is needed: what it stands on takes time to import.
        from utils.tracing import store

        trace = traced().take()
        store.save(trace, Path(words["path"]))
        return {
            "calls": len(trace.calls),
            "transfers": len(trace.transfers),
            "handoffs": len(trace.handoffs),
            "lost": trace.lost,
            "faults": trace.faults,
        }

    def listen(words: dict[str, Any]) -> dict[str, Any]:
        traced().listen()
        return {}

    def heard(words: dict[str, Any]) -> dict[str, Any]:
        from utils.tracing import store

        found, dropped = traced().heard()
        store.save(overheard(traced().process, found), Path(words["path"]))
        return {"dropped": dropped}

    def hear_no_more(words: dict[str, Any]) -> dict[str, Any]:
        traced().hear_no_more()
        return {}

    def stop(words: dict[str, Any]) -> dict[str, Any]:
        # The answer goes out first.
        threading.Timer(0.05, stopping.begin).start()
        return {}

    return {
        "trace_start": start,
        "trace_stop": stop_trace,
        "trace_clear": clear,
        "trace_peers": peers,
        "trace_save": save,
        "tap_listen": listen,
        "tap_heard": heard,
        "tap_end": hear_no_more,
        "stop": stop,
    }


if __name__ == "__main__":
    main()
