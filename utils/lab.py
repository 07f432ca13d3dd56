"""What a notebook imports: start the application, record it, look at it.

The rule kept here: verbs for a cell, nothing else.  Each function is one line
in a notebook, may be run twice and in any order, and leaves nothing behind
when the kernel dies.  What is shown is made in :mod:`utils.views`; heavy parts
are imported when they are first asked for, so that the first packet is on the
screen soon after the kernel is up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from utils.capture import rights
from utils.errors import InputError
from utils.subject.server import Server
from utils.views.waiting import waiting

if TYPE_CHECKING:
    from utils.cluster.capacity import Capacity
    from utils.cluster.cluster import Cluster
    from utils.load.shown import Apart, Comparison
    from utils.records import Level
    from utils.run import Run
    from utils.subject.session import Session
    from utils.views.live import Live
    from utils.views.view import View

#: The one application that runs at a time, and the lock that keeps it one.
_running: list[Server | Cluster] = []
_starting = threading.Lock()

#: The live view that is being filled, and the server whose packets it shows.
_watching: list[tuple[Server, Live]] = []

#: What a recording and its first view stand on.
_NEEDED_LATER = (
    "requests",
    "socketio",
    "utils.subject.session",
    "utils.run",
    "utils.tracing.store",
    "utils.views.tables",
)


def self_check() -> View:
    """Whether this machine has what the walkthrough needs; a remedy where it does not."""
    from utils.selfcheck import check
    from utils.views import tables

    with waiting("this machine is looked at"):
        return tables.checks(check())


def start(module: str, *arguments: str, mode: str | None = None, from_start: bool = False) -> Server:
    """Start ``python -m module arguments`` in the background, traced, on a free port.

    The same call again gives the server that already runs; another call stops
    it first.  ``mode`` chooses how packets are captured; left out, the best
    that this machine allows (see :func:`utils.capture.rights.choose_mode`).

    Raises ProcessError if it does not come up, with the end of its log.
    """
    threading.Thread(target=_import_the_rest, name="imports", daemon=True).start()
    with _starting:
        chosen = rights.choose_mode(mode)
        for running in list(_running):
            if isinstance(running, Server) and running.serves(
                module, arguments, chosen, from_start=from_start
            ):
                return running
            _end(running)
        with waiting(f"{module} is starting"):
            server = Server.start(module, arguments, chosen, from_start=from_start)
        _running.append(server)
        return server


def start_cluster(
    module: str,
    *arguments: str,
    servers: int = 2,
    sticky: str = "cookie",
    database: str = "sqlite",
    open_queue: bool = False,
    mode: str | None = None,
) -> Cluster:
    """Start so many processes of ``python -m module``, traced, on one Redis and one database, behind nginx.

    As with :func:`start`, the same call again gives what runs already, and
    another call stops it first.  ``sticky`` says what leads a client to the
    same server again: a "cookie", its "address", or "none"; ``database`` is
    "sqlite" or "postgresql"; ``open_queue`` leaves the password off, to see
    what that means.

    Raises EnvironmentLack if a program is missing, ProcessError if one does not come up.
    """
    from utils.cluster.cluster import Cluster, Plan

    threading.Thread(target=_import_the_rest, name="imports", daemon=True).start()
    plan = Plan(module, arguments, servers, sticky, database, open_queue=open_queue)
    with _starting:
        chosen = rights.choose_mode(mode)
        for running in list(_running):
            if isinstance(running, Cluster) and running.serves(plan, chosen):
                return running
            _end(running)
        cluster = Cluster.start(plan, chosen)
        _running.append(cluster)
        return cluster


def stop() -> None:
    """Stop what :func:`start` started; nothing happens if nothing runs."""
    _watch_no_longer()
    with _starting:
        while _running:
            _running.pop().stop()


def record(scenario: Callable[[Session], object], *, name: str | None = None) -> Run:
    """Run ``scenario`` against the started server, and record packets and calls.

    The scenario is handed a :class:`~utils.subject.session.Session`, whose
    ``connect(name)`` gives a connected python-socketio client.  In replay mode
    nothing runs: the recording called ``name`` (the scenario's own name, if
    left out) is loaded from captures/.

    In the run every packet is as it was on the wire, secrets and all: it lives
    in the process that played it, and a byte is proved by comparing it.  No
    view shows a secret, and what is written down (:meth:`utils.run.Run.save`)
    is without them.

    Raises InputError if no server runs; whatever the scenario raises comes
    through, after everything is put in order.
    """
    from utils.run import Run
    from utils.subject.session import record_live

    name = name or scenario.__name__
    if not _running or not _running[-1].alive:
        if rights.choose_mode().name == "replay":
            return replay(name)
        raise InputError(
            "there is no server to record",
            why="none was started, or it has ended" + _log_hint(),
            next_step="run the cell that calls lab.start(...), then this one again",
        )
    server = _running[-1]
    if server.mode.name == "replay":
        return replay(name)
    with waiting(f"{name} is played and recorded"):
        return Run(record_live(scenario, server, name))


def watch() -> Live:
    """The started server's packets as they come, decoded: for the projector, while somebody bids in the page.

    The same call again shows the same view; its ``stop()`` ends it, and so does
    :func:`stop`.  In replay mode, where no server runs, it stays empty and says so.
    Raises InputError if no server runs.
    """
    from utils.subject.watching import Watch
    from utils.views.live import live

    if not _running or not _running[-1].alive:
        raise InputError(
            "there is no server to watch",
            why="none was started, or it has ended" + _log_hint(),
            next_step="run the cell that calls lab.start(...), then this one again",
        )
    server = _running[-1]
    if not isinstance(server, Server):
        raise InputError(
            "the live view shows one server, not a cluster",
            next_step="record the cluster (lab.record), or start one server (lab.start)",
        )
    for watched, view in _watching:
        if watched is server and view.state == "live":
            return view
    _watch_no_longer()
    view = live(f"Live packets of {server.application.name}")
    if server.mode.name == "replay":
        view.end(f"nothing comes in mode replay: {server.mode.why}")
        return view
    watching = Watch(server, view)
    view.stop_by(watching.stop)
    watching.start()
    _watching.append((server, view))
    return view


def replay(name: str) -> Run:
    """The recording called ``name`` in captures/.  Raises CaptureFileError if there is none."""
    return load(captures() / name)


def load(folder: str | Path) -> Run:
    """A recording from its folder.  Raises CaptureFileError if it is none."""
    from utils import recording
    from utils.run import Run

    return Run(recording.load(Path(folder)), Path(folder))


def diff(
    left: str | Run,
    right: str | Run,
    event: str | None = None,
    *,
    level: Level | None = None,
    folded: bool = False,
) -> View:
    """The journey of ``event`` in two runs, on two sets of versions for instance, step beside step.

    ``left`` and ``right`` are runs, or names of recordings in captures/; left
    out, the event is the first one of ``left``, and the steps are those that do
    the work.  ``folded``: steps that are the same are only counted.  Raises
    InputError if one of the two holds no such event.
    """
    from utils.journeys import levels
    from utils.records import Level
    from utils.versions.stackdiff import compare
    from utils.views import sidebyside

    one, other = (replay(run) if isinstance(run, str) else run for run in (left, right))
    event = event or one.first_event()
    sources = one.recording.sources, other.recording.sources
    depth = levels.level(Level.ESSENTIAL if level is None else level)
    rows = compare(one.journey(event), other.journey(event), depth, sources)
    return sidebyside.diff(
        rows, event, (one.recording.meta.versions, other.recording.meta.versions), folded=folded
    )


def fanout(few: str | Run, many: str | Run, event: str = "broadcast out") -> View:
    """What a server does once for ``event``, and what once for each client that is told.

    ``few`` and ``many`` are runs with different numbers of clients, or names of
    recordings.  Raises InputError if one of the two holds no such event.
    """
    from utils.views import fanout

    return fanout.fanout(
        *((replay(run) if isinstance(run, str) else run).journey(event) for run in (few, many))
    )


def claims(*names: str, about: str | None = None) -> View:
    """What the report says, held against recordings of its own application; see stacks/report.txt.

    ``about`` chooses one of its sections: "licence", "SocketIO", "route", "on"
    or "emit"; left out, all of them.  Raises InputError if there is none of that name.
    """
    from utils.versions.claims import ABOUT, CLAIMS, EVENT, Evidence
    from utils.views import sidebyside

    if about is not None and about not in ABOUT:
        raise InputError(
            f"the report has no section about {about!r}", next_step=f"choose one of {', '.join(ABOUT)}"
        )
    runs = [replay(name) for name in names]
    held = [Evidence.of(run.recording, run.messages, run.journey(EVENT)) for run in runs]
    answers = [
        sidebyside.Answer(claim.said, tuple(claim.check(one) for one in held))
        for claim in CLAIMS
        if about in (None, claim.about)
    ]
    return sidebyside.claims(answers, [one.stack for one in held])


def report(run: str | Run, path: str | Path, *, deep: bool = False) -> Path:
    """Write the open-source report of ``run``, or of the recording of that name in captures/.

    ``path`` ends in .md, .html or .ipynb.  Raises what :meth:`utils.run.Run.report` raises.
    """
    return (replay(run) if isinstance(run, str) else run).report(path, deep=deep)


def licences(*names: str) -> View:
    """The licences of the stack's libraries, of Python and of what watches: what they permit, ask and forbid.

    ``names`` are other distributions to be told of instead; one that is not
    installed is left out.  Their texts are at hand below the tables.
    """
    from utils import libraries
    from utils.libraries.licences import WATCHING, installed
    from utils.views.licences import licences as shown

    return shown(installed(names or (*libraries.STACK, *WATCHING)))


def wiring(root: object) -> View:
    """Which objects a line such as ``SocketIO(app)`` has left behind, and which of them holds which.

    Drawn from the living objects that ``root`` leads to; they are looked at, and not called.
    """
    from utils.libraries.wiring import wired
    from utils.views import diagrams

    return diagrams.wiring(wired(root))


def compare(name: str) -> Comparison:
    """Measure one of the brief comparisons of :mod:`utils.load.standard`: untraced servers, in turns.

    In replay mode its results are loaded from measured/.  Raises InputError if
    there is none of that name.
    """
    from utils.load import measuring, standard, values
    from utils.load.shown import Comparison

    experiment = standard.brief(name)
    if rights.choose_mode().name == "replay":
        return Comparison(values.load(measured() / f"{name}.json")[0])
    return Comparison(measuring.measure(experiment))


def told_apart() -> Apart:
    """An echo's wire, server and client told apart from its packets, with nothing traced.

    Where packets may not be read, and in replay mode, the times that were saved
    in measured/ are taken.
    """
    from utils.load import split, standard
    from utils.load.shown import Apart

    if rights.choose_mode().name == "live":
        return Apart(split.capture(standard.APART))
    return Apart(split.load(measured() / "apart.json"))


def read(path: str | Path, *, port: int | None = None) -> Run:
    """Anybody's capture: a pcap or pcapng file, plain or gzipped.

    ``port`` is the server's; left out, all to which requests were sent are
    servers, and the run says which (and which other ports it leaves out).
    There are packets to look at, and no calls.  Raises CaptureFileError if it
    is no capture, or holds no TCP.
    """
    from utils import recording
    from utils.run import Run

    return Run(recording.from_capture(Path(path), port))


def capacity() -> Capacity:
    """What clusters of several sizes were measured to cost, and the model that was fitted to it.

    ``python -m utils.cluster measure captures/capacity.json`` measures anew.
    """
    from utils.cluster import measuring
    from utils.cluster.capacity import Capacity

    return Capacity.of(measuring.load(captures() / "capacity.json"))


def captures() -> Path:
    """The folder of the committed recordings."""
    return Path(__file__).resolve().parent.parent / "captures"


def measured() -> Path:
    """The folder of the latency lab's committed results."""
    return Path(__file__).resolve().parent.parent / "measured"


def _import_the_rest() -> None:
    """While one waits for the server, there is time for it."""
    for name in _NEEDED_LATER:
        import_module(name)


def _end(running: Server | Cluster) -> None:
    running.stop()
    _running.remove(running)


def _watch_no_longer() -> None:
    while _watching:
        _watching.pop()[1].stop()


def _log_hint() -> str:
    return f" (its log: {_running[-1].log})" if _running else ""
