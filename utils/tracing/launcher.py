"""Runs any Python application unchanged, traced, and answers to its parent.

    python utils/processes/boot.py utils.tracing.launcher [OPTIONS] -m MODULE [ARGUMENTS...]
    python utils/processes/boot.py utils.tracing.launcher [OPTIONS] SCRIPT [ARGUMENTS...]
    python utils/processes/boot.py utils.tracing.launcher [OPTIONS] --serve MODULE:OBJECT

The rule kept here: the application cannot tell the difference.  It runs in the
main thread, as ``python -m MODULE`` or ``python SCRIPT`` would run it; the
collector stands before the first of its imports.  One thing is other than it
would be: a reloader is switched off, because it would run the application in a
process of its own.  The parent is told as soon as the process listens on a TCP
port (or, with ``--hold``, just before), and may then ask for ``go``, ``ports``,
``trace_start``, ``trace_stop``, ``trace_clear``, ``trace_peers``, ``trace_save``
(with a ``path``), ``tap_listen``, ``tap_heard`` (with a ``path``), ``tap_end`` and
``stop`` (see :mod:`utils.processes`).
"""

from __future__ import annotations

import _thread
import argparse
import atexit
import os
import platform
import signal
import sys
import sysconfig
import threading
from _thread import start_new_thread
from collections.abc import Sequence
from pathlib import Path
from time import sleep  # and start_new_thread: as they are now, whatever the application puts in their place
from types import FrameType, ModuleType
from typing import Any

from utils.processes.control import Control
from utils.tracing import greenlets, program, serving
from utils.tracing.arrivals import Arrivals
from utils.tracing.collector import Collector
from utils.tracing.listening import Listening
from utils.tracing.overhearing import overheard
from utils.tracing.scope import Detail

#: Seconds that the application has to end by itself.
GRACE = 2.0

#: The status of a process that had to be ended by force.
_FORCED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the application that the command line names; see the module."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    control = Control.take_over(terminal=options.terminal)
    arrivals = Arrivals()
    listening = Listening(arrivals, hold=options.hold, port=options.port)
    arrivals.when("werkzeug._reloader", _without_reloader)
    collector = None
    if options.trace or options.start:
        collector = Collector(
            options.process,
            roots=options.root or _application_roots(options),
            tap=options.tap,
            capacity=options.capacity,
            detail=Detail(options.detail),
        )
        collector.install()
        # Where gevent runs its own Python sources, their calls can be seen.  For this process alone:
        if greenlets.VARIABLE not in os.environ:
            os.environ[greenlets.VARIABLE] = greenlets.TELLING
            arrivals.when("gevent.queue", _forget_the_variable)
        if hasattr(os, "register_at_fork"):
            # A forked child is not asked for its trace: it need not make one.
            os.register_at_fork(after_in_child=collector.remove)
    keeping = _Keeping(collector, options.trace_file)
    stopping = _Stopping(keeping)
    control.serve(_handlers(collector, stopping, listening), on_parent_gone=stopping.begin)
    announced = threading.Event()
    # No Thread object: it ends when gevent may have put itself in the place of threads.
    start_new_thread(_announce, (control, listening, announced))
    if options.start and collector is not None:
        collector.start()
    try:
        _run(options)
    except KeyboardInterrupt:
        if not stopping.begun:
            raise
    except SystemExit as error:
        _be_over()
        if not announced.is_set() and error.code not in (None, 0):
            control.failed(f"the application ended with status {error.code}")
        raise
    except program.NoProgramError as error:
        _be_over()
        control.failed(str(error))
        print(f"{sys.executable}: {error}", file=sys.stderr)
        sys.exit(error.status)
    except BaseException as error:
        _be_over()
        if not announced.is_set():
            control.failed(f"{type(error).__name__}: {error}")
        program.report(error)
        sys.exit(1)


def _forget_the_variable(module: ModuleType) -> None:
    """Processes that the application starts run gevent as it is."""
    os.environ.pop(greenlets.VARIABLE, None)


def _be_over() -> None:
    """There is nothing left to interrupt: whoever is asked to end ends already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _without_reloader(module: ModuleType) -> None:
    """Put in the place of Werkzeug's reloader a function that only serves."""

    def run_with_reloader(main_func: Any, *arguments: Any, **options: Any) -> None:
        print("socketio-lab: the reloader is off while this application is watched", file=sys.stderr)
        main_func()

    module.run_with_reloader = run_with_reloader  # type: ignore[attr-defined]


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
        help="a folder of the application's own code (default: where it and its neighbours stand)",
    )
    parser.add_argument("--trace-file", type=Path, help="where the trace goes at the application's own end")
    parser.add_argument("--hold", action="store_true", help="wait for the parent's go before listening")
    parser.add_argument("--port", type=int, help="be ready when this port listens (default: the first)")
    parser.add_argument("--terminal", action="store_true", help="give it a terminal for its standard input")
    parser.add_argument("--serve", help="serve a WSGI application: module:object, or module:factory(...)")
    parser.add_argument("--serve-port", type=int, default=0, help="the port that --serve uses (default: any)")
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module, as python -m does")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="run a script, as python does")
    options = parser.parse_args(arguments)
    if not options.module and not options.script and not options.serve:
        parser.error("name a module or a script to run")
    return options


def _application_roots(options: argparse.Namespace) -> list[Path]:
    """Where the application's own code stands: a script's folder; of a module, this one and its package's."""
    name = options.module[0] if options.module else (options.serve or "").partition(":")[0]
    if not name:
        script = Path(options.script[0]).resolve()
        return [script if script.is_dir() else script.parent]
    top = name.partition(".")[0]
    found = [Path.cwd()]
    for entry in sys.path:
        candidate = Path(entry or ".").resolve() / top
        if candidate.is_dir():
            return [*found, candidate]
        if candidate.with_suffix(".py").is_file():
            return [*found, candidate.with_suffix(".py")]
    return found


def _run(options: argparse.Namespace) -> None:
    """As ``python -m MODULE`` or ``python SCRIPT`` would; or as a server would."""
    if options.serve:
        program.run_function(lambda: serving.serve(options.serve, options.serve_port))
    elif options.module:
        program.run_module(options.module[0], options.module[1:])
    else:
        program.run_path(options.script[0], options.script[1:])


# ── ready, steady, stop ──────────────────────────────────────────────────────


def _announce(control: Control, listening: Listening, announced: threading.Event) -> None:
    """Tell the parent once this process listens, or is about to."""
    port = listening.wait()
    announced.set()
    control.ready(port=port, pid=os.getpid(), python=platform.python_version(), installation=_installation())


def _installation() -> dict[str, Any]:
    """Where this Python and its packages stand: its sources and their licences are read there."""
    packages = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    packages += [str(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    return {
        "python": platform.python_version(),
        "standard_library": sysconfig.get_path("stdlib"),
        "folders": packages,
        "path": [*map(str, sys.path)],
    }


class _Keeping:
    """Keeps the trace when the application ends, by itself or because it was told to."""

    def __init__(self, collector: Collector | None, path: Path | None) -> None:
        self._collector = collector
        self._path = path
        self._lock = _thread.allocate_lock()
        if path is None or collector is None:
            return
        # Registered first, it is called last: after the application's own handlers.
        atexit.register(self.keep)
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._terminated)

    def keep(self) -> None:
        """Write the trace, once; whoever comes later waits until it is there."""
        from utils.tracing import store

        if threading.current_thread() is threading.main_thread():
            _be_over()
        with self._lock:
            collector, self._collector = self._collector, None
            if collector is not None and self._path is not None:
                collector.remove()
                store.save(collector.take(), self._path)

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        """Keep it, and then end as one does who is told to."""
        self.keep()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


class _Stopping:
    """Ends the application: first as Ctrl-C would, then by force."""

    def __init__(self, keeping: _Keeping) -> None:
        self.begun = False
        self._keeping = keeping
        self._main = _thread.get_ident()

    def begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        start_new_thread(self._force, ())
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(self._main, signal.SIGINT)
        else:
            _thread.interrupt_main()

    def _force(self) -> None:
        sleep(GRACE)
        self._keeping.keep()
        os._exit(_FORCED)


# ── commands ─────────────────────────────────────────────────────────────────


class _NotTracedError(RuntimeError):
    """A trace was asked of a process that makes none."""


def _handlers(collector: Collector | None, stopping: _Stopping, listening: Listening) -> dict[str, Any]:
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
        start_new_thread(stop_soon, ())
        return {}

    def stop_soon() -> None:
        sleep(0.05)  # the answer goes out first
        stopping.begin()

    def go(words: dict[str, Any]) -> dict[str, Any]:
        listening.go()
        return {}

    def ports(words: dict[str, Any]) -> dict[str, Any]:
        return {"ports": listening.ports}

    return {
        "go": go,
        "ports": ports,
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
