"""The packages that a Python has installed: whose a file is, in which version, on what terms.

The rule kept here: another Python's packages are known as this one's are, by
its folders and by their metadata, which are read as files; nothing of it is
run or imported.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from utils.libraries.terms import Stated, stated
from utils.records import Library

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

#: What Python's own library is called.
PYTHON = "CPython"

_PYTHON_HOME = "https://github.com/python/cpython"

#: The labels under which metadata names a repository, the surest first.
_SOURCE_LABELS = ("source", "sourcecode", "code", "repository", "homepage")

#: A version of a library may spell its name otherwise.
_SPELLED = {canonicalize_name(name): name for name in STACK}


@dataclass(frozen=True, slots=True)
class Installation:
    """What one Python has installed.

    ``python`` is its version, ``standard_library`` the folder of its own
    modules, ``folders`` those that packages are installed into; ``path`` is
    where it looks for them (None: where this very Python does just now).
    """

    python: str
    standard_library: Path
    folders: tuple[Path, ...]
    path: tuple[str, ...] | None = field(default=None, compare=False)  # a program's own folder is in it

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> Installation:
        """As the launcher tells of the Python that it runs in (see :mod:`utils.tracing.launcher`)."""
        folders = dict.fromkeys(Path(folder).resolve() for folder in facts["folders"])
        return cls(
            facts["python"], Path(facts["standard_library"]).resolve(), tuple(folders), tuple(facts["path"])
        )

    def package(self, file: Path) -> tuple[str, PurePosixPath] | None:
        """The distribution that ``file`` was installed with (empty if none tells), and its path there.

        None if it stands in no folder of packages.
        """
        for folder in self.folders:
            if file.is_relative_to(folder):
                path = PurePosixPath(*file.relative_to(folder).parts)
                return _owners(self).get(path.parts[0].removesuffix(".py"), ""), path
        return None

    def own_module(self, file: Path) -> PurePosixPath | None:
        """The path of a module of Python's own library; None if it is none."""
        if not file.is_relative_to(self.standard_library):
            return None
        return PurePosixPath(*file.relative_to(self.standard_library).parts)

    def distribution(self, name: str) -> Distribution | None:
        """What is installed under ``name``; None if nothing is."""
        where: dict[str, Any] = {} if self.path is None else {"path": list(self.path)}
        return next(iter(Distribution.discover(name=name, **where)), None)

    def python_library(self) -> Library:
        """Python's own library."""
        return Library(PYTHON, self.python, "PSF-2.0", _PYTHON_HOME)

    def library(self, name: str) -> Library | None:
        """The library of that name, :data:`PYTHON` included; None if it is not installed."""
        return _library(self, name)

    def versions(self) -> Iterator[tuple[str, str]]:
        """The versions of the stack, and of Python; a part that a stack does without is left out."""
        for name in STACK:
            if (found := self.library(name)) is not None:
                yield name, found.version
        yield PYTHON, self.python


@cache
def here() -> Installation:
    """This very Python's."""
    folders = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    # A system's own packages, and a user's, stand elsewhere.
    folders += [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    found = dict.fromkeys(Path(folder).resolve() for folder in folders)
    standard_library = Path(sysconfig.get_path("stdlib")).resolve()
    return Installation(platform.python_version(), standard_library, tuple(found))


@cache
def _owners(of: Installation) -> dict[str, str]:
    """Top-level package or module → the distribution that installs it."""
    if of.path is None:
        return {top: names[0] for top, names in importlib.metadata.packages_distributions().items()}
    found: dict[str, str] = {}
    for one in Distribution.discover(path=[str(folder) for folder in of.folders]):
        for top in _tops(one):
            found.setdefault(top, one.metadata["Name"])
    return found


def _tops(of: Distribution) -> set[str]:
    """The packages and modules of a distribution, as it names them itself, or as its files do."""
    named = (of.read_text("top_level.txt") or "").split()
    files = (file for file in of.files or () if file.suffix == ".py" and file.parts[0] != "..")
    return set(named) or {file.parts[0].removesuffix(".py") for file in files}


@cache
def _library(of: Installation, name: str) -> Library | None:
    if name == PYTHON:
        return of.python_library()
    found = of.distribution(name)
    if found is None:
        return None
    facts = found.metadata
    said = stated_by(found)
    licence = said.expression or said.words or "not stated"
    spelled = _SPELLED.get(canonicalize_name(facts["Name"]), facts["Name"])
    return Library(spelled, facts["Version"], licence, _home(found))


def stated_by(found: Distribution) -> Stated:
    """The licence of a distribution as its metadata tells it: an SPDX expression where there is one."""
    classifiers = map(str, found.metadata.get_all("Classifier") or ())
    return stated(_field(found, "License-Expression"), _field(found, "License"), classifiers)


def _field(of: Distribution, name: str) -> str:
    """A field of the metadata; empty if it is missing (asking by ["name"] would then warn)."""
    return str(next(iter(of.metadata.get_all(name) or ()), ""))


def _home(of: Distribution) -> str | None:
    """The repository's address, from the metadata's own labels."""
    urls = {}
    for entry in of.metadata.get_all("Project-URL") or ():
        label, _, url = str(entry).partition(",")
        urls["".join(filter(str.isalnum, label.lower()))] = url.strip()
    named = [urls[label] for label in _SOURCE_LABELS if label in urls]
    home = next(iter(named), _field(of, "Home-page"))
    return home.rstrip("/") or None
