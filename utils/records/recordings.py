"""What a recording is: the packets and the calls of one run, and how it came to be.

The rule kept here: everything is on one clock, and what the capture missed is a
number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from utils.records.sources import Sources
from utils.records.traces import Trace
from utils.records.traffic import Segment


class Service(NamedTuple):
    """What listens at a port: a process of the application, or a program that its processes use."""

    name: str  # as the views call it: "server", "server 2", "Redis"
    protocol: str = "http"  # "http" (with all that it may be upgraded to) or "redis"
    traced: bool = True  # whether its own process was


@dataclass(frozen=True, slots=True)
class Meta:
    """How a recording came to be."""

    name: str
    mode: str  # "live", "tap" or "replay": see utils.capture
    why: str  # why that mode
    created: str  # ISO 8601, UTC
    python: str
    platform: str
    versions: Mapping[str, str]  # distribution → version
    port: int
    bytes_lost: int = 0  # that the capture missed, as the sequence numbers tell
    packets_dropped: int = 0  # that the kernel had no room for, as it tells itself
    extra: Mapping[str, Any] = field(default_factory=dict)
    services: Mapping[int, Service] = field(default_factory=dict)  # port → what listens; none: one server

    @property
    def listening(self) -> Mapping[int, Service]:
        """What listens, by its port: the one server, unless there are several."""
        return self.services or {self.port: Service("server")}


@dataclass(frozen=True, slots=True)
class Recording:
    """Packets and calls of one run, on one clock."""

    meta: Meta
    segments: Sequence[Segment]  # by time_ns
    traces: tuple[Trace, ...]  # one for each traced process
    sources: Sources | None = None  # kept where the versions are the point

    def trace(self, process: str) -> Trace:
        """The trace of ``process``; KeyError if it was not traced."""
        for trace in self.traces:
            if trace.process == process:
                return trace
        raise KeyError(process)
