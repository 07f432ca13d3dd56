"""The exercises of the notebooks: an answer, held against what the run showed.

The rule kept here: an answer is judged, never run into; whatever it is, the
reader gets a verdict (what was expected, what came, where to look) and no
traceback.  What is expected is handed in from the run, so nothing stands here
that could become stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from utils.views import wording
from utils.views.verdicts import State, Verdict, verdict
from utils.views.view import View

#: Longer values are cut when they are told, in characters.
MOST = 240

#: What a predicate that says nothing of itself asks for.
_UNSAID = "an answer that fits what the run showed"


def check(got: object, expected: object, look: str = "") -> View:
    """Hold the answer ``got`` against ``expected``, and say where to ``look``.

    ``expected`` is a value; a set or a range, of which the answer has to be one
    member (a set is held against a set as a whole); or a predicate, which is
    called with the answer and whose docstring says what it asks for.  A list and
    a tuple with the same members are the same answer; ``True`` and ``1`` are not.

    ``...`` stands for an answer that is still to be given.  Raises nothing.
    """
    if _open(got):
        return verdict(Verdict(State.OPEN, look=look))
    note = ""
    try:
        right = _fits(got, expected)
        note = "" if right else _parting(got, expected)
    except Exception as error:  # a foreign comparison or predicate may raise anything
        right, note = False, f"it cannot be compared: {type(error).__name__}: {_said(error)}"
    if right:
        return verdict(Verdict(State.RIGHT, got=_told(got)))
    return verdict(Verdict(State.WRONG, _wanted(expected), _told(got), note, look))


def _open(got: object) -> bool:
    """Whether the answer, or a part of it, still is ``...``."""
    if isinstance(got, Mapping):
        return any(map(_open, got.values()))
    if isinstance(got, list | tuple):
        return any(map(_open, got))
    return got is ...


def _fits(got: object, expected: Any) -> bool:
    if _asks(expected):
        return bool(expected(got))
    if isinstance(expected, set | frozenset) and not isinstance(got, set | frozenset):
        return any(_same(got, one) for one in expected)
    if isinstance(expected, range) and not isinstance(got, range):
        return not isinstance(got, bool) and got in expected
    return _same(got, expected)


def _asks(expected: object) -> bool:
    """Whether it is a predicate; a class is a value, as any other."""
    return callable(expected) and not isinstance(expected, type)


def _same(got: object, expected: object) -> bool:
    if isinstance(got, list | tuple) and isinstance(expected, list | tuple):
        return len(got) == len(expected) and all(map(_same, got, expected))
    return isinstance(got, bool) == isinstance(expected, bool) and bool(got == expected)


def _parting(got: object, expected: object) -> str:
    """Where two sequences of one kind part, or that they are of two kinds; else nothing."""
    for kind, unit in ((bytes | bytearray, "byte"), (str, "character"), (list | tuple, "item")):
        if isinstance(got, kind) and isinstance(expected, kind):
            return _first_difference(got, expected, unit)
    if isinstance(got, str) and isinstance(expected, bytes | bytearray):
        return "that is text; bytes are asked for: b'...', or text.encode()"
    if isinstance(got, bytes | bytearray) and isinstance(expected, str):
        return "those are bytes; text is asked for: data.decode()"
    return ""


def _first_difference(got: Sequence[object], expected: Sequence[object], unit: str) -> str:
    nothing = object()
    for place, (here, there) in enumerate(zip_longest(got, expected, fillvalue=nothing)):
        if here is nothing:
            return (
                f"it ends after {wording.count(place, unit)}; {wording.count(len(expected), unit)} expected"
            )
        if there is nothing:
            return f"from {unit} {place} on (counted from 0) there is more than expected"
        if not _same(here, there):
            values = [f"{one:#04x}" if unit == "byte" else _told(one) for one in (there, here)]
            return f"{unit} {place} (counted from 0): {values[0]} expected, {values[1]} came"
    return ""


def _wanted(expected: object) -> str:
    if _asks(expected):
        said = (getattr(expected, "__doc__", None) or "").strip().partition("\n")[0]
        return said or _UNSAID
    if isinstance(expected, set | frozenset):
        return "one of " + ", ".join(sorted(map(_told, expected)))
    if isinstance(expected, range) and len(expected) > 1 and expected.step == 1:
        return f"a whole number from {expected[0]} to {expected[-1]}"
    return _told(expected)


def _told(value: object) -> str:
    """A value as it is shown: bytes by their numbers, all else by its repr, either cut where it is long."""
    if isinstance(value, bytes | bytearray):
        size = wording.count(len(value), "byte")
        return wording.shorten(value.hex(" "), MOST) + f" ({size})" if value else size
    if isinstance(value, set | frozenset) and value:  # told in an order that does not differ from run to run
        return "{" + ", ".join(sorted(_told(one) for one in value)) + "}"
    return _said(value, repr)


def _said(value: object, how: Any = str) -> str:
    try:
        return wording.shorten(wording.visible(how(value)), MOST)
    except Exception:  # its repr is the student's own code
        return f"a value of type {type(value).__name__} that cannot show itself"
