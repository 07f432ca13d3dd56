"""Which file belongs to which library, here and on any other machine.

The rule kept here: the facts come from the installed packages' own metadata
and files; a name that stands in a recording holds no path of the machine that
made it, and is found again on whatever machine reads it, in the version that ran.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from utils.libraries import installations
from utils.libraries.installations import PYTHON, Installation
from utils.records import Library


@dataclass(frozen=True, slots=True)
class Place:
    """A source file as its library knows it, on whatever machine."""

    library: Library
    path: str  # with the library's own folder, e.g. ``flask/app.py``

    def portable(self, versions: Mapping[str, str]) -> str:
        """The file's name in a recording whose ``versions`` are these: it holds no path of this machine.

        ``Flask:flask/app.py``; where the version is not the one that the
        recording states, ``Flask==2.2.5:flask/app.py``.
        """
        return f"{key(self.library, versions)}:{self.path}"


def key(library: Library, versions: Mapping[str, str]) -> str:
    """The name of ``library`` in a recording whose ``versions`` are these."""
    if library.version in ("", versions.get(library.name)):
        return library.name
    return f"{library.name}=={library.version}"


#: The Pythons whose packages are known, this one first.
_installations = [installations.here()]


def know(installation: Installation) -> None:
    """From here on the packages of another Python are known, too: of one that runs an application, say."""
    if installation not in _installations:
        _installations.append(installation)
        place.cache_clear()


def holder(name: str, version: str) -> Installation:
    """The Python, of those that are known, that has this version of a library; this one, if none has."""
    for one in _installations:
        found = one.library(name)
        if found is not None and found.version == version:
            return one
    return installations.here()


@cache
def distribution(name: str) -> Library:
    """The installed distribution called ``name``.

    Raises importlib.metadata.PackageNotFoundError if there is none.
    """
    found = installations.here().library(name)
    if found is None or name == PYTHON:
        raise importlib.metadata.PackageNotFoundError(name)
    return found


@cache
def python_library() -> Library:
    """The running Python's own standard library."""
    return installations.here().python_library()


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
    for one in _installations:
        if (package := one.package(file)) is not None:
            library = one.library(package[0]) if package[0] else None
            return None if library is None else Place(library, str(package[1]))
    for one in _installations:
        if (path := one.own_module(file)) is not None:
            return Place(one.python_library(), str(path))
    top = file.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    path = PurePosixPath(*file.relative_to(top).parts)
    return Place(Library(path.parts[0].removesuffix(".py"), "", "", None), str(path))


#: A portable name that is found on no path here; a drive's letter alone is no library.
_PORTABLE = re.compile(r"(?P<library>[^:/\\<>]{2,}):(?P<path>[^\\:]+)")


def _named(words: str) -> Library:
    """The library of ``name`` or ``name==version``: what is installed here tells what its name does not."""
    name, _, version = words.partition("==")
    here = installations.here().library(name)
    if here is None:
        return Library(name, version, "", None)
    return here if version in ("", here.version) else replace(here, version=version)


def locate(portable: str, versions: Mapping[str, str] = MappingProxyType({})) -> str:
    """The file on this machine that a recording whose ``versions`` are these calls ``portable``.

    What cannot be found here comes back by a name: it is still worth showing,
    only without an excerpt.  So does what is installed in another version: its
    lines are others.
    """
    words, separator, path = portable.partition(":")
    name, _, version = words.partition("==")
    return _locate(name, version or versions.get(name, ""), path) if separator and path else portable


@cache
def _locate(name: str, version: str, path: str) -> str:
    here = installations.here()
    portable = f"{name}=={version}:{path}" if version else f"{name}:{path}"
    library = here.library(name)
    if version and (library is None or library.version != version):
        return portable
    if name == PYTHON:
        candidates: Sequence[Path] = (here.standard_library,)
    else:
        searched = (Path(entry or ".").resolve() for entry in sys.path)
        candidates = (*here.folders, *searched, *_imported_from(PurePosixPath(path).parts[0]))
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


def modules(name: str) -> list[str]:
    """The Python files of the distribution ``name``, as installed."""
    files = importlib.metadata.files(name) or ()
    return [str(file.locate()) for file in files if file.suffix == ".py"]
