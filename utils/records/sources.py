"""Where code stands: libraries, excerpts of their files, and links to their lines.

The rule kept here: a file goes by its own library's name for it as well, so that
what is told of it holds on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Library:
    """One distribution of the stack (or CPython, or the application)."""

    name: str  # as its metadata spells it, e.g. "Flask-SocketIO"
    version: str
    licence: str  # SPDX expression, or what the metadata says
    home: str | None  # the repository's address


class Link(NamedTuple):
    """Where a line of code can be read on its forge.

    ``proved`` is True where the version's tag and the path are known from the
    package itself; otherwise ``url`` is None and the bare file and line stand.
    """

    url: str | None
    proved: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of one installed source file.

    ``lines`` holds (number, text) pairs; ``None`` stands for a gap.
    ``current`` is the number of the marked line, or None.
    """

    path: str  # relative to its library, with the library's own folder: flask/app.py
    filename: str  # as installed
    function: str
    lines: tuple[tuple[int, str] | None, ...]
    current: int | None


class Definition(NamedTuple):
    """Where a function or class stands in its file."""

    kind: str  # "class" or "function"
    first: int  # the line of its ``def`` or ``class``
    last: int
    digest: str  # of its text, wherever it stands and however far it is indented


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recording keeps of the sources that ran, for where other versions are installed.

    Files go by their portable names (``Flask:flask/app.py``, see :mod:`utils.libraries`),
    libraries by what stands before the colon.
    """

    libraries: Mapping[str, Library]
    licences: Mapping[str, str]  # name → the licence's own text, as installed
    definitions: Mapping[str, Mapping[str, Definition]]  # file → qualified name → where
    lines: Mapping[str, Mapping[int, str]]  # file → number → text, of the excerpts alone
    excerpts: Mapping[tuple[str, str, int | None], tuple[int | None, ...]]  # file, function, current line

    def excerpt(self, file: str, function: str, current: int | None) -> Excerpt | None:
        """The excerpt of ``function`` at line ``current`` as it was when it ran; None if none was kept."""
        numbers = self.excerpts.get((file, function, current))
        if numbers is None:
            return None
        texts = self.lines[file]
        lines = tuple(None if number is None else (number, texts[number]) for number in numbers)
        return Excerpt(file.partition(":")[2], file, function, lines, current)
