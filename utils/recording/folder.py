"""A recording: the packets and the calls of one run, in one folder.

The rule kept here: a folder under ``captures/`` is all that anybody needs to
see the run again, on any machine: no server, no rights, no network.  It holds
no path of the machine that made it and no secret.

    NAME/
      meta.json              what ran, when, with which versions, in which mode
      packets.pcapng         the segments; Wireshark opens it
      PROCESS.trace.json.gz  the calls of one process
      sources.json.gz        if it is there: excerpts of the versions that ran, with their licences
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from utils import libraries
from utils.capture import files
from utils.errors import CaptureFileError, InputError
from utils.recording import description, sources
from utils.records import Meta, Recording, Service
from utils.streams.overview import Servers, bytes_missing, servers
from utils.tracing import store

META_FILE = "meta.json"
PACKETS_FILE = "packets.pcapng"
SOURCES_FILE = "sources.json.gz"
#: So many kinds of packets without a segment are named.
_MOST_KINDS = 8

TRACE_SUFFIX = ".trace.json.gz"


def save(recording: Recording, folder: Path) -> Path:
    """Write ``recording`` into ``folder``, replacing one that is there.

    The folder appears whole or not at all: an interrupted save leaves the old
    one as it was.  Raises InputError if something else is there.
    """
    folder = Path(folder)
    if not replaceable(folder):
        raise InputError(
            f"{folder} is no recording, and is left alone",
            why="something else is there",
            next_step="name a folder that is not there yet, or one that holds a recording",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        description.write(recording.meta, fresh / META_FILE)
        files.write_segments(fresh / PACKETS_FILE, recording.segments)
        for trace in recording.traces:
            name = trace.process.replace(" ", "-")
            store.save(trace, fresh / f"{name}{TRACE_SUFFIX}", partial(_portable, recording.meta.versions))
        if recording.sources is not None:
            sources.save(recording.sources, fresh / SOURCES_FILE)
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.replace(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder


def replaceable(folder: Path) -> bool:
    """Whether :func:`save` may write ``folder``: nothing is there, nothing is in it, or a recording."""
    if not folder.exists():
        return True
    return folder.is_dir() and ((folder / META_FILE).is_file() or next(folder.iterdir(), None) is None)


def from_capture(path: Path, port: int | None = None) -> Recording:
    """A capture file alone, as a recording without calls: of the server at ``port``, or of all that show.

    Raises CaptureFileError if it is no capture file, or holds no TCP segment.
    """
    contents = files.read(path)
    found = Servers((port,)) if port else servers(contents.segments)
    if not found.ports:
        raise CaptureFileError(
            f"there is nothing to see in {path.name}",
            why=_nothing(contents),
            next_step="capture the interface that the application listens on (lo, for 127.0.0.1)",
        )
    segments = contents.segments.by_time()
    meta = Meta(
        name=path.stem,
        mode="replay",
        why="; ".join([f"read from {path.name}", *_told(found), *_reservations(contents)]),
        created="",
        python=platform.python_version(),
        platform=platform.system(),
        versions={},
        port=found.ports[0],
        bytes_lost=bytes_missing(segments),
        services=_services(found) if len(found.ports) > 1 else {},
    )
    return Recording(meta, segments, ())


def _services(found: Servers) -> dict[int, Service]:
    """Several servers, each by its port: nobody has told what they are called."""
    return {port: Service(f"server {port}", traced=False) for port in found.ports}


def _told(found: Servers) -> Iterator[str]:
    """Which servers are read, where that is a choice; and which connections are not."""
    if len(found.ports) > 1:
        yield f"servers at the ports {', '.join(map(str, found.ports))}"
    if found.others:
        what = "port" if len(found.others) == 1 else "ports"
        yield f"connections to {what} {', '.join(map(str, found.others))} are left out: no request is in them"


def _nothing(contents: files.Contents) -> str:
    held = f"none of its {contents.packets} packets holds a TCP segment"
    return "; ".join([held, *_reservations(contents)])


def _reservations(contents: files.Contents) -> Iterator[str]:
    """What must be known of a file beside what it held."""
    if contents.ends_early is not None:
        yield f"it ends early, at byte {contents.ends_early}: {contents.why}"
    if contents.clipped:
        yield f"{contents.clipped} packets were stored in part only"
    if contents.refused:
        kinds = [f"{name} ({count})" for name, count in contents.refused.most_common(_MOST_KINDS)]
        more = ["others"] if len(contents.refused) > _MOST_KINDS else []
        yield f"{contents.refused.total()} packets hold no TCP segment: {', '.join(kinds + more)}"


def load(folder: Path) -> Recording:
    """Read a recording.  Raises CaptureFileError if it is not one, or is broken.

    The form of each file is held by :mod:`utils.recording.description`,
    :mod:`utils.tracing.schema`, :mod:`utils.recording.sources` and
    :mod:`utils.capture.containers`; docs/recording-format.md tells it.
    """
    folder = Path(folder)
    meta = description.read(folder / META_FILE)
    segments = files.read(folder / PACKETS_FILE, synthetic=meta.mode == "tap").segments
    here = partial(libraries.locate, versions=meta.versions)
    traces = [store.load(path, here) for path in sorted(folder.glob(f"*{TRACE_SUFFIX}"))]
    kept = folder / SOURCES_FILE
    return Recording(meta, segments, tuple(traces), sources.load(kept) if kept.exists() else None)


# ── file names, here and anywhere ────────────────────────────────────────────


def _portable(versions: Mapping[str, str], filename: str) -> str:
    where = libraries.place(filename)
    return where.portable(versions) if where is not None else filename


def stale(recording: Recording) -> tuple[str, ...]:
    """The libraries of ``recording`` whose installed version is another: "name 1.0 (here 2.0)"."""
    return tuple(_differences(recording.meta.versions.items()))


def _differences(versions: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, recorded in versions:
        try:
            here = platform.python_version() if name == "CPython" else version(name)
        except PackageNotFoundError:
            here = "not installed"
        if here != recorded:
            yield f"{name} {recorded} (here {here})"
