"""Conversations of any length between one server and many clients, as TCP segments, and what disturbs them."""

from __future__ import annotations

import json
import random
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from lab_server.house import BidView
from tests.wire_bytes import UPGRADE, framed, switching
from utils.records import Endpoint, Flag, Flow, Segment
from utils.wire.units import Side

SERVER = Endpoint("127.0.0.1", 5000)
_POLL = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n"
_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n40{"sid":"x"}'
_DEFLATE = "permessage-deflate"
_OTHER = {Side.CLIENT: Side.SERVER, Side.SERVER: Side.CLIENT}


class Deflater:
    """Compresses the messages of one side, with its window kept (RFC 7692, section 7.2.1)."""

    def __init__(self) -> None:
        self._one = zlib.compressobj(wbits=-15)

    def frame(self, text: str, *, client: bool, key: bytes, opcode: int = 1) -> bytes:
        data = self._one.compress(text.encode()) + self._one.flush(zlib.Z_SYNC_FLUSH)
        return framed(data[:-4], client=client, rsv=4, opcode=opcode, key=key)


def bid(number: int, chance: random.Random, namespace: str = "") -> str:
    """What a client of the auction sends: the event, with an acknowledgement asked for."""
    name = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    told = {"id": name, "lot": number % 50, "bidder": "Grace Hopper", "cents": 12_500 + number}
    return f"42{namespace}{number}{packed(['bid', told])}"


def answers(number: int, namespace: str = "") -> str:
    """What the auction answers: the news to everybody, or the acknowledgement."""
    placed = BidView(number, "Grace Hopper", 12_500 + number, 1_790_000_000_000 + number)
    if number % 4 == 1:
        return f"43{namespace}{number}{packed([{'ok': True, 'bid': placed.as_json()}])}"
    return f"42{namespace}{packed(['bids placed', {'lot': number % 50, 'bids': [placed.as_json()]}])}"


def packed(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def said(
    chance: random.Random,
    messages: int,
    *,
    deflated: bool = False,
    fragments: float = 0.0,
    odd: float = 0.0,
    namespace: str = "",
) -> Iterator[tuple[Side, bytes]]:
    """What both sides of one connection say: a poll, the upgrade, then so many of the auction's messages.

    ``fragments`` and ``odd`` are shares of the messages: in two frames (of one
    segment, or of two); and control frames, binary ones, other packets, faults.
    """
    yield Side.CLIENT, _POLL
    yield Side.SERVER, _ANSWER
    yield Side.CLIENT, UPGRADE
    yield Side.SERVER, switching(_DEFLATE if deflated else "")
    deflaters = {side: Deflater() for side in Side}
    for number in range(messages):
        side = Side.SERVER if number % 2 else Side.CLIENT
        client, key = side is Side.CLIENT, chance.randbytes(4)
        text = bid(number, chance, namespace) if client else answers(number, namespace)
        if chance.random() < odd:
            yield side, chance.choice(_ODD)(client, key, text)
        elif chance.random() < fragments:
            first = framed(text[:20], client=client, key=key, fin=False)
            second = framed(text[20:], client=client, key=key, opcode=0)
            if chance.random() < 0.5:
                yield side, first + second
            else:
                yield side, first
                yield side, second
        elif deflated:
            opcode = 2 if odd and number % 50 == 9 else 1  # now and then, an attachment
            yield side, deflaters[side].frame(text, client=client, key=key, opcode=opcode)
        else:
            yield side, framed(text, client=client, key=key)


_ODD = (
    lambda client, key, text: framed(b"hello", client=client, key=key, opcode=9),
    lambda client, key, text: framed(b"\x01\x02\x03", client=client, key=key),
    lambda client, key, text: framed("2" if client else "3", client=client, key=key),
    lambda client, key, text: framed(text, client=client, key=key) * 3,
    lambda client, key, text: framed("9 is no packet", client=client, key=key),
    lambda client, key, text: framed('42["x",NaN]', client=client, key=key),
    lambda client, key, text: framed(b"\xff\xfe", client=client, key=key, opcode=1),
    lambda client, key, text: framed(text, client=not client, key=key),
    lambda client, key, text: framed(text * 4, client=client, key=key),
    lambda client, key, text: framed("4" + "x" * 70_000, client=client, key=key),
    lambda client, key, text: framed(text, client=client, key=key, rsv=4),
    lambda client, key, text: framed(b"\x03\xe8", client=client, key=key, opcode=8),
    lambda client, key, text: b"\x83no frame",
    lambda client, key, text: _POLL,
)


def segments(
    spoken: Iterator[tuple[Side, bytes]], client: int = 50_001, *, start_ns: int = 1_700_000_000_000_000_000
) -> Iterator[Segment]:
    """Each saying in a segment of its own, as each is sent by itself, between a SYN and a FIN."""
    end = Endpoint("127.0.0.1", client)
    flows = {Side.CLIENT: Flow(end, SERVER), Side.SERVER: Flow(SERVER, end)}
    sent = {Side.CLIENT: 2**32 - 500, Side.SERVER: 7}
    clock = count(start_ns, 10_000)
    for side, flags in ((Side.CLIENT, Flag.SYN), (Side.SERVER, Flag.SYN | Flag.ACK)):
        yield Segment(next(clock), flows[side], sent[side], sent[Side.CLIENT] + 1, flags, b"")
        sent[side] += 1
    for side, data in spoken:
        for at in range(0, len(data), 65_483):
            part = data[at : at + 65_483]
            numbers = sent[side] % 2**32, sent[_OTHER[side]] % 2**32
            yield Segment(next(clock), flows[side], *numbers, Flag.PSH | Flag.ACK, part)
            sent[side] += len(part)
    for side in Side:
        numbers = sent[side] % 2**32, sent[_OTHER[side]] % 2**32
        yield Segment(next(clock), flows[side], *numbers, Flag.FIN | Flag.ACK, b"")


def disturbed(chance: random.Random, whole: list[Segment], share: float) -> list[Segment]:
    """The same segments with some of them lost, late, repeated, overlapping, merged or followed by an ACK."""
    found: list[Segment] = []
    for one in whole:
        if chance.random() >= share or not one.payload:
            found.append(one)
            continue
        fate = chance.randrange(6)
        if fate == 0:  # lost
            continue
        if fate == 1 and found:  # late by a few
            found.insert(max(0, len(found) - chance.randint(1, 4)), one)
        elif fate == 2:  # twice
            found += [one, one]
        elif fate == 3:  # cut in two, with an overlap
            middle = len(one.payload) // 2
            overlap = replace(
                one, sequence=(one.sequence + middle // 2) % 2**32, payload=one.payload[middle // 2 :]
            )
            found += [replace(one, payload=one.payload[:middle]), overlap]
        elif fate == 4:  # acknowledged by itself
            next_one = (one.sequence + len(one.payload)) % 2**32
            found += [
                one,
                Segment(one.time_ns, one.flow.reverse, one.acknowledgment, next_one, Flag.ACK, b""),
            ]
        else:  # a keep-alive probe before it
            found += [replace(one, sequence=(one.sequence - 1) % 2**32, payload=b"\0"), one]
    return found
