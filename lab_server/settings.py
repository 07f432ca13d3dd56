"""What may differ from one server to the next, in one frozen value.

Nothing here is read from the environment or the command line; cli.py and
production.py do that.  Secrets have no default but a fresh random one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from lab_server.lessons import Lesson

#: The names by which a program on this machine may call the server.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client, or all of them together, may ask of the server."""

    #: The largest message, in bytes, before it is decoded: a picture in base64, and its JSON.
    message_bytes: int = 512 * 1024
    #: The most packets in one polling POST.
    packets_per_post: int = 128
    #: The most binary attachments of one event.
    attachments: int = 1
    #: Packets a second that one client may send for long, and at once after a pause.
    packets_per_second: float = 500.0
    burst: int = 1000
    #: Socket.IO clients at one time; each costs about four threads.
    clients: int = 600
    #: TCP connections at one time: a polling client needs two.
    connections: int = 1200
    #: Seconds after which a silent connection is given up; above ping interval + time-out.
    silence: float = 50.0


@dataclass(frozen=True, slots=True)
class Settings:
    """A server's settings; every field has a default that is right for study."""

    database: str = "sqlite:///auction.sqlite3"
    lessons: frozenset[Lesson] = frozenset()
    #: Host headers that are answered, without port; names of other sites are not.
    allowed_hosts: tuple[str, ...] = LOOPBACK_HOSTS
    #: Origins beside the server's own that a browser may connect from, such as "https://lab.example".
    allowed_origins: tuple[str, ...] = ()
    limits: Limits = Limits()
    #: Whole seconds between two heartbeats (Engine.IO's own default).
    ping_interval: int = 25
    #: "threading" for study; "gevent" for many clients.
    async_mode: str = "threading"
    #: Where several server processes meet, such as "redis://127.0.0.1/0".
    message_queue: str | None = None
    #: Whether a proxy of ours stands in front and sets X-Forwarded-For and -Proto.
    behind_proxy: bool = False
    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    auctioneer_token: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    #: Tells this run from every other one, so that a client knows whom it talks to.
    instance: str = field(default_factory=lambda: secrets.token_hex(4))
