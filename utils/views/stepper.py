"""The stepper: a widget that walks a journey, forward and back, at the reader's pace.

The rule kept here: the whole journey is in the page before the first click, so
no step waits for a kernel; and where no widget can run, the same steps stand as
static HTML, and as text that no two runs of the same code tell differently.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from utils.records import Journey, Level
from utils.views import bundle, html, text
from utils.views.plain import Opener, journey_json
from utils.views.view import HTML, PLAIN
from utils.views.ways import Ways


class Stepper(anywidget.AnyWidget):
    """Shows one journey; see :func:`stepper`."""

    _esm = bundle.script()
    _css = bundle.style()

    journey = traitlets.Dict(read_only=True).tag(sync=True)
    level = traitlets.Int(read_only=True).tag(sync=True)
    at = traitlets.Int(read_only=True).tag(sync=True)

    reference = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(
        self,
        facts: Journey,
        level: Level,
        at: int,
        opener: Opener | None,
        ways: Ways | None,
        reference: str,
    ) -> None:
        super().__init__()
        self._facts = facts
        self._level = level
        self.set_trait("journey", journey_json(facts, opener, ways))
        self.set_trait("reference", reference)
        self.set_trait("level", int(level))
        self.set_trait("at", at - 1)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        static = html.steps(self._facts, self._level).html
        return {**data, PLAIN: str(self), HTML: static}, metadata

    def __str__(self) -> str:
        return text.journey_text(self._facts, self._level, times=False)

    def __repr__(self) -> str:
        return str(self)


def stepper(
    journey: Journey,
    level: Level = Level.LIBRARY,
    *,
    at: int = 1,
    opener: Opener | None = None,
    ways: Ways | None = None,
    reference: str = "",
) -> Stepper:
    """A widget that opens at step ``at`` (from 1) of those that ``level`` shows.

    ``opener`` tells, for an excerpt, the address at which its installed file
    can be opened; without it there is only the link to the forge.  ``ways``
    tell of each byte who wrote and who read it.  ``reference`` is the call that
    shows a step, with ``{level}`` and ``{at}`` in it: what a reader hands on.
    """
    return Stepper(journey, level, at, opener, ways, reference)
