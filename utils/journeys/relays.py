"""What a message queue did with what it was sent, as the wire tells.

The rule kept here: a queue is not traced, so nothing is claimed of it but what
its own protocol shows.  An answer belongs to the command at its place in its
connection; and what a subscriber is sent is a publication, if channel and
bytes are equal and it came before: of several equal ones, the first that this
subscriber has not been sent yet.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from utils.records import Flow, Message
from utils.wire import commands
from utils.wire.units import Layer


class Relays:
    """The commands and publications of one recording, and what became of each."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._onward: dict[tuple[Flow, int], list[Message]] = defaultdict(list)
        self._source: dict[tuple[Flow, int], Message] = {}
        self._sent: dict[Flow, list[Message]] = defaultdict(list)
        self._came: dict[Flow, list[Message]] = defaultdict(list)
        asked: dict[Flow, deque[Message]] = defaultdict(deque)
        published: dict[commands.Publication, list[Message]] = defaultdict(list)
        delivered: dict[tuple[commands.Publication, Flow], int] = defaultdict(int)
        for message in messages:
            if message.unit.layer is not Layer.REDIS:
                continue
            role = commands.role(message.unit)
            if role.asks:
                asked[message.flow].append(message)
            if role.publishes is not None:
                published[role.publishes].append(message)
            if role.asks or role.publishes:
                self._sent[message.flow].append(message)
            if role.answers and asked[message.flow.reverse]:
                self._link(asked[message.flow.reverse].popleft(), message)
            elif role.delivers is not None:
                number = delivered[role.delivers, message.flow]
                if number < len(published[role.delivers]):
                    delivered[role.delivers, message.flow] += 1
                    self._link(published[role.delivers][number], message)
        for placed in (*self._sent.values(), *self._came.values()):
            placed.sort(key=lambda message: message.start)

    def _link(self, cause: Message, effect: Message) -> None:
        self._onward[cause.flow, cause.start].append(effect)
        self._source[effect.flow, effect.start] = cause
        self._came[effect.flow].append(effect)

    def onward(self, flow: Flow, start: int, end: int) -> list[Message]:
        """What the queue sent because of the messages that end in those bytes: the answer first."""
        return [
            effect
            for message in self._sent.get(flow, ())
            if start < message.end <= end
            for effect in sorted(
                self._onward[flow, message.start], key=lambda effect: effect.flow != flow.reverse
            )
        ]

    def begins(self, flow: Flow, offset: int) -> bool:
        """Whether something that the queue sent because of something else begins at that byte."""
        return (flow, offset) in self._source

    def source(self, flow: Flow, start: int, end: int) -> Message | None:
        """Why the queue sent what stands there: the cause of its first message; None if that is not known."""
        for message in self._came.get(flow, ()):
            if message.start < end and start < message.end:
                return self._source[flow, message.start]
        return None
