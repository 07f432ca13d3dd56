"""A trace as a file: one gzipped JSON document for each process.

The rule kept here: what is loaded equals what was saved, and nothing is taken
on trust.  The document holds columns (each attribute of all calls side by
side), and refers to texts, functions and sites by their place in a table.  A
file that is not exactly so is refused with a CaptureFileError that says why.
"""

from __future__ import annotations

import base64
import binascii
import gc
import gzip
import json
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from utils.errors import CaptureFileError
from utils.records import (
    Call,
    Code,
    Endpoint,
    Flow,
    HandOff,
    HandOffKind,
    Site,
    Trace,
    Transfer,
    TransferKind,
)
from utils.unpacking import unpacked

if TYPE_CHECKING:
    from utils.tracing.schema import Document

FORMAT = "socketio-lab trace"
VERSION = 1

#: From one name of a file to another.
Rename = Callable[[str], str]

#: No trace is larger than this, unpacked; what claims to be is no trace.
MOST_BYTES = 1 << 30


# ── saving ───────────────────────────────────────────────────────────────────


def save(trace: Trace, path: Path, rename: Rename = str) -> Path:
    """Write ``trace``, its file names by way of ``rename``; the file appears whole or not at all."""
    path = Path(path)
    document = json.dumps(_document(trace, rename), separators=(",", ":"), ensure_ascii=False)
    fresh = path.with_name(f".{path.name}.part")
    # Without name and time inside, equal traces make equal files.
    try:
        with fresh.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            packed.write(document.encode("utf-8", "surrogatepass"))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


Entry = TypeVar("Entry", bound=Hashable)


class _Table(Generic[Entry]):
    """Values, each kept once, by their place."""

    def __init__(self, encode: Callable[[Entry], Any]) -> None:
        self._encode = encode
        self._places: dict[Entry, int] = {}
        self.entries: list[Any] = []

    def place(self, value: Entry) -> int:
        known = self._places.get(value)
        if known is None:
            encoded = self._encode(value)
            known = self._places[value] = len(self.entries)
            self.entries.append(encoded)
        return known

    def maybe(self, value: Entry | None) -> int | None:
        return None if value is None else self.place(value)


def _document(trace: Trace, rename: Rename) -> dict[str, Any]:
    times = [call.enter_ns for call in trace.calls] + [moved.start_ns for moved in trace.transfers]
    base = min(times, default=0)
    texts: _Table[str] = _Table(lambda text: text)
    codes: _Table[Code] = _Table(
        lambda code: (texts.place(rename(code.filename)), texts.place(code.name), code.first_line)
    )
    sites: _Table[Site] = _Table(lambda site: (codes.place(site.code), site.line))
    flows: _Table[Flow] = _Table(
        lambda flow: (
            texts.place(flow.source.host),
            flow.source.port,
            texts.place(flow.destination.host),
            flow.destination.port,
        )
    )
    calls, transfers, given = trace.calls, trace.transfers, trace.handoffs
    return {
        "format": FORMAT,
        "version": VERSION,
        "process": trace.process,
        "pid": trace.pid,
        "python": trace.python,
        "lost": trace.lost,
        "faults": trace.faults,
        "base_ns": base,
        "threads": {str(ident): name for ident, name in trace.threads.items()},
        "calls": {
            "id": [call.id for call in calls],
            "thread": [call.thread for call in calls],
            "code": [codes.place(call.code) for call in calls],
            "parent": [call.parent for call in calls],
            "depth": [call.depth for call in calls],
            "enter": [call.enter_ns - base for call in calls],
            "leave": [None if call.leave_ns is None else call.leave_ns - base for call in calls],
            "site": [sites.maybe(call.site) for call in calls],
            "left": [call.left for call in calls],
            "arguments": [_placed(call.arguments, texts) for call in calls],
            "result": [texts.maybe(call.result) for call in calls],
            "exception": [texts.maybe(call.exception) for call in calls],
        },
        "transfers": {
            "thread": [moved.thread for moved in transfers],
            "kind": [moved.kind.value for moved in transfers],
            "flow": [flows.place(moved.flow) for moved in transfers],
            "offset": [moved.offset for moved in transfers],
            "length": [moved.length for moved in transfers],
            "start": [moved.start_ns - base for moved in transfers],
            "end": [moved.end_ns - base for moved in transfers],
            "call": [moved.call for moved in transfers],
            "site": [sites.maybe(moved.site) for moved in transfers],
            "data": [
                None if moved.data is None else base64.b64encode(moved.data).decode() for moved in transfers
            ],
            "exception": [texts.maybe(moved.exception) for moved in transfers],
        },
        "handoffs": {
            "kind": [handoff.kind.value for handoff in given],
            "given": [handoff.given for handoff in given],
            "taken": [handoff.taken for handoff in given],
            "given_at": [handoff.given_ns - base for handoff in given],
            "taken_at": [handoff.taken_ns - base for handoff in given],
        },
        # Last: the columns above have filled them.
        "texts": texts.entries,
        "codes": codes.entries,
        "sites": sites.entries,
        "flows": flows.entries,
    }


def _placed(arguments: Mapping[str, str] | None, texts: _Table[str]) -> list[tuple[int, int]] | None:
    if arguments is None:
        return None
    return [(texts.place(name), texts.place(text)) for name, text in arguments.items()]


# ── loading ──────────────────────────────────────────────────────────────────


def load(path: Path, rename: Rename = str) -> Trace:
    """Read a trace, its file names by way of ``rename``.

    Raises CaptureFileError if the file is missing, broken, or none.
    """
    # Whoever saves a trace, in the environment of an application, need not have this.
    from pydantic import ValidationError

    from utils.tracing.schema import Document

    path = Path(path)
    try:
        content = unpacked(path, MOST_BYTES)
    except FileNotFoundError:
        raise CaptureFileError(
            f"{path} is missing", why="there is no such file", next_step="name a trace that was saved"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, f"it is cut off or no gzip file: {error}") from error
    if len(content) > MOST_BYTES:
        raise _unreadable(path, f"unpacked, it is larger than {MOST_BYTES >> 20} MiB")
    try:
        with _without_collector():
            document = Document.model_validate_json(content)
            del content
            return _trace(document, rename)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _unreadable(path, f"{where or 'the document'}: {first['msg']}") from error
    except (IndexError, KeyError, ValueError, binascii.Error) as error:
        raise _unreadable(path, f"it contradicts itself: {error}") from error


def _unreadable(path: Path, why: str) -> CaptureFileError:
    return CaptureFileError(
        f"{path} cannot be read as a trace", why=why, next_step="make the recording again"
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """Meanwhile the garbage collector does not look: a million records are made, and none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _trace(document: Document, rename: Rename) -> Trace:
    texts, base, process = document.texts, document.base_ns, document.process
    codes = [Code(rename(texts[file]), texts[name], line) for file, name, line in document.codes]
    sites = [Site(codes[code], line) for code, line in document.sites]
    flows = [
        Flow(Endpoint(texts[host], port), Endpoint(texts[peer], peer_port))
        for host, port, peer, peer_port in document.flows
    ]

    @cache
    def snapshots(named: tuple[tuple[int, int], ...]) -> Mapping[str, str]:
        # Most calls are made with arguments that another one had, too: these share them.
        return {texts[name]: texts[text] for name, text in named}

    calls = tuple(
        Call(
            id=number,
            process=process,
            thread=thread,
            code=codes[code],
            parent=parent,
            depth=depth,
            enter_ns=base + enter,
            leave_ns=None if leave is None else base + leave,
            site=_at(sites, site),
            left=left,
            arguments=None if named is None else snapshots(tuple(named)),
            result=_at(texts, result),
            exception=_at(texts, exception),
        )
        for number, thread, code, parent, depth, enter, leave, site, left, named, result, exception in (
            document.calls.rows()
        )
    )
    transfers = tuple(
        Transfer(
            process=process,
            thread=thread,
            kind=TransferKind(kind),
            flow=flows[flow],
            offset=offset,
            length=length,
            start_ns=base + start,
            end_ns=base + end,
            call=call,
            site=_at(sites, site),
            data=None if data is None else base64.b64decode(data, validate=True),
            exception=_at(texts, exception),
        )
        for thread, kind, flow, offset, length, start, end, call, site, data, exception in (
            document.transfers.rows()
        )
    )
    given = tuple(
        HandOff(process, HandOffKind(kind), giver, taker, base + given_at, base + taken_at)
        for kind, giver, taker, given_at, taken_at in document.handoffs.rows()
    )
    _refer_to_calls(calls, transfers, given)
    return Trace(
        process=process,
        pid=document.pid,
        python=document.python,
        threads={int(ident): name for ident, name in document.threads.items()},
        calls=calls,
        transfers=transfers,
        handoffs=given,
        lost=document.lost,
        faults=document.faults,
    )


def _at(table: Sequence[Any], place: int | None) -> Any:
    return None if place is None else table[place]


def _refer_to_calls(calls: Sequence[Call], transfers: Sequence[Transfer], given: Sequence[HandOff]) -> None:
    """Raise ValueError where something refers to a call that is not there, or a call to a later one."""
    known = {call.id for call in calls}
    if len(known) != len(calls):
        raise ValueError("two calls have one id")
    if any(call.parent is not None and call.parent >= call.id for call in calls):
        raise ValueError("a call stands inside itself, or inside a later one")
    referred = {call.parent for call in calls} | {moved.call for moved in transfers}
    for handoff in given:
        referred |= {handoff.given, handoff.taken}
    missing = referred - known - {None}
    if missing:
        raise ValueError(f"call {min(number for number in missing if number is not None)} is not in it")
