"""Writes a report in the form that is asked for.

The rule kept here: what is made goes to the file piece by piece, and the file
appears whole or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from utils.errors import InputError
from utils.recording.facts import Facts
from utils.report import markdown, notebook, page
from utils.report.sections import Report

#: The forms, by the ending of their files.
FORMS = ("md", "html", "ipynb")


def form_of(path: Path) -> str:
    """The form that a file's name asks for.  Raises InputError for any other ending."""
    ending = path.suffix.removeprefix(".").lower()
    if ending in FORMS:
        return ending
    raise InputError(
        f"{path.name} says no form of a report",
        why=f"it ends in {path.suffix or 'nothing'}",
        next_step=f"let it end in {', '.join(f'.{form}' for form in FORMS)}, or name the form",
    )


def pieces(subject: Facts, form: str, *, deep: bool = False, beside: Path | None = None) -> Iterable[str]:
    """The report in pieces, which joined are a file in the folder ``beside``.

    Raises InputError for a notebook of a run that no notebook can load.
    """
    report = Report(subject, deep)
    if form == "md":
        return markdown.document(report)
    if form == "html":
        return page.document(report)
    if subject.folder is None:
        raise InputError(
            "a notebook cannot load this run",
            why="it was not loaded from a folder",
            next_step="save it with run.save(folder), and report lab.load(folder)",
        )
    recording = Path(os.path.relpath(subject.folder, beside or Path())).as_posix()
    return notebook.document(report, recording)


def write(path: Path, made: Iterable[str]) -> Path:
    """Write the pieces into ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(made)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
