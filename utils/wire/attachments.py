"""Binary attachments put back where their placeholders stand.

The rule kept here: the attachments of a packet are the binary messages that
follow it from the same side, in order (socket.io-protocol, "Binary
attachments"); nothing else may stand between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from utils.wire import socketio
from utils.wire.units import EnginePacket, Side, SocketPacket, Unit

#: Of a packet with more attachments than this none is kept; a sender may announce any number.
MOST = 1000


class Whole(NamedTuple):
    """A Socket.IO packet with its attachments, and the unit that completed it."""

    unit: Unit
    packet: SocketPacket


class Collector:
    """Takes one side's Engine.IO messages in order, and gives its Socket.IO packets whole."""

    def __init__(self) -> None:
        self._text = ""  # of the packet that waits
        self._found: list[bytes] | None = []
        #: How many attachments the packet under way still lacks.
        self.missing = 0

    def add(self, packet: EnginePacket) -> SocketPacket | None:
        """The Socket.IO packet that ``packet`` completes, if it does."""
        if packet.socketio is not None:
            self.missing = packet.socketio.attachments
            self._found = [] if self.missing <= MOST else None
            if not self.missing or isinstance(packet.data, bytes):
                return packet.socketio
            self._text = packet.data
            return None
        if not packet.attachment or not self.missing or isinstance(packet.data, str):
            return None
        self.missing -= 1
        if self._found is None:
            return None
        self._found.append(packet.data)
        if self.missing:
            return None
        found, self._found = self._found, []
        # Decoded afresh: its data is changed in place, and belongs to nobody else.
        whole = socketio.decode(self._text).packet
        return None if whole is None else whole._replace(data=_filled(whole.data, found))


def whole_packets(units: Iterable[Unit]) -> Iterator[Whole]:
    """The Socket.IO packets of one connection, each with its attachments in place."""
    collectors = {side: Collector() for side in Side}
    for unit in units:
        for packet in unit.packets:
            whole = collectors[unit.side].add(packet)
            if whole is not None:
                yield Whole(unit, whole)


def _filled(data: Any, attachments: list[bytes]) -> Any:
    """``data`` with each placeholder replaced; one whose number is wrong stays."""
    top = [data]
    open_: list[Any] = [top]
    while open_:  # no recursion: how deep the data goes, its sender decides
        inside = open_.pop()
        for key, value in list(enumerate(inside) if isinstance(inside, list) else inside.items()):
            if isinstance(value, dict) and value.get("_placeholder") is True:
                number = value.get("num")
                if type(number) is int and 0 <= number < len(attachments):
                    inside[key] = attachments[number]
            elif isinstance(value, dict | list):
                open_.append(value)
    return top[0]
