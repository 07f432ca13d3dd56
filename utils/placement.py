"""Which message the bytes of a transfer belong to.

The rule kept here: a byte's place in its stream decides, never nearness in
time; so a transfer and a message that share a byte are told of together, and
no others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from utils.records import Flow, Message, Transfer


class Placement:
    """The messages of a recording, each at its place in its stream."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._by_flow: dict[Flow, list[Message]] = defaultdict(list)
        for message in messages:
            self._by_flow[message.flow].append(message)
        for found in self._by_flow.values():
            found.sort(key=lambda message: message.start)

    def message(self, transfer: Transfer) -> Message | None:
        """The message that the last byte of ``transfer`` belongs to."""
        offset = transfer.end - 1
        messages = self._by_flow.get(transfer.flow, [])
        index = bisect_right(messages, offset, key=lambda message: message.start) - 1
        if index >= 0 and offset < messages[index].end:
            return messages[index]
        return None

    def completed(self, send: Transfer) -> Iterator[Message]:
        """The messages whose last byte ``send`` wrote, in the order of their bytes."""
        messages = self._by_flow.get(send.flow, [])
        first = bisect_right(messages, send.offset, key=lambda message: message.end)
        for message in messages[first:]:
            if message.end > send.end:
                return
            yield message
