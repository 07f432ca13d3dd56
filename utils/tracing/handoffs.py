"""How one thread hands work to another, found by the object that it goes through.

The rule kept here: both sides touched the same object (the queue and the very
item, the event, the thread), and the giving began before the taking ended.  An
item is taken when the thread begins to work on it, if that is recorded.
Which functions give and take, and through what, is the table ``ROLES``; the
joining knows no library.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from utils.records import Call, HandOff, HandOffKind
from utils.tracing.scope import Scope


@dataclass(frozen=True, slots=True)
class Role:
    """What a function does with the object that work goes through."""

    path: str  # as Scope.relative tells it
    name: str  # qualified
    kind: HandOffKind
    gives: bool
    medium: str = "self"  # the argument that is the object ...
    attribute: str = ""  # ... or holds it
    item: str = ""  # of a giver: the argument that is handed on
    returns: bool = False  # a taker that returns the item
    at_enter: bool = False  # a taker that has the work as soon as it runs
    in_order: bool = False  # a taker that takes the oldest gift, not the latest
    uses: bool = False  # neither: it works on an item that was taken, which is its medium


#: Who gives and who takes; whether a taker took anything, see :func:`takes`.
ROLES = (
    Role("queue.py", "Queue.put", HandOffKind.QUEUE, gives=True, item="item"),
    Role("queue.py", "Queue.get", HandOffKind.QUEUE, gives=False, returns=True, in_order=True),
    # A writer may take several packets out of its queue before it works on the first:
    # each is taken up when it is encoded.
    Role("engineio/packet.py", "Packet.encode", HandOffKind.QUEUE, gives=False, uses=True),
    Role("threading.py", "Event.set", HandOffKind.EVENT, gives=True),
    Role("threading.py", "Event.wait", HandOffKind.EVENT, gives=False),
    # It returns without waiting if a message is there already; each message was
    # announced by one set of the event.
    Role(
        "simple_websocket/ws.py",
        "Base.receive",
        HandOffKind.EVENT,
        gives=False,
        attribute="event",
        in_order=True,
    ),
    Role("threading.py", "Thread.start", HandOffKind.THREAD, gives=True),
    Role("threading.py", "Thread.run", HandOffKind.THREAD, gives=False, at_enter=True),
    # gevent's own, in their Python form (see greenlets.TELLING).
    Role("gevent/queue.py", "SimpleQueue.put", HandOffKind.QUEUE, gives=True, item="item"),
    Role("gevent/queue.py", "SimpleQueue.get", HandOffKind.QUEUE, gives=False, returns=True, in_order=True),
    Role("gevent/event.py", "Event.set", HandOffKind.EVENT, gives=True),
    Role("gevent/event.py", "Event.wait", HandOffKind.EVENT, gives=False),
    Role("gevent/greenlet.py", "Greenlet.start", HandOffKind.THREAD, gives=True),
    Role("gevent/greenlet.py", "Greenlet.run", HandOffKind.THREAD, gives=False, at_enter=True),
)

#: Queues and events that these files use are their own affair: a pool of
#: connections, a thread's signal that it has started.  No work is handed on.
KEEPERS = ("urllib3/", "threading.py")

_BY_NAME = {(role.path, role.name): role for role in ROLES}


def role_of(scope: Scope, code: CodeType) -> Role | None:
    """The role of ``code`` in handing work on, if it has one."""
    path = scope.relative(code.co_filename)
    return None if path is None else _BY_NAME.get((path, code.co_qualname))


def identities(role: Role) -> Callable[[Mapping[str, Any]], tuple[int, int]]:
    """The function that reads, off a call's arguments by name, what it goes through and what it gives.

    It returns the ids of the two objects; 0 where nothing is given.
    """
    medium, attribute, item = role.medium, role.attribute, role.item
    if item:
        return lambda values: (id(values[medium]), id(values[item]))
    if attribute:
        # Past a __getattribute__ of others.
        return lambda values: (id(object.__getattribute__(values[medium], attribute)), 0)
    return lambda values: (id(values[medium]), 0)


def takes(role: Role | None, result: Any) -> bool:
    """Whether a taker that returns ``result`` took something.

    What comes out of a queue was put in, even None: by it a thread is told to end.
    """
    by_item = role is not None and role.kind is HandOffKind.QUEUE
    return by_item or (result is not None and result is not False)


@dataclass(frozen=True, slots=True)
class End:
    """One side of a possible hand-off: a call that gave, one that took, or one that used what was taken."""

    call: Call
    role: Role
    medium: int
    item: int = 0

    @property
    def time_ns(self) -> int:
        """When it began to give, or had taken."""
        if self.role.gives or self.role.uses or self.role.at_enter or self.call.leave_ns is None:
            return self.call.enter_ns
        return self.call.leave_ns


def join(
    scope: Scope,
    ends: Iterable[End],
    calls: Sequence[Call],
    threads: Mapping[int, int],
) -> tuple[HandOff, ...]:
    """The hand-offs between ``ends``, by the time of their taking.

    ``threads`` maps the number of a thread to the id of its Thread object; a
    thread that runs no ``Thread.run`` takes its start with its first call.
    """
    takers: list[End] = []
    users: list[End] = []
    shelves: dict[tuple[HandOffKind, int, int], _Shelf] = defaultdict(_Shelf)
    ends = sorted(ends, key=lambda end: end.time_ns)
    for end in ends:
        if end.role.kind is not HandOffKind.THREAD and _is_kept(scope, end.call):
            continue
        if end.role.uses:
            users.append(end)
        elif end.role.gives:
            shelves[end.role.kind, end.medium, end.item].gifts.append(end)
        else:
            takers.append(end)
    takers = _outermost(takers, calls) + _first_calls(calls, threads, ends)
    takers.sort(key=lambda end: end.time_ns)
    uses = _Uses(users, takers)
    found = []
    for taker in takers:
        shelf = shelves.get((taker.role.kind, taker.medium, taker.item))
        gift = shelf.take(taker) if shelf is not None else None
        if gift is None or gift.call.thread == taker.call.thread:
            continue
        found.append(
            HandOff(
                process=taker.call.process,
                kind=taker.role.kind,
                given=gift.call.id,
                taken=taker.call.id,
                given_ns=gift.time_ns,
                taken_ns=uses.first(taker),
            )
        )
    return tuple(sorted(found, key=lambda handoff: handoff.taken_ns))


@dataclass(slots=True)
class _Shelf:
    """What was given through one object, by time, and how far it is taken."""

    gifts: list[End] = field(default_factory=list)
    next: int = 0
    seen: dict[int, int] = field(default_factory=dict)  # thread → number of the last gift it took

    def take(self, taker: End) -> End | None:
        """The gift that ``taker`` took; each once, or each once in each thread."""
        if taker.role.in_order:
            if self.next == len(self.gifts) or self.gifts[self.next].time_ns > taker.time_ns:
                return None
            self.next += 1
            return self.gifts[self.next - 1]
        # An event stays set, and wakes all who wait: for each thread it counts once.
        latest = bisect_right(self.gifts, taker.time_ns, key=lambda end: end.time_ns) - 1
        if latest <= self.seen.get(taker.call.thread, -1):
            return None
        if not taker.role.at_enter and self.gifts[latest].time_ns < taker.call.enter_ns:
            # Set before anybody waited: the taker was not woken, it went on.
            return None
        self.seen[taker.call.thread] = latest
        return self.gifts[latest]


class _Uses:
    """When the items that came out of queues were worked on."""

    def __init__(self, users: Iterable[End], takers: Iterable[End]) -> None:
        self._used = _times((end.call.thread, end.medium, end) for end in users)
        self._taken = _times((end.call.thread, end.item, end) for end in takers)

    def first(self, taker: End) -> int:
        """When ``taker``'s thread began to work on what it took; at once, if that is not known."""
        key = taker.call.thread, taker.item
        used = _after(self._used.get(key, ()), taker.time_ns)
        # An item's place in memory may be used again, by the next one taken.
        following = _after(self._taken.get(key, ()), taker.time_ns + 1)
        return taker.time_ns if used is None or (following is not None and used > following) else used


def _times(ends: Iterable[tuple[int, int, End]]) -> dict[tuple[int, int], list[int]]:
    """The times of the ends, in order, by thread and object."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for thread, touched, end in ends:
        found[thread, touched].append(end.time_ns)
    return found


def _after(times: Sequence[int], time_ns: int) -> int | None:
    """The first of ``times`` from ``time_ns`` on."""
    place = bisect_left(times, time_ns)
    return times[place] if place < len(times) else None


def _is_kept(scope: Scope, call: Call) -> bool:
    path = None if call.site is None else scope.relative(call.site.code.filename)
    return path is not None and path.startswith(KEEPERS)


def _outermost(takers: list[End], calls: Sequence[Call]) -> list[End]:
    """Without the takers that run inside another one on the same object."""
    by_call = {end.call.id: end for end in takers}
    outer = []
    for end in takers:
        parent = end.call.parent
        while parent is not None:
            around = by_call.get(parent)
            if around is not None and around.medium == end.medium:
                break
            parent = calls[parent].parent
        else:
            outer.append(end)
    return outer


def _first_calls(calls: Sequence[Call], threads: Mapping[int, int], ends: Sequence[End]) -> list[End]:
    """A taker for the first call of each thread that runs no ``Thread.run``."""
    run = next(role for role in ROLES if role.at_enter)
    seen = {end.call.thread for end in ends if end.role.at_enter}
    # That a thread sets the event that it has started is not yet its work.
    others = {end.call.id for end in ends}
    first = []
    for call in calls:
        if call.thread not in seen and call.id not in others:
            seen.add(call.thread)
            first.append(End(call, run, threads.get(call.thread, 0)))
    return first
