"""The application factory: the seed's four lines, and the auction around them."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from lab_server import answers, auctioneer, database, events, pages, seed
from lab_server.catalogue import LOTS
from lab_server.clock import Clock
from lab_server.gate import HostGate, OriginRule, PollingGate
from lab_server.guard import Guard
from lab_server.house import House
from lab_server.lessons import Lesson
from lab_server.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Auction:
    """A built application and its parts, for whoever serves it."""

    settings: Settings
    app: Flask
    socketio: SocketIO
    house: House
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clock", Clock(self.socketio, self.house))

    def listen_to_others(self, seconds: float = 5.0) -> bool:
        """Subscribe to the message queue, if there is one; whether that was done within so many seconds.

        The library does so when its first client comes.  What another process
        announces at that moment would not reach this client.
        """
        server = self.socketio.server
        if not self.settings.message_queue:
            return True
        if not server.manager_initialized:
            server.manager_initialized = True
            server.manager.initialize()
        deadline = time.monotonic() + seconds
        # Redis's manager tells when it has; of another kind of queue it is not known.
        while hasattr(server.manager, "pubsub") and not getattr(server.manager.pubsub, "subscribed", False):
            if time.monotonic() > deadline:
                log.warning("the message queue does not answer; the library goes on trying")
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        """Let go of the database."""
        self.clock.stop()
        self.house.engine.dispose()


def create_app(settings: Settings | None = None) -> Flask:
    """The Flask application, ready to be served.  Its parts are in ``app.extensions["auction"]``.

    Raises sqlalchemy.exc.SQLAlchemyError if the database cannot be used.
    """
    return create_auction(settings or Settings()).app


def create_auction(settings: Settings) -> Auction:
    """The same, as a value with all its parts."""
    lessons = settings.lessons
    app, socketio = seed.create_app(trusting=Lesson.SEED in lessons, **_engine_options(settings))
    app.config.from_mapping(SECRET_KEY=settings.secret_key, SESSION_COOKIE_SAMESITE="Strict")
    auction = Auction(settings, app, socketio, House(database.connect(settings.database)))
    auction.house.open_if_none_is(LOTS)

    answers.answer_failures(socketio)
    events.register(socketio, auction.house, lessons)
    auctioneer.register(socketio, auction.house, settings.auctioneer_token, on_change=auction.clock.wake)
    pages.register(app, socketio, auction.house, settings)

    if Lesson.UNGUARDED not in lessons:
        app.wsgi_app = PollingGate(app.wsgi_app, Guard(socketio.server, settings.limits))  # type: ignore[method-assign]
    app.wsgi_app = HostGate(app.wsgi_app, settings.allowed_hosts)  # type: ignore[method-assign]
    if settings.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    app.extensions["auction"] = auction
    return auction


def _engine_options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "async_mode": settings.async_mode,
        "ping_interval": settings.ping_interval,
        "max_http_buffer_size": settings.limits.message_bytes,
        "cors_allowed_origins": OriginRule(settings.allowed_origins),
    }
    if settings.message_queue:
        options["message_queue"] = settings.message_queue
    return options
