"""A whole capture decoded: messages as columns, made when somebody looks at them.

The rule kept here: a message costs forty bytes, whatever it carries, until
somebody looks at it; then it is decoded from the capture's own bytes.  So a
million of them are told apart in a second, and the first is there at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from utils.records import Message, Segment
from utils.streams import bulk
from utils.streams.payloads import Payloads, payloads
from utils.streams.ports import Ports
from utils.streams.runs import NOTHING, Dissector, Kept
from utils.streams.segments import Segments
from utils.wire import frames
from utils.wire.units import SocketPacket
from utils.wire.websocket import Opcode

#: So many messages, and bytes, are looked at together while somebody looks at all of them.
_STRIDE, _MOST_BYTES = 1 << 12, 1 << 23

#: The first byte of a text message in one frame.
_TEXT, _COMPRESSED_TEXT = 0x81, 0xC1


class Messages(Sequence[Message]):
    """The messages of a capture, by the time of their last byte.

    A message is made anew each time it is looked at; two of them are equal
    where they tell the same.
    """

    def __init__(self, segments: Segments, rows: NDArray[Any], kept: Sequence[Kept], ports: Ports) -> None:
        self._data = segments.data
        self._flows = segments.flows
        self._sides = tuple(map(ports.side, segments.flows))
        self._rows = rows
        self._kept = kept

    def socketio(self) -> Iterator[tuple[int, SocketPacket]]:
        """Every Socket.IO packet, in order, with its message's place: type, namespace, id and JSON.

        Attachments stand where the wire has them: behind their packet, each a
        message of its own (see :func:`utils.wire.attachments.whole_packets`).
        """
        begin = 0
        while begin < len(self._rows):
            rows = self._rows[begin : begin + _STRIDE]
            fitting = int(np.searchsorted(np.cumsum(rows["size"], dtype=np.int64), _MOST_BYTES))
            rows = rows[: max(1, fitting)]
            texts = _texts(self._data, rows, self._kept)
            yield from bulk.packets(texts, self._unusual, begin)
            begin += len(rows)

    def _unusual(self, place: int) -> list[SocketPacket]:
        """The Socket.IO packets of a message, as its unit has them."""
        kept = int(self._rows["kept"][place])
        what = self._kept[kept] if kept != NOTHING else None
        if isinstance(what, frames.Cut) and what.part is not None and what.part.whole is None:
            return []  # the message's last frame has them
        packets = self[place].unit.packets
        return [packet.socketio for packet in packets if packet.socketio is not None]

    def first_of_each_flow(self) -> list[Message]:
        """The first message of each flow, in order."""
        _, places = np.unique(self._rows["flow"], return_index=True)
        return [self[place] for place in sorted(places.tolist())]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Message: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Message, ...]: ...

    def __getitem__(self, place: int | slice) -> Message | tuple[Message, ...]:
        if isinstance(place, slice):
            return tuple(self._message(*row) for row in self._rows[place].tolist())
        return self._message(*self._rows[place].item())

    def __iter__(self) -> Iterator[Message]:
        for begin in range(0, len(self._rows), _STRIDE):
            yield from self[begin : begin + _STRIDE]

    def _message(self, time_ns: int, start: int, at: int, size: int, flow: int, kept: int) -> Message:
        what = None if kept == NOTHING else self._kept[kept]
        if isinstance(what, Message):
            return what
        if isinstance(what, frames.Cut):
            return Message(self._flows[flow], what.unit(), time_ns, time_ns)
        whose, raw = self._sides[flow], self._data[at : at + size]
        plain = kept == NOTHING
        unit = frames.plain(whose, start, raw) if plain else frames.inflated(whose, start, raw, what)
        return Message(self._flows[flow], unit, time_ns, time_ns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __repr__(self) -> str:
        return f"<{len(self)} messages>"


def messages(segments: Iterable[Segment], *, server_port: int | Ports) -> Messages:
    """All messages of a capture, by the time of their last byte; of several servers, if there are."""
    columns, ports = Segments.of(segments), Ports.of(server_port)
    dissector = Dissector(columns, ports)
    return Messages(columns, dissector.run(), dissector.kept, ports)


def _texts(data: bytes, rows: NDArray[Any], kept: Sequence[Kept]) -> Payloads:
    """What the text messages among ``rows`` carry; nothing for what only its unit can tell."""
    first = np.frombuffer(data or b"\0", np.uint8)[rows["at"]]
    plain = (rows["kept"] == NOTHING) & (first == _TEXT)
    others = np.flatnonzero(rows["kept"] != NOTHING)
    known = {}
    for place, number, opening in zip(
        others.tolist(), rows["kept"][others].tolist(), first[others].tolist(), strict=True
    ):
        what = kept[number]
        if isinstance(what, bytes):
            if opening == _COMPRESSED_TEXT:
                known[place] = what
        elif isinstance(what, frames.Cut):
            part = what.part
            if part is not None and part.whole is not None and part.opcode is Opcode.TEXT:
                known[place] = part.whole
    return payloads(data, rows["at"], np.where(plain, rows["size"], 0), known)
