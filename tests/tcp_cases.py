"""What TCP does to a conversation on its way, case by case: the same bytes in other segments.

A :class:`Wire` turns what both sides said into segments as a capture sees
them; each case is a function that spoils them in one way that real networks,
kernels and captures do.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.wire_bytes import Pieces
from utils.records import Endpoint, Flag, Flow, Segment
from utils.wire.units import Side

PORT = 5000
TIME = 1_700_000_000_000_000_000
C, S = Side.CLIENT, Side.SERVER


@dataclass
class Wire:
    """The segments of one connection, in the order of the capture."""

    chance: random.Random
    port: int = 40001
    base: dict[Side, int] = field(default_factory=lambda: {C: 1000, S: 77000})  # initial sequence numbers
    largest: int = 60
    segments: list[Segment] = field(default_factory=list)
    bursts: list[range] = field(default_factory=list)  # the segments of each piece that was said
    sent: dict[Side, int] = field(default_factory=lambda: {C: 0, S: 0})

    def flow(self, side: Side) -> Flow:
        up = Flow(Endpoint("127.0.0.1", self.port), Endpoint("127.0.0.1", PORT))
        return up if side is C else up.reverse

    def segment(self, side: Side, offset: int, payload: bytes, flags: int = Flag.ACK) -> Segment:
        other = S if side is C else C
        sequence = (self.base[side] + 1 + offset) % 2**32
        acknowledged = (self.base[other] + 1 + self.sent[other]) % 2**32
        return Segment(TIME, self.flow(side), sequence, acknowledged, flags, payload)

    def handshake(self) -> None:
        self.segments += [
            Segment(TIME, self.flow(C), self.base[C], 0, Flag.SYN, b""),
            Segment(TIME, self.flow(S), self.base[S], (self.base[C] + 1) % 2**32, Flag.SYN | Flag.ACK, b""),
            self.segment(C, 0, b""),
        ]

    def say(self, pieces: Pieces) -> None:
        """Cut what is said into segments of at most ``largest`` bytes, each acknowledged at the piece's end."""
        for side, data in pieces:
            first = len(self.segments)
            at = 0
            while at < len(data):
                part = data[at : at + self.chance.randint(1, self.largest)]
                self.segments.append(self.segment(side, self.sent[side], part, Flag.ACK | Flag.PSH))
                self.sent[side] += len(part)
                at += len(part)
            self.bursts.append(range(first, len(self.segments)))
            self.segments.append(self.segment(S if side is C else C, self.sent[S if side is C else C], b""))

    def close(self) -> None:
        for side in (C, S):
            self.segments.append(self.segment(side, self.sent[side], b"", Flag.ACK | Flag.FIN))
            self.sent[side] += 1
        self.segments.append(self.segment(C, self.sent[C], b""))

    def timed(self) -> list[Segment]:
        """The segments with the stamps of their order."""
        return [replace(one, time_ns=TIME + 1000 * place) for place, one in enumerate(self.segments)]


def _told(chance: random.Random, pieces: Pieces, **options: object) -> Wire:
    wire = Wire(chance, **options)  # type: ignore[arg-type]
    wire.handshake()
    wire.say(pieces)
    wire.close()
    return wire


def in_order(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """Cut anywhere: inside a request's first line, inside a frame's header."""
    return _told(chance, pieces, largest=9).timed()


def out_of_order(chance: random.Random, pieces: Pieces) -> list[Segment]:
    wire = _told(chance, pieces)
    for burst in wire.bursts:
        mixed = [wire.segments[place] for place in burst]
        chance.shuffle(mixed)
        wire.segments[burst.start : burst.stop] = mixed
    return wire.timed()


def the_first_comes_last(chance: random.Random, pieces: Pieces) -> list[Segment]:
    wire = _told(chance, pieces)
    for burst in wire.bursts:
        first, *others = (wire.segments[place] for place in burst)
        wire.segments[burst.start : burst.stop] = [*others, first]
    return wire.timed()


def retransmitted(chance: random.Random, pieces: Pieces) -> list[Segment]:
    wire = _told(chance, pieces)
    for _ in range(20):
        place = chance.randrange(3, len(wire.segments))
        wire.segments.insert(chance.randrange(place + 1, len(wire.segments) + 1), wire.segments[place])
    return wire.timed()


def overlapping(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """Sent again with other borders: half known, half new."""
    wire = _told(chance, pieces)
    whole = {side: b"".join(data for said, data in pieces if said is side) for side in Side}
    for burst in reversed(wire.bursts):
        for place in reversed(burst):
            one = wire.segments[place]
            side = C if one.flow == wire.flow(C) else S
            at = (one.sequence - wire.base[side] - 1) % 2**32
            start, end = max(0, at - chance.randrange(30)), at + chance.randrange(len(one.payload) + 1)
            if start < end:
                wire.segments.insert(
                    place,
                    replace(
                        one, sequence=(wire.base[side] + 1 + start) % 2**32, payload=whole[side][start:end]
                    ),
                )
    return wire.timed()


def conflicting(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """What was delivered comes again with other bytes: the first copy is what the receiver read."""
    wire = _told(chance, pieces)
    for burst in reversed(wire.bursts):
        place = chance.choice(burst)
        false = replace(wire.segments[place], payload=chance.randbytes(len(wire.segments[place].payload)))
        wire.segments.insert(chance.randrange(burst.stop, len(wire.segments) + 1), false)
    return wire.timed()


def keep_alive_probes(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """One old byte, or none, at the place before the next: it asks whether the peer is there."""
    wire = Wire(chance)
    wire.handshake()
    for piece in pieces:
        wire.say([piece])
        for side in Side:
            if wire.sent[side]:
                probe = wire.segment(side, wire.sent[side] - 1, chance.choice([b"", b"\0"]))
                wire.segments.append(probe)
    wire.close()
    return wire.timed()


def across_the_wrap(chance: random.Random, pieces: Pieces) -> list[Segment]:
    size = sum(len(data) for _, data in pieces) // 2
    base = {side: 2**32 - 1 - chance.randrange(1, size) for side in Side}
    return _told(chance, pieces, base=base).timed()


def large_segments(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """Segments over the MTU, as offloading and the loopback make them: several messages in one."""
    joined: list[tuple[Side, bytes]] = []
    for side, data in pieces:
        if joined and joined[-1][0] is side:
            joined[-1] = (side, joined[-1][1] + data)
        else:
            joined.append((side, data))
    return _told(chance, joined, largest=65_000).timed()


def closed_by_a_reset(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """No FIN: the capture's last word is a reset."""
    wire = Wire(chance)
    wire.handshake()
    wire.say(pieces)
    wire.segments.append(wire.segment(C, wire.sent[C], b"", Flag.RST | Flag.ACK))
    return wire.timed()


def a_port_used_again(chance: random.Random, pieces: Pieces) -> list[Segment]:
    """The same two ports, a new connection: before it somebody else asked for a page."""
    before = Wire(chance, base={C: 123_456, S: 654_321})
    before.handshake()
    before.say([(C, b"GET /before HTTP/1.1\r\n\r\n"), (S, b"HTTP/1.1 204 No Content\r\n\r\n")])
    before.close()
    return Wire(chance, segments=[*before.segments, *_told(chance, pieces).segments]).timed()


#: Each gives the same bytes as were said.
CASES: list[Callable[[random.Random, Pieces], list[Segment]]] = [
    in_order,
    out_of_order,
    the_first_comes_last,
    retransmitted,
    overlapping,
    conflicting,
    keep_alive_probes,
    across_the_wrap,
    large_segments,
    closed_by_a_reset,
    a_port_used_again,
]


def interleaved(chance: random.Random, spoken: list[Pieces]) -> list[Segment]:
    """Several clients at once."""
    wires = [_told(chance, pieces, port=40001 + place) for place, pieces in enumerate(spoken)]
    queues = [list(wire.segments) for wire in wires]
    mixed = Wire(chance)
    while queues := [queue for queue in queues if queue]:
        mixed.segments.append(chance.choice(queues).pop(0))
    return mixed.timed()
