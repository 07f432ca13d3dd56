"""Which message the bytes of a transfer belong to.

The rule kept here: a byte's place in its stream decides, never nearness in
time; so a transfer and a message that share a byte are told of together, and
no others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from utils.records import Flow, Message, Transfer


class Placement:
    """The messages of a recording, each at its place in its stream."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._by_flow: dict[Flow, list[Message]] = defaultdict(list)
        for message in messages:
            self._by_flow[message.flow].append(message)
        for found in self._by_flow.values():
            found.sort(key=lambda message: message.start)

    def messages(self, transfer: Transfer) -> Sequence[Message]:
        """The messages of which ``transfer`` moved a byte, in the order of the stream."""
        if not transfer.length:
            return ()
        found = self._by_flow.get(transfer.flow, [])
        first = bisect_right(found, transfer.offset, key=lambda message: message.end)
        last = bisect_left(found, transfer.end, key=lambda message: message.start)
        return found[first:last]

    def message(self, transfer: Transfer) -> Message | None:
        """The message that the last byte of ``transfer`` belongs to."""
        found = self.messages(transfer)
        return found[-1] if found and transfer.end <= found[-1].end else None

    def completed(self, send: Transfer) -> Iterator[Message]:
        """The messages whose last byte ``send`` wrote, in the order of their bytes."""
        return (message for message in self.messages(send) if message.end <= send.end)
