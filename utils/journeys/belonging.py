"""Which messages are one thing: a Socket.IO packet, and the binary attachments that follow it.

The rule kept here: an attachment belongs to the packet that announced it, on
its own connection and in order (socket.io-protocol, "Packet encoding"); every
other message stands for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from utils.records import Flow, Message


class Belonging:
    """The groups of the messages of one recording."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._groups: dict[tuple[Flow, int], list[Message]] = {}  # by a message's place
        announced: dict[Flow, tuple[list[Message], int]] = defaultdict(lambda: ([], 0))
        for message in sorted(messages, key=lambda message: message.start):
            group, missing = announced[message.flow]
            if not (missing and any(packet.attachment for packet in message.unit.packets)):
                group, missing = [], 0
            group.append(message)
            for packet in message.unit.packets:
                if packet.attachment:
                    missing = max(0, missing - 1)
                elif packet.socketio is not None:
                    missing += packet.socketio.attachments
            announced[message.flow] = group, missing
            self._groups[message.flow, message.start] = group

    def of(self, message: Message) -> Sequence[Message]:
        """The group that ``message`` belongs to, in the order of the stream."""
        return self._groups.get((message.flow, message.start), [message])
