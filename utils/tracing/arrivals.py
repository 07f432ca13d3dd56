"""Tells when a module of the program has been imported.

The rule kept here: nothing is imported that the program does not import
itself, and the import goes on as it would: the module is found and loaded by
whoever finds and loads it; only afterwards somebody is told.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Listener = Callable[[ModuleType], None]


class Arrivals(MetaPathFinder):
    """Stands first on ``sys.meta_path``, and finds nothing itself."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}
        self._looking: set[str] = set()

    def when(self, name: str, listener: Listener) -> None:
        """Call ``listener`` with the module called ``name``: now, or as soon as it has been imported."""
        module = sys.modules.get(name)
        if module is not None:
            listener(module)
            return
        self._listeners.setdefault(name, []).append(listener)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def forget(self) -> None:
        """Tell nobody any more; idempotent."""
        self._listeners.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders find, with a loader that tells."""
        if fullname not in self._listeners or fullname in self._looking:
            return None
        self._looking.add(fullname)
        try:
            for finder in sys.meta_path:
                if finder is self or not hasattr(finder, "find_spec"):
                    continue
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    # A loader that is a class is shared by all: of such modules nobody is told.
                    if hasattr(spec.loader, "exec_module") and not isinstance(spec.loader, type):
                        self._tell_after(spec.loader, fullname)
                    return spec
            return None
        finally:
            self._looking.discard(fullname)

    def _tell_after(self, loader: Any, name: str) -> None:
        original = loader.exec_module

        @functools.wraps(original)
        def exec_module(module: ModuleType) -> None:
            original(module)
            # The loader is this module's own: it is left as it was found, by whoever comes first.
            vars(loader).pop("exec_module", None)
            for listener in self._listeners.pop(name, ()):
                listener(module)

        loader.exec_module = exec_module
