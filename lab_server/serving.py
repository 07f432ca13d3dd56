"""Serving with Werkzeug: the stack that the walkthrough explains, cured of its traps.

A server that stops takes leave of its clients, and is gone within a second;
a WebSocket that has ended is read and written no more; small packets go out at
once; and a connection that is silent for long is given up.
"""

from __future__ import annotations

import logging
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from lab_server.app import Auction
from lab_server.lessons import Lesson

log = logging.getLogger(__name__)
access = logging.getLogger("lab_server.access")

#: How long a stopping server waits for its clients to be told, in seconds.
LEAVE = 0.7

#: How often the serving loop looks whether it shall end, in seconds.
TURN = 0.1


class Connections:
    """Counts the connections that are being served, and knows how many may be."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0
        self._changed = threading.Condition()

    def enter(self) -> bool:
        """Count one more, if there is room."""
        with self._changed:
            if self.count >= self._most:
                return False
            self.count += 1
            return True

    def leave(self) -> None:
        """Count one less."""
        with self._changed:
            self.count -= 1
            self._changed.notify_all()

    def wait_until_none_is_left(self, seconds: float) -> bool:
        """Wait so long at most; whether all have left."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count == 0, seconds)


class StudyRequestHandler(WSGIRequestHandler):
    """Werkzeug's request handler, with the cures; ``serve`` sets the class's attributes."""

    # Without this, a packet waits until the one before has been acknowledged (Nagle's algorithm),
    # and the other side's delayed acknowledgement makes that 40 ms.
    disable_nagle_algorithm = True
    #: Whether a connection that was a WebSocket is read on as HTTP when the WebSocket ends.
    reads_leftovers = False
    silence: float
    connections: Connections

    def setup(self) -> None:
        """Prepare the connection."""
        super().setup()
        _give_up_after(self.connection, self.silence)

    def handle(self) -> None:
        """Serve the connection, if there is room for it."""
        if not self.connections.enter():
            log.warning("no room for another connection")
            return
        try:
            super().handle()
        finally:
            self.connections.leave()

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """End a connection whose WebSocket has ended.

        simple-websocket leaves with a ConnectionError; Werkzeug takes that for a client that
        went away, and would go on to parse what is left in the socket as a request.
        """
        if self.reads_leftovers:
            return
        self.close_connection = True
        with suppress(OSError):  # the other side may have been faster
            # Wakes the thread that may still be reading for the WebSocket.
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line for each request, without its query string: that holds the session's id."""
        path = getattr(self, "path", "").partition("?")[0]
        fields = {"method": self.command, "path": path, "status": int(code)}
        access.info("request", extra=fields)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Whatever else Werkzeug has to say about a request."""
        level = logging.getLevelNamesMapping().get(type.upper(), logging.INFO)
        access.log(level, message.rstrip(), *args)


def make(auction: Auction, host: str, port: int) -> BaseWSGIServer:
    """A bound and listening server for ``auction``; ``port`` 0 takes a free one.

    Raises OSError if the address cannot be used.
    """
    lessons, limits = auction.settings.lessons, auction.settings.limits
    handler = type(
        "RequestHandler",
        (StudyRequestHandler,),
        {
            "disable_nagle_algorithm": Lesson.NAGLE not in lessons,
            "reads_leftovers": Lesson.LEFTOVER_FRAMES in lessons,
            "silence": limits.silence,
            "connections": Connections(limits.connections),
        },
    )
    return make_server(host, port, auction.app, threaded=True, request_handler=handler)


def serve(auction: Auction, server: BaseWSGIServer, *, announce: Callable[[], None]) -> None:
    """Serve in this thread, which must be the main one, until SIGINT or SIGTERM; then clean up.

    ``announce`` is called when clients may come, and signals too.
    """

    def stop(number: int, frame: object) -> None:
        # From another thread: the loop, which runs in this one, has to come round to see it.  An
        # exception raised here instead could fall between accepting a connection and serving it.
        threading.Thread(target=server.shutdown, name="stop", daemon=True).start()

    # Set both: a shell starts background jobs with SIGINT ignored.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        auction.clock.start()
        auction.listen_to_others()
        announce()
        server.serve_forever(poll_interval=TURN)
    finally:
        server.server_close()
        take_leave(auction, server)
    log.info("stopped")


def take_leave(auction: Auction, server: BaseWSGIServer) -> None:
    """Tell every client that it is over, end the background tasks, let go of the database.

    For a server that accepts no more.  Without this the old clients would still be served;
    ``socketio.stop()`` cannot do it under Werkzeug.  Takes LEAVE seconds at most.
    """
    engine = auction.socketio.server.eio
    if Lesson.ABRUPT_STOP not in auction.settings.lessons:
        for client in list(engine.sockets.values()):
            client.close(wait=False, reason=engine.reason.SERVER_DISCONNECT)
        handler = cast("type[StudyRequestHandler]", server.RequestHandlerClass)
        handler.connections.wait_until_none_is_left(LEAVE)
    engine.shutdown()
    auction.close()


def _give_up_after(connection: socket.socket, seconds: float) -> None:
    # Not settimeout(): with it, send() may send a part only, and simple-websocket does not look.
    if sys.platform == "win32":
        patience: int | bytes = int(seconds * 1000)
    else:
        patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # A client that takes nothing would keep its writing thread, and a growing queue, for ever.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
