"""A scenario from a file of somebody's own: a function of a session, as those in scenarios/plays.py.

The rule kept here: the file is run as it is, once, and says by itself which
function is meant, where it holds more than one.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from utils.errors import InputError

if TYPE_CHECKING:
    from utils.subject.session import Session

Scenario = Callable[["Session"], object]

#: What a function is called that is meant where there are others.
USUAL = "scenario"


def load(words: str) -> Scenario:
    """The scenario of ``FILE`` or ``FILE:FUNCTION``.

    Raises InputError if there is no such file, or it does not say which
    function is meant; what running the file raises comes through.
    """
    name, _, wanted = words.rpartition(":")
    if not name or not wanted.isidentifier():
        name, wanted = words, ""
    path = Path(name)
    if not path.is_file():
        raise InputError(
            f"there is no scenario {name!r}",
            next_step="name a Python file that holds a function of a session",
        )
    functions = _functions(path)
    if wanted or USUAL in functions or len(functions) == 1:
        found = functions.get(wanted or (USUAL if USUAL in functions else next(iter(functions))))
        if found is not None:
            return found
    there = ", ".join(functions) or "none"
    raise InputError(
        f"{name} does not say what is to be played" if not wanted else f"{name} has no scenario {wanted!r}",
        why=f"its functions of one argument are: {there}",
        next_step=f"name one of them, as {name}:{next(iter(functions), 'function')}",
    )


def _functions(path: Path) -> dict[str, Scenario]:
    """The functions that the file defines, take a session, and are nobody's secret."""
    # A name of its own: the application may well be called as its scenario is.
    spec = importlib.util.spec_from_file_location(f"scenario of {path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file", next_step="name a file that ends in .py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # what stands beside it can be imported
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and _takes_a_session(value)
    }


def _takes_a_session(function: Callable[..., object]) -> bool:
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return len(needed) == 1
