"""Which ports servers listen at, and what is spoken there.

The rule kept here: the port that a connection was opened to decides who is the
client and how the bytes are read; nothing is guessed from the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from utils.records import Flow, Service
from utils.wire.connection import Connection
from utils.wire.redis import RedisConnection
from utils.wire.units import Side

#: What decodes a connection.
Decoder = Connection | RedisConnection


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the servers of one capture: those of HTTP and WebSocket, and those of Redis."""

    http: frozenset[int]
    redis: frozenset[int] = frozenset()

    @classmethod
    def of(cls, ports: int | Ports) -> Ports:
        """A single port is that of an HTTP server."""
        return ports if isinstance(ports, Ports) else cls(frozenset({ports}))

    @classmethod
    def listening(cls, services: Mapping[int, Service]) -> Ports:
        """Those of a recording's services, by what is spoken there."""
        redis = {port for port, service in services.items() if service.protocol == "redis"}
        return cls(frozenset(services.keys() - redis), frozenset(redis))

    def __contains__(self, port: object) -> bool:
        return port in self.http or port in self.redis

    def concern(self, flow: Flow) -> bool:
        """Whether one end of ``flow`` is a server's."""
        return flow.destination.port in self or flow.source.port in self

    def side(self, flow: Flow) -> Side:
        """Who sends the bytes of ``flow``."""
        return Side.CLIENT if flow.destination.port in self else Side.SERVER

    def from_client(self, flow: Flow) -> Flow:
        """The direction of the connection in which its client sends."""
        return flow if self.side(flow) is Side.CLIENT else flow.reverse

    def decoder(self, client: Flow) -> Decoder:
        """What decodes the connection of that client, from its first byte on."""
        return RedisConnection() if client.destination.port in self.redis else Connection()
