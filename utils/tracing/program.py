"""Runs a module, a script, a folder or an archive as Python itself would.

The rule kept here: the program cannot tell the difference.  It is ``__main__``,
and stays so to the very end, when only its threads or its exit handlers still
run; ``sys.argv``, ``sys.path`` and the module's own names are those that
``python -m MODULE`` and ``python SCRIPT`` set; an exception goes to the
program's own hook, without a frame of ours; and a program may have a package
of the name of ours.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

#: The package that this file belongs to, and whose name the program may want for itself.
_OURS = __name__.partition(".")[0]
_FOLDER = Path(__file__).resolve().parent

#: What of ours is imported only when it is needed.
_WANTED_LATER = (f"{__package__}.assembly", f"{__package__}.store")


class NoProgramError(Exception):
    """There is nothing to run; the message says why, in Python's own words.  ``status`` is Python's, too."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def run_module(name: str, arguments: Sequence[str]) -> None:
    """As ``python -m name arguments``.  Raises NoProgramError if there is no such module."""
    sys.argv[:] = ["-m", *arguments]
    _make_way(sys.path[0])
    spec = _find(name)
    code = _code(spec)
    sys.argv[0] = spec.origin or name
    _run(code, spec.origin or name, spec, spec.name.rpartition(".")[0])


def run_path(path: str, arguments: Sequence[str]) -> None:
    """As ``python path arguments``: a script, compiled or not, or a folder or archive with a ``__main__``.

    Raises NoProgramError if it is not there.
    """
    sys.argv[:] = [path, *arguments]
    where = str(Path(path).absolute())
    importer = pkgutil.get_importer(where)
    if importer is not None:
        _set_first_path(where)
        spec = importer.find_spec("__main__")
        if spec is None:
            raise NoProgramError(f"can't find '__main__' module in {where!r}")
        _run(_code(spec), spec.origin or path, spec, "")
        return
    try:
        with io.open_code(path) as file:
            code: CodeType | None = pkgutil.read_code(file)
        compiled = code is not None
        if code is None:
            with io.open_code(path) as file:
                code = compile(file.read(), where, "exec", dont_inherit=True)
    except OSError as error:
        message = f"can't open file {where!r}: [Errno {error.errno}] {error.strerror}"
        raise NoProgramError(message, status=2) from None
    _set_first_path(str(Path(path).resolve().parent))
    loader = SourcelessFileLoader if compiled else SourceFileLoader
    _run(code, where, None, None, loader("__main__", where))


def run_function(function: Callable[[], None]) -> None:
    """Run ``function``, which imports the program: from the current folder first, as ``python -m`` does."""
    _make_way(sys.path[0])
    function()


def _make_way(folder: str) -> None:
    """Give the name of our package up, if what is first on the program's path has one of that name.

    Our own modules go on working: they hold each other.
    """
    if not _has_package(Path(folder)):
        return
    for name in _WANTED_LATER:
        importlib.import_module(name)
    for name in list(sys.modules):
        # This package's own modules stay to be found, should one of them ask for another.
        if name == _OURS or (name.startswith(f"{_OURS}.") and not name.startswith(__package__)):
            del sys.modules[name]


def _has_package(folder: Path) -> bool:
    """Whether ``folder`` holds a package or module of our name that is not ours."""
    theirs = folder / _OURS
    return theirs.resolve() != _FOLDER.parent and (theirs.is_dir() or theirs.with_suffix(".py").is_file())


def report(error: BaseException) -> None:
    """Hand an exception that the program did not catch to its hook, as Python does at its end."""
    traceback = error.__traceback__
    while traceback is not None and _is_ours(traceback):
        traceback = traceback.tb_next
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)


def _is_ours(traceback: TracebackType) -> bool:
    return Path(traceback.tb_frame.f_code.co_filename).resolve().parent == _FOLDER


def _set_first_path(folder: str) -> None:
    # With -P there is no such entry.
    if not sys.flags.safe_path:
        sys.path[0] = folder
        _make_way(folder)


def _find(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            inner = importlib.util.find_spec(f"{name}.__main__")
            if inner is None:
                raise NoProgramError(
                    f"No module named {name}.__main__; {name!r} is a package and cannot be directly executed"
                )
            spec = inner
    except (ImportError, ValueError) as error:
        raise NoProgramError(f"Error while finding module specification for {name!r} ({error})") from error
    if spec is None:
        raise NoProgramError(f"No module named {name}")
    return spec


def _code(spec: ModuleSpec) -> CodeType:
    loader: Any = spec.loader
    code = loader.get_code(spec.name) if hasattr(loader, "get_code") else None
    if not isinstance(code, CodeType):
        raise NoProgramError(f"No code object available for {spec.name}")
    return code


def _run(
    code: CodeType, filename: str, spec: ModuleSpec | None, package: str | None, loader: Any = None
) -> None:
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=filename,
        __cached__=None if spec is None else spec.cached,
        __loader__=loader if spec is None else spec.loader,
        __package__=package,
        __spec__=spec,
        __builtins__=sys.modules["builtins"],
    )
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    try:
        exec(code, main.__dict__)
    finally:
        if spec is None:  # Python takes a script's file name away when the script has run
            for name in ("__file__", "__cached__"):
                main.__dict__.pop(name, None)
