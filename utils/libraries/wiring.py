"""Which objects of the stack hold which: the network that a line such as ``SocketIO(app)`` leaves behind.

The rule kept here: living objects are looked at through their own dictionaries
alone.  No property, no ``__getattr__`` and no foreign ``__repr__`` runs, so
that looking changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType

from utils.libraries import places
from utils.records import Library

#: The libraries whose objects are followed; the root is followed whatever it is.
LIBRARIES = frozenset({"Flask-SocketIO", "python-socketio", "python-engineio"})

#: How many objects are followed, at most.
MOST = 40

#: How deep dictionaries within dictionaries are looked into.
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Thing:
    """An object (or a function): the name of its class with its package, and whose it is."""

    name: str  # "socketio.Server"
    library: str  # "python-socketio 5.18.1"; empty for what is nobody's


@dataclass(frozen=True, slots=True)
class Reference:
    """``holder`` has ``target`` at ``path``; ``method`` is the one that is meant, of a bound method."""

    holder: int
    path: str  # ".eio", ".handlers['connect']"
    target: int
    method: str = ""


@dataclass(frozen=True, slots=True)
class Wiring:
    """The objects in the order in which they are met from the root, and what they hold of each other."""

    things: tuple[Thing, ...]
    references: tuple[Reference, ...]


def wired(root: object, among: frozenset[str] = LIBRARIES) -> Wiring:
    """The network of objects that ``root`` leads to, through attributes and dictionaries.

    Followed are the objects of the libraries ``among`` and the functions that
    they hold, at most MOST of them.  A bound method leads to its object.
    """
    found: list[object] = [root]
    places = {id(root): 0}  # ``found`` keeps them alive, so that no id is given twice
    references = []
    for holder, thing in enumerate(found):  # it grows on the way
        for path, value in _held(thing):
            target, method = (value.__self__, value.__name__) if type(value) is MethodType else (value, "")
            if id(target) not in places:
                if len(found) == MOST or not _followed(target, among):
                    continue
                places[id(target)] = len(found)
                found.append(target)
            references.append(Reference(holder, path, places[id(target)], method))
    return Wiring(tuple(map(_thing, found)), tuple(references))


def _held(thing: object) -> Iterator[tuple[str, object]]:
    """What ``thing`` holds by name: its attributes, and what stands in those that are dictionaries."""
    try:
        attributes = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return
    for name, value in list(attributes.items()):
        yield from _opened(f".{name}", value, _DEPTH)


def _opened(path: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    if type(value) is dict and depth:
        for key, inner in list(value.items()):
            if type(key) is str:
                yield from _opened(f"{path}[{key!r}]", inner, depth - 1)
    elif not issubclass(type(value), type | dict):
        yield path, value


def _followed(thing: object, among: frozenset[str]) -> bool:
    if type(thing) is FunctionType:
        place = places.place(thing.__code__.co_filename)
        return place is not None and (place.library.name in among or not place.library.version)
    library = _library(type(thing))
    return library is not None and library.name in among


def _library(of: type) -> Library | None:
    file = getattr(sys.modules.get(of.__module__), "__file__", None)
    place = places.place(file) if file else None
    return None if place is None else place.library


def _thing(thing: object) -> Thing:
    if type(thing) is FunctionType:
        place = places.place(thing.__code__.co_filename)
        return Thing(thing.__code__.co_qualname, _versioned(None if place is None else place.library))
    of = type(thing)
    return Thing(f"{of.__module__.partition('.')[0]}.{of.__qualname__}", _versioned(_library(of)))


def _versioned(of: Library | None) -> str:
    """Name and version; nothing for an application, whose file may be a notebook's cell."""
    return f"{of.name} {of.version}" if of is not None and of.version else ""
