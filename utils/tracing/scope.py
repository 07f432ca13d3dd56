"""Which functions are recorded, and how closely.

The rule kept here: it is decided once for each code object, from its file and
its name alone; the lists of :mod:`.catalog` and the application's roots are all
that there is to the decision.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sysconfig
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from types import CodeType

from utils.tracing.catalog import FILES, FUNCTIONS, SERVANTS, STACK, STANDARD_LIBRARY, Depth


class Detail(Enum):
    """How much of what is in scope is recorded."""

    ESSENTIAL = "essential"  # only what is followed closely
    PLAIN = "plain"  # everything, but only plainly
    FULL = "full"  # everything, each as closely as the lists say


#: Code that is no function of its own to a reader; Python 3.12 inlines most of these.
_FRAGMENTS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})

#: This package: what watches is not what is watched.
_OWN_FOLDER = str(Path(__file__).absolute().parents[1]) + os.sep


class Scope:
    """Decides for code objects, by where their source stands.

    ``roots`` are folders (or single files) of the application; what is
    installed below one of them is not the application's.
    """

    def __init__(self, roots: Sequence[Path] = (), detail: Detail = Detail.FULL) -> None:
        self._detail = detail
        self._roots = tuple(prefix for root in roots for prefix in _prefixes(root))
        self._site_folders = tuple(_folder(sysconfig.get_path(name)) for name in ("purelib", "platlib"))
        self._standard_library = _folder(sysconfig.get_path("stdlib"))
        self._packages = _package_folders()

    def relative(self, filename: str) -> str | None:
        """The name that the lists know ``filename`` by: ``flask/app.py``, ``queue.py``.

        None for a file that is neither of the stack nor of the standard library.
        """
        for package, folder in self._packages.items():
            if filename.startswith(folder):
                path = filename[len(folder) :].replace(os.sep, "/")
                return f"{package}/{path}"
        if filename.startswith(self._site_folders):
            return None
        if filename.startswith(self._standard_library):
            return filename[len(self._standard_library) :].replace(os.sep, "/")
        return None

    def is_application(self, filename: str) -> bool:
        """Whether ``filename`` lies below a root, and is not installed there."""
        if filename.startswith((*self._site_folders, self._standard_library, _OWN_FOLDER)):
            return False
        return filename.startswith(self._roots)

    def decide(self, code: CodeType) -> Depth:
        """How closely ``code`` is followed."""
        depth = self._listed(code)
        if self._detail is Detail.PLAIN:
            return min(depth, Depth.PLAIN)
        if self._detail is Detail.ESSENTIAL and depth is Depth.PLAIN:
            return Depth.NEVER
        return depth

    def _listed(self, code: CodeType) -> Depth:
        """What the lists say of ``code``."""
        name = code.co_name
        if name in _FRAGMENTS:
            return Depth.NEVER
        # A module's or a class's body runs as a function, too.
        body = not code.co_flags & inspect.CO_NEWLOCALS or not code.co_flags & inspect.CO_OPTIMIZED
        path = self.relative(code.co_filename)
        if path is None:
            if not self.is_application(code.co_filename) or (body and name != "<module>"):
                return Depth.NEVER
            return Depth.PLAIN if name in SERVANTS else Depth.CLOSE
        return Depth.NEVER if body else listed_depth(path, code.co_qualname)


def listed_depth(path: str, qualname: str) -> Depth:
    """What the lists say of a function of the stack: the most exact entry counts."""
    owner = qualname
    while owner:
        if (depth := FUNCTIONS.get((path, owner))) is not None:
            return depth
        # What is defined inside a listed class or function goes with it.
        owner = owner.rpartition(".")[0].removesuffix(".<locals>")
    depth = _file_depth(path)
    name = qualname.rpartition(".")[2]
    if depth >= Depth.CLOSE and (name in SERVANTS or name == "<lambda>"):
        return Depth.PLAIN
    return depth


def _file_depth(path: str) -> Depth:
    """The entry for the file, for one of its folders, or for its package."""
    if (depth := FILES.get(path)) is not None:
        return depth
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        if (depth := FILES.get(folder + "/")) is not None:
            return depth
    if (depth := STANDARD_LIBRARY.get(path)) is not None:
        return depth
    return STACK.get(path.partition("/")[0], Depth.NEVER)


def _package_folders() -> dict[str, str]:
    """Where each package of the stack is installed, without importing it."""
    folders = {}
    for package in STACK:
        try:
            found = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            continue
        if found is not None and found.submodule_search_locations:
            folders[package] = _folder(next(iter(found.submodule_search_locations)))
    return folders


def _folder(path: str) -> str:
    # Not resolved: a code object's file name is what the path of imports says.
    return str(Path(path).absolute()) + os.sep


def _prefixes(root: Path) -> tuple[str, ...]:
    """What the names of the files at or below ``root`` begin with, symbolic links or not."""
    paths = {Path(root).absolute(), Path(root).resolve()}
    return tuple(str(path) if path.is_file() else str(path) + os.sep for path in paths)
