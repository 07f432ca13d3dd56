"""The recorded calls as the tree that they are, thread by thread.

The rule kept here: a call stands where it was entered; its caller is the
nearest recorded call around it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from utils.records import Call, Transfer


class CallTree:
    """The calls of all threads of all processes."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, int], Call] = {}
        self._by_thread: dict[tuple[str, int], list[Call]] = defaultdict(list)

    def add(self, call: Call) -> None:
        """One more call, in the order of their beginnings."""
        self._calls[call.process, call.id] = call
        self._by_thread[call.process, call.thread].append(call)

    def call(self, process: str, number: int | None) -> Call | None:
        """The call with that id, or None if it was not recorded."""
        return None if number is None else self._calls.get((process, number))

    def around(self, transfer: Transfer) -> Iterator[Call]:
        """The recorded calls that ``transfer`` was made in, the innermost first."""
        call = self.call(transfer.process, transfer.call)
        if call is not None:
            yield call
            yield from self.ancestors(call)

    def ancestors(self, call: Call) -> Iterator[Call]:
        """The calls around ``call``, the innermost first."""
        around = self.call(call.process, call.parent)
        while around is not None:
            yield around
            around = self.call(around.process, around.parent)

    def entered(self, process: str, thread: int, begin: int, end: int) -> Iterator[Call]:
        """The calls that were entered from ``begin`` to ``end``."""
        calls = self._by_thread[process, thread]
        for call in islice(calls, bisect_left(calls, begin, key=lambda call: call.enter_ns), None):
            if call.enter_ns >= end:
                return
            yield call

    def siblings(self, call: Call) -> Iterator[Call]:
        """``call``, and what its caller (recorded or not) called after it in the same thread."""
        calls = self._by_thread[call.process, call.thread]
        first = bisect_left(calls, call.enter_ns, key=lambda other: other.enter_ns)
        for other in islice(calls, first, None):
            if other.parent == call.parent and other.id >= call.id:
                yield other
