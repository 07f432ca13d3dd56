"""Wire, server and client told apart from a capture alone: no tracing, no clock but the packets'.

The rule kept here: what a request's packet and its answer's packet are stamped
with is the truth about the server; what the client stamped around them is the
truth about the client.  Nothing runs in the server for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from utils.capture import files
from utils.capture.live import LiveCapture
from utils.errors import InputError
from utils.load import measuring
from utils.load.subjects import Running
from utils.load.values import Variant
from utils.records import Segment
from utils.streams import dissection
from utils.wire.units import Side, SocketType

_ACKS = (SocketType.ACK, SocketType.BINARY_ACK)


@dataclass(frozen=True, slots=True)
class Times:
    """One request's way, in ns: from send to its packet, from that to the answer's packet, on to recv."""

    out: int
    server: int
    back: int


def capture(variant: Variant) -> list[Times]:
    """Measure ``variant`` with a capture on, and tell its requests' times apart, by number.

    The first turn warms up.  Raises CaptureRightsError if packets may not be
    read here, ProcessError if a process fails.
    """
    sniffer = LiveCapture()
    server = Running(variant.subject)
    try:
        with measuring.clients() as driver, TemporaryDirectory(prefix="socketio-lab-") as folder:
            sniffer.start(server.port)
            measuring.connect(driver, variant, server)
            measuring.take(driver, variant, server, 0)
            stamps = measuring.stamped(driver, variant, 1)
            path = Path(folder) / "packets.pcapng"
            sniffer.collect(path)
            return split(files.read(path).segments, server.port, stamps)
    finally:
        server.stop()
        sniffer.close()


def split(segments: Iterable[Segment], port: int, stamps: Mapping[int, tuple[int, int]]) -> list[Times]:
    """The times of each request whose packets were seen; ``stamps`` has, by number, its send and recv."""
    messages = dissection.messages(segments, server_port=port)
    asked: dict[int, int] = {}
    answered: dict[int, int] = {}
    for place, packet in messages.socketio():
        if packet.id is not None and packet.id in stamps:
            message = messages[place]
            if packet.type in _ACKS and message.side is Side.SERVER:
                answered.setdefault(packet.id, message.last_ns)
            elif message.side is Side.CLIENT:
                asked.setdefault(packet.id, message.first_ns)
    return [
        Times(asked[number] - sent, answered[number] - asked[number], heard - answered[number])
        for number, (sent, heard) in stamps.items()
        if number in asked and number in answered
    ]


def save(times: list[Times], path: Path) -> Path:
    """Write times into a file."""
    path.write_bytes(msgspec.json.encode([[each.out, each.server, each.back] for each in times]) + b"\n")
    return path


def load(path: Path) -> list[Times]:
    """Times from their file.  Raises InputError if it holds none."""
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[tuple[int, int, int]])
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path.name} holds no times", why=str(error), next_step="measure anew") from error
    return [Times(*row) for row in rows]
