"""How exceptions left functions, and where that came to an end.

The rule kept here: an exception goes up from a call to the recorded call
around it, if that left by one, too, and called nothing else in between.  It is
told as caught by the first that did not; what was not recorded on the way may
have caught it before, and is not ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from utils.records import Call, Site


@dataclass(frozen=True, slots=True)
class Escape:
    """One exception: the calls that it left, the innermost first, and the call that caught it."""

    left: tuple[Call, ...]
    caught: Call | None  # None: none that was recorded

    @property
    def raised(self) -> Site:
        """The line that it came from, in the innermost recorded call."""
        first = self.left[0]
        return Site(first.code, first.left or first.code.first_line)

    @property
    def caught_at(self) -> Site | None:
        """The line of the call that caught it at which it was working, if that is known."""
        site = self.left[-1].site
        if self.caught is None or (site is not None and site.code == self.caught.code):
            return site
        return Site(self.caught.code, self.caught.code.first_line)


def escapes(calls: Iterable[Call], of: Iterable[Call] | None = None) -> list[Escape]:
    """Every exception that left a recorded call, or one ``of`` these, in the order of their raising."""
    wanted = None if of is None else {(call.process, call.id) for call in of}
    known = {(call.process, call.id): call for call in calls}
    last_child = {
        (call.process, call.parent): call for call in sorted(known.values(), key=lambda one: one.enter_ns)
    }

    def around(call: Call) -> Call | None:
        return None if call.parent is None else known.get((call.process, call.parent))

    def goes_on(call: Call) -> bool:
        outer = around(call)
        return (
            outer is not None
            and outer.exception == call.exception
            and last_child[call.process, call.parent] is call
        )

    reached = {(call.process, call.parent) for call in known.values() if call.exception and goes_on(call)}
    found = []
    for key, call in known.items():
        if not call.exception or key in reached:
            continue
        left = [call]
        while goes_on(left[-1]) and (outer := around(left[-1])) is not None:
            left.append(outer)
        if wanted is None or any((one.process, one.id) in wanted for one in left):
            found.append(Escape(tuple(left), around(left[-1])))
    return sorted(found, key=lambda one: one.left[0].leave_ns or 0)
