"""Runs a notebook for a hand-out: from the recordings, its widgets kept.

The rule kept here: no server and no right is needed; what was run once from
the same files is not run again.  A notebook that fails makes no hand-out.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from handouts.course import FOLDER, ROOT, Chapter
from utils.errors import InputError

#: Seconds that a cell may take.
LONGEST = 300

#: Notebooks that run at a time.
AT_ONCE = 2

#: What a notebook's outputs are made from, beside the notebook itself.
_SOURCES = ("captures", "lab_server", "scenarios", "utils")


def run_all(chapters: Sequence[Chapter], kept: Path, mode: str) -> list[NotebookNode]:
    """The notebooks with the outputs and the widgets of a run in ``mode``.

    ``kept`` is the folder of former runs.  Raises InputError if a cell fails.
    """

    async def all_of_them() -> list[NotebookNode]:
        places = asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(_run(chapter, kept, mode, places) for chapter in chapters)))

    return asyncio.run(all_of_them())


async def _run(chapter: Chapter, kept: Path, mode: str, places: asyncio.Semaphore) -> NotebookNode:
    """One notebook, run; or what was kept of a run of the same."""
    made_of = hashlib.sha256(nbformat.writes(chapter.notebook).encode() + mode.encode() + _fingerprint())
    path = kept / f"{chapter.name}-{made_of.hexdigest()[:16]}.ipynb"
    if not path.exists():
        async with places:
            notebook = await _execute(chapter, mode)
        for former in kept.glob(f"{chapter.name}-*.ipynb"):
            former.unlink(missing_ok=True)
        kept.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
    ran: NotebookNode = nbformat.read(path, as_version=4)
    return ran


async def _execute(chapter: Chapter, mode: str) -> NotebookNode:
    notebook = copy.deepcopy(chapter.notebook)
    client = NotebookClient(
        notebook,
        timeout=LONGEST,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=True,
        coalesce_streams=True,
        # A kernel warns that others on this machine could listen; it lives for a minute, and tells no secret.
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(FOLDER)}},
    )
    try:
        await client.async_execute(env={**os.environ, "SOCKETIO_LAB_MODE": mode, "PYTHONPATH": str(ROOT)})
    except CellExecutionError as error:
        raise InputError(
            f"{chapter.name}.ipynb does not run to its end in mode {mode}",
            why=f"{error.ename}: {error.evalue}",
            next_step="open it, run all, and mend the cell that fails",
        ) from error
    return notebook


@cache
def _fingerprint() -> bytes:
    """A digest of the code and the recordings."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts):
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.digest()
