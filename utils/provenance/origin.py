"""Where a value came from: the call that had it first.

The rule kept here: a value is followed by what was recorded, outwards through
the calls that were handed it and inwards into those that returned it, and no
further.  The walk ends at the application's own line: what it hands to a
library is its own value, whatever that was made from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from utils import libraries
from utils.provenance import values
from utils.provenance.past import Bounds, Thread
from utils.records import Call, Code, Site, Trace

Holds = Callable[[Any], bool]


class Origin(NamedTuple):
    """The line that had a value first, and the call that shows it.

    The line handed the value to ``call``; or, if ``returned``, it is the line
    at which ``call`` returned it.
    """

    call: Call
    site: Site | None
    returned: bool


class Calls:
    """The recorded calls as the tree that they are."""

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._calls: dict[tuple[str, int], Call] = {}
        self._children: dict[tuple[str, int], list[Call]] = defaultdict(list)
        self._threads: dict[Thread, list[Call]] = defaultdict(list)
        self._applications: list[Call] = []
        for trace in traces:
            for call in trace.calls:
                self._calls[trace.process, call.id] = call
                if call.parent is not None:
                    self._children[trace.process, call.parent].append(call)
                self._threads[trace.process, call.thread].append(call)
                if call.arguments and is_application(call.code):
                    self._applications.append(call)

    def get(self, process: str, number: int | None) -> Call | None:
        """The call with that id, or None."""
        return None if number is None else self._calls.get((process, number))

    def parent(self, call: Call) -> Call | None:
        """The recorded call around ``call``."""
        return self.get(call.process, call.parent)

    def children(self, call: Call) -> list[Call]:
        """The calls made in ``call``, by time."""
        return self._children.get((call.process, call.id), [])

    def around(self, call: Call) -> list[Call]:
        """The calls around ``call``, the innermost first."""
        found = []
        outer = self.parent(call)
        while outer is not None:
            found.append(outer)
            outer = self.parent(outer)
        return found

    def origin(self, call: Call, holds: Holds) -> Origin:
        """Where the value came from that ``call`` was handed."""
        while not (call.site is not None and is_application(call.site.code)):
            outer = next((one for one in self.around(call) if one.arguments is not None), None)
            if outer is not None and handed(outer, holds):
                call = outer
                continue
            within = self.parent(call)
            returned = None if within is None else self._returned(within, call.enter_ns, holds)
            if returned is not None:
                return returned
            break
        return Origin(call, call.site, returned=False)

    def _returned(self, within: Call, before_ns: int, holds: Holds) -> Origin | None:
        """The innermost call in ``within`` that returned the value before ``before_ns``."""
        children = self.children(within)
        last = bisect_right(children, before_ns, key=lambda child: child.enter_ns)
        for child in reversed(children[:last]):
            if child.leave_ns is None or child.leave_ns > before_ns or not returned(child, holds):
                continue
            deeper = self._returned(child, child.leave_ns, holds)
            if deeper is not None:
                return deeper
            return Origin(child, _left(child), returned=True)
        return None

    def first_returned(self, holds: Holds, thread: Thread, since_ns: int, until_ns: int) -> Call | None:
        """The call of ``thread`` that was the first to return the value, in that time."""
        calls = self._threads.get(thread, [])
        first = bisect_right(calls, since_ns, key=lambda call: call.enter_ns)
        last = bisect_right(calls, until_ns, key=lambda call: call.enter_ns)
        found = [call for call in calls[first:last] if returned(call, holds)]
        return min(found, key=lambda call: call.leave_ns or until_ns, default=None)

    def first_handed(self, holds: Holds, bounds: Bounds) -> Call | None:
        """The application's first call, from ``bounds`` on, that was handed the value."""
        for call in self._applications:
            bound = bounds.get((call.process, call.thread))
            if bound is not None and call.enter_ns >= bound and handed(call, holds):
                return call
        return None


def is_application(code: Code) -> bool:
    """Whether ``code`` belongs to no library: a program's, a notebook's."""
    place = libraries.place(code.filename)
    return place is None or not place.library.version


def handed(call: Call, holds: Holds) -> bool:
    """Whether the value is among the arguments of ``call``."""
    return any(holds(values.read(text)) for text in (call.arguments or {}).values())


def returned(call: Call, holds: Holds) -> bool:
    """Whether the value is, or is in, the result of ``call``."""
    return call.result is not None and holds(values.read(call.result))


def _left(call: Call) -> Site | None:
    return None if call.left is None else Site(call.code, call.left)
