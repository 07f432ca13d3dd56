"""Which file belongs to which library, here and on any other machine.

The rule kept here: the facts come from the installed packages' own metadata
and files; a name that stands in a recording holds no path of the machine that
made it, and is found again on whatever machine reads it.
"""

from __future__ import annotations

import email.message
import importlib.metadata
import importlib.util
import platform
import re
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from utils.libraries.terms import Stated, stated
from utils.records import Library

Metadata = email.message.Message | importlib.metadata.PackageMetadata

#: The distributions whose versions a recording states.
STACK = (
    "Flask",
    "Flask-SocketIO",
    "python-socketio",
    "python-engineio",
    "simple-websocket",
    "wsproto",
    "h11",
    "Werkzeug",
    "websocket-client",
    "requests",
    "urllib3",
    "redis",
)

#: The labels under which metadata names a repository, the surest first.
_SOURCE_LABELS = ("source", "sourcecode", "code", "repository", "homepage")

_PYTHON_HOME = "https://github.com/python/cpython"


@dataclass(frozen=True, slots=True)
class Place:
    """A source file as its library knows it, on whatever machine."""

    library: Library
    path: str  # with the library's own folder, e.g. ``flask/app.py``

    @property
    def portable(self) -> str:
        """The file's name in a recording: it holds no path of this machine."""
        return f"{self.library.name}:{self.path}"


@cache
def _site_folders() -> tuple[Path, ...]:
    """The folders that packages are installed into."""
    found = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return tuple(sorted(found))


@cache
def standard_library() -> Path:
    """The folder of Python's own modules."""
    return Path(sysconfig.get_path("stdlib")).resolve()


@cache
def _owners() -> dict[str, list[str]]:
    """Top-level package → the distributions that install it."""
    return dict(importlib.metadata.packages_distributions())


@cache
def distribution(name: str) -> Library:
    """The installed distribution called ``name``.

    Raises importlib.metadata.PackageNotFoundError if there is none.
    """
    facts = importlib.metadata.metadata(name)
    return Library(facts["Name"], facts["Version"], _licence(facts), _home(facts))


@cache
def python_library() -> Library:
    """The running Python's own standard library."""
    return Library("CPython", platform.python_version(), "PSF-2.0", _PYTHON_HOME)


@cache
def place(filename: str) -> Place | None:
    """Where ``filename`` belongs: a library, Python itself, an application, or None.

    A file of no installed package is an application's: its library is named
    after its outermost package, and has no version and no home.  None stands
    for what is no file at all (frozen modules, ``<string>``).
    """
    if filename.startswith("<"):
        return None
    if (name := _PORTABLE.fullmatch(filename)) is not None:
        return Place(_named(name["library"]), name["path"])
    file = Path(filename).resolve()
    for folder in _site_folders():
        if file.is_relative_to(folder):
            path = PurePosixPath(*file.relative_to(folder).parts)
            owners = _owners().get(path.parts[0].removesuffix(".py"))
            return Place(distribution(owners[0]), str(path)) if owners else None
    if file.is_relative_to(standard_library()):
        path = PurePosixPath(*file.relative_to(standard_library()).parts)
        return Place(python_library(), str(path))
    top = file.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    path = PurePosixPath(*file.relative_to(top).parts)
    return Place(Library(path.parts[0].removesuffix(".py"), "", "", None), str(path))


#: A portable name that is found on no path here; a drive's letter alone is no library.
_PORTABLE = re.compile(r"(?P<library>[^:/\\<>]{2,}):(?P<path>[^\\:]+)")


def _named(name: str) -> Library:
    """The library that goes by ``name``: the installed one, if there is one."""
    if name == python_library().name:
        return python_library()
    try:
        return distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return Library(name, "", "", None)


@cache
def locate(portable: str) -> str:
    """The file on this machine that a recording calls ``portable``.

    A name that cannot be found here comes back as it is: it is still worth
    showing, only without an excerpt.
    """
    name, separator, path = portable.partition(":")
    if not separator or not path:
        return portable
    if name == python_library().name:
        candidates: Sequence[Path] = (standard_library(),)
    else:
        searched = (Path(entry or ".").resolve() for entry in sys.path)
        candidates = (*_site_folders(), *searched, *_imported_from(PurePosixPath(path).parts[0]))
    for folder in candidates:
        if (folder / path).is_file():
            return str(folder / path)
    return portable


def _imported_from(package: str) -> Iterator[Path]:
    """The folders in which a package stands that is on no path: installed editable, it has its own finder.

    A package at the top is found without being imported.
    """
    if not package.isidentifier():
        return
    with suppress(ValueError, ImportError):  # a program's own __main__, say, tells nothing of itself
        found = importlib.util.find_spec(package)
        for folder in (found and found.submodule_search_locations) or ():
            yield Path(folder).parent


def _field(facts: Metadata, name: str) -> str:
    """A field of the metadata; empty if it is missing (asking by ["name"] would then warn)."""
    return str(next(iter(facts.get_all(name) or ()), ""))


def stated_licence(name: str) -> Stated:
    """The licence of the distribution ``name`` as its metadata tells it.

    Raises importlib.metadata.PackageNotFoundError if it is not installed.
    """
    return _stated(importlib.metadata.metadata(name))


def _stated(facts: Metadata) -> Stated:
    classifiers = map(str, facts.get_all("Classifier") or ())
    return stated(_field(facts, "License-Expression"), _field(facts, "License"), classifiers)


def _licence(facts: Metadata) -> str:
    """The licence as the metadata tells it: an SPDX expression where there is one."""
    said = _stated(facts)
    return said.expression or said.words or "not stated"


def _home(facts: Metadata) -> str | None:
    """The repository's address, from the metadata's own labels."""
    urls = {}
    for entry in facts.get_all("Project-URL") or ():
        label, _, url = entry.partition(",")
        urls["".join(filter(str.isalnum, label.lower()))] = url.strip()
    named = [urls[label] for label in _SOURCE_LABELS if label in urls]
    home = next(iter(named), _field(facts, "Home-page"))
    return home.rstrip("/") or None


def modules(name: str) -> list[str]:
    """The Python files of the distribution ``name``, as installed."""
    files = importlib.metadata.files(name) or ()
    return [str(file.locate()) for file in files if file.suffix == ".py"]
