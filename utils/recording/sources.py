"""The sources that ran, kept with a recording: short excerpts, where things stood, and the licences.

The rule kept here: no more of a library is kept than a reader is shown, some
fifteen lines at a time, and with it who wrote it and under which licence.  A
recording that keeps its sources can be read where other versions are installed.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from utils import libraries
from utils.errors import CaptureFileError
from utils.libraries import Place, licences
from utils.records import Code, Definition, Library, Recording, Sources, Trace
from utils.unpacking import unpacked

FORMAT = "socketio-lab sources"

#: No more than this is unpacked, in bytes.
MOST_BYTES = 1 << 28


class _Document(BaseModel):
    """The file, as JSON has it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    format: Literal["socketio-lab sources"]
    version: Literal[1]
    libraries: list[tuple[str, str, str, str | None]]  # name (or name==version), version, licence, home
    licences: dict[str, str]
    definitions: dict[str, dict[str, tuple[str, int, int, str]]]
    lines: dict[str, list[tuple[int, str]]]
    excerpts: list[tuple[str, str, int | None, list[int | None]]]


def collect(recording: Recording, whole: Iterable[str] = ()) -> Sources:
    """What to keep of the sources of ``recording``, which was made here and just now.

    Of the distributions named in ``whole`` it is noted where everything stands,
    whether it ran or not.
    """
    lines: dict[str, dict[int, str]] = defaultdict(dict)
    excerpts: dict[tuple[str, str, int | None], tuple[int | None, ...]] = {}
    files: dict[str, str] = {}
    owners: dict[str, Library] = {}
    versions = recording.meta.versions

    def own(where: Place, filename: str) -> str:
        """The file's name in the recording; it is noted who owns it."""
        portable = where.portable(versions)
        files[portable], owners[libraries.key(where.library, versions)] = filename, where.library
        return portable

    for code, current in _seen(recording.traces):
        where, excerpt = libraries.place(code.filename), libraries.excerpt(code, current)
        if where is None or excerpt is None:
            continue
        portable = own(where, code.filename)
        lines[portable].update(line for line in excerpt.lines if line is not None)
        numbers = tuple(None if line is None else line[0] for line in excerpt.lines)
        excerpts[portable, code.name, current] = numbers
    for name in whole:
        for filename in libraries.modules(name):
            if (where := libraries.place(filename)) is not None:
                own(where, filename)
    python = {key for key, library in owners.items() if library.name == libraries.PYTHON}
    return Sources(
        libraries=owners,
        licences={
            key: licences.text(library.name, library.version)
            for key, library in owners.items()
            if library.version and key not in python
        },
        definitions={
            portable: libraries.definitions(filename)
            for portable, filename in files.items()
            if portable.partition(":")[0] not in python
        },
        lines=dict(lines),
        excerpts=excerpts,
    )


def _seen(traces: Iterable[Trace]) -> Iterator[tuple[Code, int | None]]:
    """Each function that is followed closely or moves bytes, with each line that a step may show it at."""
    for trace in traces:
        close = {call.code for call in trace.calls if call.arguments is not None}
        close |= {transfer.site.code for transfer in trace.transfers if transfer.site is not None}
        for call in trace.calls:
            if call.code in close:
                yield call.code, call.left
        sites = [call.site for call in trace.calls] + [transfer.site for transfer in trace.transfers]
        for site in sites:
            if site is not None and site.code in close:
                yield site.code, site.line


def save(sources: Sources, path: Path) -> None:
    """Write ``sources``; equal ones make equal files."""
    document = {
        "format": FORMAT,
        "version": 1,
        "libraries": [
            (key, one.version, one.licence, one.home) for key, one in sorted(sources.libraries.items())
        ],
        "licences": sources.licences,
        "definitions": sources.definitions,
        "lines": {file: sorted(texts.items()) for file, texts in sources.lines.items()},
        "excerpts": sorted(
            ([*key, list(numbers)] for key, numbers in sources.excerpts.items()),
            key=lambda entry: (entry[0], entry[1], entry[2] or 0),
        ),
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(text.encode())


def load(path: Path) -> Sources:
    """Read what :func:`save` wrote.  Raises CaptureFileError if the file is broken."""
    try:
        content = unpacked(path, MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise EOFError(f"unpacked, it is larger than {MOST_BYTES >> 20} MiB")
        document = _Document.model_validate_json(content)
        _refer_to_lines(document)
        return Sources(
            libraries={
                key: Library(key.partition("==")[0], version, licence, home)
                for key, version, licence, home in document.libraries
            },
            licences=document.licences,
            definitions={
                file: {name: Definition(*place) for name, place in found.items()}
                for file, found in document.definitions.items()
            },
            lines={file: dict(texts) for file, texts in document.lines.items()},
            excerpts={
                (file, function, current): tuple(numbers)
                for file, function, current, numbers in document.excerpts
            },
        )
    except (OSError, EOFError, zlib.error, ValidationError, ValueError) as error:
        raise CaptureFileError(
            f"{path.name} of {path.parent.name} cannot be read",
            why=str(error).splitlines()[0],
            next_step="make the recording again",
        ) from error


def _refer_to_lines(document: _Document) -> None:
    """Raise ValueError where an excerpt shows a line that was not kept."""
    kept = {file: {number for number, _ in texts} for file, texts in document.lines.items()}
    for file, function, _, numbers in document.excerpts:
        missing = {number for number in numbers if number is not None} - kept.get(file, set())
        if missing:
            raise ValueError(f"line {min(missing)} of {file}, which {function} shows, is not in it")
