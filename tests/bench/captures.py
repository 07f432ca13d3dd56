"""A capture file of any size, as this stack would fill it: what the measurements stand on.

Ten clients, one after the other: each polls, upgrades, and then bids and is
told of bids, masked and not, one message in two hundred in fragments; the
messages of one of the ten are deflated, and another speaks in a namespace.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.traffic import SERVER, said, segments
from utils.capture import files
from utils.records import Segment

PORT = SERVER.port
CLIENTS = 10


def write(path: Path, messages: int) -> Path:
    """A capture of so many Socket.IO messages over WebSocket."""
    files.write_segments(path, _made(messages))
    return path


def _made(messages: int) -> Iterator[Segment]:
    chance = random.Random(4)
    each = messages // CLIENTS
    for client in range(CLIENTS):
        namespace = "/lot," if client == 1 else ""
        spoken = said(chance, each, deflated=client == 0, fragments=0.005, namespace=namespace)
        start_ns = 1_700_000_000_000_000_000 + client * each * 20_000
        yield from segments(spoken, 50_001 + client, start_ns=start_ns)
