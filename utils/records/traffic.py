"""What the capture yields: segments, and the messages that were read off them.

The rule kept here: a byte stands at its offset in its stream, and a time is the
kernel's stamp of the segment that brought it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from utils.wire.units import Side, Unit


class Endpoint(NamedTuple):
    """One end of a TCP connection."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Flow(NamedTuple):
    """One direction of a TCP connection: from source to destination."""

    source: Endpoint
    destination: Endpoint

    @property
    def reverse(self) -> Flow:
        return Flow(self.destination, self.source)

    def __str__(self) -> str:
        return f"{self.source} → {self.destination}"


class Flag(IntEnum):
    """TCP control bits that the lab looks at (RFC 9293, section 3.1)."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment.  ``synthetic`` headers come from the user-space tap."""

    time_ns: int
    flow: Flow
    sequence: int  # modulo 2**32, as on the wire
    acknowledgment: int
    flags: int
    payload: bytes
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A decoded unit with its place on the wire and its times.

    ``first_ns`` and ``last_ns`` are the stamps of the segments that brought
    its first and its last byte.
    """

    flow: Flow
    unit: Unit
    first_ns: int
    last_ns: int

    @property
    def side(self) -> Side:
        return self.unit.side

    @property
    def start(self) -> int:
        """Offset of the first byte in the flow's stream."""
        return self.unit.start

    @property
    def end(self) -> int:
        return self.unit.end
