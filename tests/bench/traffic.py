"""A capture file of any size, as this stack would fill it: what the measurements stand on.

One client: a poll, the upgrade, then WebSocket messages of both sides, masked
and not, some in fragments; each in a segment of its own, as each is sent by
itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.wire_bytes import UPGRADE, framed, switching
from utils.capture import files
from utils.records import Endpoint, Flow, Segment
from utils.wire.units import Side

PORT = 5000
_CLIENT, _SERVER = Endpoint("127.0.0.1", 50_001), Endpoint("127.0.0.1", PORT)
_FLOWS = {Side.CLIENT: Flow(_CLIENT, _SERVER), Side.SERVER: Flow(_SERVER, _CLIENT)}
_POLL = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n"
_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n40{"sid":"x"}'


def _said(messages: int) -> Iterator[tuple[Side, bytes]]:
    chance = random.Random(4)
    yield Side.CLIENT, _POLL
    yield Side.SERVER, _ANSWER
    yield Side.CLIENT, UPGRADE
    yield Side.SERVER, switching()
    for number in range(messages // 2):
        key = chance.randbytes(4)
        bid = f'42/lot,{number}["bid",{{"lot":{number % 50},"bidder":"alice","cents":{12_500 + number}}}]'
        told = (
            f'42/lot,["bids placed",{{"lot":{number % 50},"bids":[{{"number":{number},"cents":{number}}}]}}]'
        )
        if number % 50 == 0:  # in two fragments
            yield Side.CLIENT, framed(bid[:20], key=key, fin=False) + framed(bid[20:], key=key, opcode=0)
        else:
            yield Side.CLIENT, framed(bid, key=key)
        yield Side.SERVER, framed(told, client=False)


def write(path: Path, messages: int) -> Path:
    """A capture of so many WebSocket messages."""
    sent = dict.fromkeys(Side, 1)
    segments = []
    for number, (side, data) in enumerate(_said(messages)):
        other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
        time_ns = 1_700_000_000_000_000_000 + 10_000 * number
        segments.append(Segment(time_ns, _FLOWS[side], sent[side], sent[other], 0x18, data))
        sent[side] = (sent[side] + len(data)) % 2**32
    files.write_segments(path, segments)
    return path
