"""How deep one must look to see a call: what is folded away, and what stays.

The rule kept here: a call's level follows from what it is and what it does in
the journey, never from its time; so it is the same in every recording.
Nothing is thrown away: what is folded is shown at the level ALL.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils import libraries
from utils.errors import InputError
from utils.journeys.origins import Part
from utils.journeys.turns import Effect, Turns
from utils.journeys.walk import Walk
from utils.records import Call, Level, Transfer

#: The modules by which one thread hands work to another.
HANDING = ("queue.py", "threading.py", "gevent/event.py", "gevent/greenlet.py", "gevent/queue.py")


def level(wanted: int) -> Level:
    """The level that somebody asked for, by itself or by its number.  Raises InputError if there is none."""
    try:
        return Level(wanted)
    except ValueError:
        names = ", ".join(f"Level.{one.name}" for one in Level)
        raise InputError(
            f"there is no level {wanted!r}",
            why="a level tells how deep to look",
            next_step=f"choose one of {names} (from utils.records import Level)",
        ) from None


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of the calls of one walk."""

    turns: Turns
    walk: Walk

    def of(self, part: Part, call: Call) -> Level:
        """How deep one must look to see ``call`` in ``part``."""
        # Whether a thread came to wait once more before its next turn is chance.
        if not _does_work(call) or self.turns.waits(call):
            return Level.ALL
        effects = self.turns.effects_of(call)
        if effects and all(self._is_housekeeping(effect) for effect in effects):
            return Level.ALL
        parent = self.turns.call(call.process, call.parent)
        library = _library(call)
        crosses = parent is None or _library(parent) != library
        where = libraries.place(call.code.filename)
        # Everybody calls what hands work on; it is told where it does.
        if where is not None and where.path in HANDING:
            return Level.LIBRARY if self.walk.goes_on_from(call) else Level.ALL
        if where is None or where.library.name != libraries.PYTHON:
            return Level.LIBRARY if crosses else Level.ESSENTIAL
        # So it is with Python's own library, where it moves the work on.
        effects = self.turns.effects(part.turn, call.enter_ns, call.leave_ns)
        return Level.LIBRARY if crosses and effects else Level.ESSENTIAL

    def of_handoff(self, part: Part) -> Level:
        """How deep one must look to see that a thread went on with ``part``."""
        return Level.ALL if self._is_idle(part) else Level.LIBRARY

    def _is_housekeeping(self, effect: Effect) -> bool:
        """Whether ``effect`` only sets a thread to where it waits, as is done once for all that comes."""
        if isinstance(effect, Transfer):
            return False
        parts = list(self.walk.woken(effect))
        return bool(parts) and all(map(self._is_idle, parts))

    def _is_idle(self, part: Part) -> bool:
        """Whether nothing is done in ``part`` that is worth to be told."""
        return not self.walk.effects(part) and not any(
            _does_work(call) and not self.turns.waits(call) and not _is_handing(call)
            for call in self.walk.calls(part)
        )


def _does_work(call: Call) -> bool:
    """Whether ``call`` is of a function that does the work of a journey.

    Of those the tracer takes snapshots.  What Python's logging asks for, be it
    the application's, is not the journey's work.
    """
    if call.arguments is None:
        return False
    asked = None if call.site is None else libraries.place(call.site.code.filename)
    return asked is None or not asked.path.startswith("logging/")


def _is_handing(call: Call) -> bool:
    where = libraries.place(call.code.filename)
    return where is not None and where.path in HANDING


def _library(call: Call) -> str | None:
    where = libraries.place(call.code.filename)
    return None if where is None else where.library.name
