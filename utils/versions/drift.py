"""What is said where something is asked for by a name that nothing in a recording has.

The rule kept here: a library renames its functions as it likes, and what names
one of them in a notebook must then fail loudly and help to follow.  So the
names most like it are told, where they stand, and of which version; and that
the walkthrough was checked with another one, if it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from utils import libraries
from utils.errors import InputError
from utils.records import Call, Code
from utils.versions import pins

#: How many names are told, at most, and how alike they have to be (difflib's ratio).
MOST, ALIKE = 3, 0.5


def missing(
    what: str, name: str, calls: Iterable[Call], versions: Mapping[str, str], known: Sequence[str] = ()
) -> InputError:
    """The error for ``name``, of which ``what`` says that it is not there.

    ``known`` are the other things that can be asked for; ``versions`` those
    that were recorded, by distribution.
    """
    functions = {call.code.name: call.code for call in calls}
    nearest = [functions[one] for one in _nearest(name, functions)]
    why = [f"those in it are {', '.join(map(repr, known))}"] if known else []
    if nearest:
        why.append("of the functions that ran, the nearest by name are " + ", ".join(map(_where, nearest)))
    moved = sorted({said for code in nearest if (said := _moved(code, versions))})
    why += moved
    if moved:
        step = "if the library has renamed it, ask by its new name; `make setup` brings the versions checked"
    elif nearest:
        step = "ask for one of them; level 3 of a stepper shows all functions"
    else:
        step = "ask for one of them, or record a scenario that brings it about"
    return InputError(what, why="; ".join(why) or "no function ran in it", next_step=step)


def _nearest(name: str, functions: Iterable[str]) -> list[str]:
    """The names most like ``name``, which may be the end of a qualified name only."""
    parts = name.count(".") + 1
    tails: dict[str, list[str]] = {}
    for function in functions:
        tails.setdefault(".".join(function.split(".")[-parts:]), []).append(function)
    close = get_close_matches(name, tails, n=MOST, cutoff=ALIKE)
    return [function for tail in close for function in tails[tail]][:MOST]


def _where(code: Code) -> str:
    """``SocketIO.on (Flask-SocketIO 5.7.0, flask_socketio/__init__.py:272)``."""
    place = libraries.place(code.filename)
    if place is None:
        return code.name
    library = f"{place.library.name} {place.library.version}".rstrip()
    return f"{code.name} ({library}, {place.path}:{code.first_line})"


def _moved(code: Code, versions: Mapping[str, str]) -> str:
    """That the walkthrough was checked with another version of its library; or nothing."""
    place = libraries.place(code.filename)
    if place is None:
        return ""
    name = place.library.name
    recorded, checked = versions.get(name, place.library.version), pins.pin(name)
    if checked in (None, recorded):
        return ""
    return f"this was recorded with {name} {recorded}, and the walkthrough was checked with {checked}"
