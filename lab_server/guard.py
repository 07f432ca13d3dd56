"""What every packet of a client passes before the application sees it.

The libraries decode whatever comes; where they do not like it, they log a
traceback and leave the sender waiting.  Here a packet that cannot be read, or
one too many, ends the connection that sent it, at once and with one line in
the log, so that an honest client can connect anew and a hostile one gains
nothing.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import simple_websocket
import socketio
from engineio.async_drivers._websocket_wsgi import SimpleWebSocketWSGI
from engineio.payload import Payload
from socketio import packet
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

if TYPE_CHECKING:
    import engineio

    from lab_server.settings import Limits

log = logging.getLogger(__name__)

#: Engine.IO packets that a client may send as text (protocol revision 4): CLOSE, PONG, UPGRADE,
#: the probe, and MESSAGE around a Socket.IO packet, which always starts with a digit.
_ENGINEIO_TEXT = re.compile(r"[135]|2probe|4[0-6]")


#: How long an ended connection may take to say so, in seconds: a client that reads nothing is not waited for.
_ANSWER = 1.0

#: Names that a client has no business with: the libraries would run the handlers of that name.
RESERVED_EVENTS = ("connect", "disconnect", "*")


class MalformedPacket(ValueError):
    """A packet outside the protocol, or beyond a limit."""


class TokenBucket:
    """Allows ``burst`` at once and ``rate`` a second for long."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock()

    def take(self, count: int = 1) -> bool:
        """Take ``count`` tokens; False, and none taken, if there are too few."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if count > self._tokens:
            return False
        self._tokens -= count
        return True


def is_engineio_text(text: str) -> bool:
    """Whether a client may send ``text`` as one Engine.IO packet."""
    match = _ENGINEIO_TEXT.match(text)
    # Only a message has a content; the others are whole as they stand.
    return match is not None and (text[0] == "4" or match.end() == len(text))


class GuardedPacket(packet.Packet):
    """A Socket.IO packet whose shape is checked as soon as it is decoded."""

    max_attachments = 1

    def decode(self, encoded_packet: str) -> int:
        """Decode, as the base class does; raises ValueError for what no client should send."""
        count: int = super().decode(encoded_packet)
        if count > self.max_attachments:
            raise MalformedPacket(f"{count} attachments are announced")
        is_event = self.packet_type in (packet.EVENT, packet.BINARY_EVENT)
        is_ack = self.packet_type in (packet.ACK, packet.BINARY_ACK)
        if is_event and not (isinstance(self.data, list) and self.data and isinstance(self.data[0], str)):
            raise MalformedPacket("an event without a name")
        if is_event and self.data[0] in RESERVED_EVENTS:
            raise MalformedPacket("an event by a reserved name")
        if is_ack and not (isinstance(self.data, list) and self.id is not None):
            raise MalformedPacket("an acknowledgement without arguments or id")
        return count


class Guard:
    """Stands between Engine.IO and Socket.IO, and keeps count of what each client sends."""

    def __init__(self, server: socketio.Server, limits: Limits) -> None:
        self.limits = limits
        self._eio: engineio.Server = server.eio
        self._buckets: WeakKeyDictionary[engineio.Socket, TokenBucket] = WeakKeyDictionary()
        self._admit = self._eio.handlers["connect"]
        self._receive = self._eio.handlers["message"]
        self._eio.on("connect", self.admit)
        self._eio.on("message", self.receive)
        server.packet_class = type("GuardedPacket", (GuardedPacket,), {"max_attachments": limits.attachments})
        # Engine.IO's own limit loses all of a POST that exceeds it; the gate's says so.
        Payload.max_decode_packets = limits.packets_per_post
        # Engine.IO has no option for the class of its WebSockets.
        self._eio._async = {**self._eio._async, "websocket": self._websocket}

    def admit(self, sid: str, environ: dict[str, Any]) -> Any:
        """Let a new Engine.IO client in, unless the room is full."""
        # Connections that have ended are still listed, until Engine.IO's next round.
        clients = sum(not each.closed for each in list(self._eio.sockets.values()))
        if clients > self.limits.clients:
            log.warning("no room for another client", extra={"clients": self.limits.clients})
            return "the room is full"
        return self._admit(sid, environ)

    def receive(self, sid: str, data: str | bytes) -> None:
        """Hand a message on; a client that sends what cannot be read is shown the door."""
        connection = self._eio.sockets.get(sid)
        if connection is None or connection.closed:
            return  # what was under way when the client was dismissed
        try:
            self._receive(sid, data)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            log.warning("malformed packet", extra={"client": sid, "reason": _reason(error)})
            self.dismiss(sid)

    def allows(self, sid: str, packets: int) -> bool:
        """Whether the client may send so many packets now; they are counted."""
        connection = self._eio.sockets.get(sid)
        return connection is None or self._bucket(connection).take(packets)

    def dismiss(self, sid: str) -> None:
        """Close a client's connection without waiting for it to read what is under way."""
        connection = self._eio.sockets.get(sid)
        if connection is not None:
            connection.close(wait=False, reason=self._eio.reason.SERVER_DISCONNECT)

    def _bucket(self, connection: engineio.Socket) -> TokenBucket:
        return self._buckets.setdefault(
            connection, TokenBucket(self.limits.packets_per_second, self.limits.burst)
        )

    def _websocket(self, handler: Callable[..., Any], server: engineio.Server) -> GuardedWebSocket:
        # Engine.IO passes a method of the connection's own socket object.
        bucket = self._bucket(handler.__self__)  # type: ignore[attr-defined]
        return GuardedWebSocket(handler, server, bucket)


class GuardedWebSocket(SimpleWebSocketWSGI):
    """A WebSocket that stops listening when too much or too strange a thing comes."""

    def __init__(self, handler: Callable[..., Any], server: engineio.Server, bucket: TokenBucket) -> None:
        # Engine.IO looks at a message's size when it is whole; this limit holds while it grows.
        limit = server.max_http_buffer_size
        thread_class = _reading_greenlet if server.async_mode == "gevent" else _reading_thread
        super().__init__(handler, server, max_message_size=limit, thread_class=thread_class)
        self._bucket = bucket
        self._closing = threading.Lock()

    def wait(self) -> str | bytes | None:
        """The next message, or None when the connection has ended or must end."""
        data: str | bytes | None = super().wait()
        if data is None:
            self._let_it_answer()
            return None
        if not self._bucket.take():
            self._end(CloseReason.POLICY_VIOLATION, "too many packets")
            return None
        if isinstance(data, str) and not is_engineio_text(data):
            self._end(CloseReason.PROTOCOL_ERROR, "not an Engine.IO packet")
            return None
        return data

    def close(self, reason: CloseReason = CloseReason.NORMAL_CLOSURE, message: str | None = None) -> None:
        """Close the WebSocket, unless it is closed or about to be: by us, or by the client."""
        with self._closing, suppress(LocalProtocolError, simple_websocket.ConnectionClosed, OSError):
            self.ws.close(reason, message)

    def _let_it_answer(self) -> None:
        """Wait until the client's Close has been answered (RFC 6455, section 5.5.1).

        simple-websocket says that it is over, and sends its answer after that; whoever
        hears it ends the connection, at times before the answer is out.
        """
        if self.ws.close_reason is not None:
            self.ws.thread.join(_ANSWER)

    def _end(self, reason: CloseReason, message: str) -> None:
        log.warning("connection refused", extra={"reason": message})
        self.close(reason, message)


def _reading_thread(target: Callable[[], None]) -> threading.Thread:
    """The thread that reads for a WebSocket, and wakes who waits for a message when it ends.

    simple-websocket says "wake up" before it says "it is over" when a message is too large;
    who wakes in between would wait for ever.
    """
    websocket = target.__self__  # type: ignore[attr-defined]

    def _thread() -> None:  # the name that simple-websocket's threads have
        try:
            target()
        finally:
            websocket.event.set()

    return threading.Thread(target=_thread)


class WholeSends:
    """A socket whose ``send`` sends all, as simple-websocket expects, and one thing at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, data: bytes) -> int:
        """Send all of ``data``, however long the other side takes."""
        with self._sending:
            sent = self._connection.send(data)
            if sent < len(data):  # seldom; and gevent's sendall costs more than the send itself
                self._connection.sendall(memoryview(data)[sent:])
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def _reading_greenlet(target: Callable[[], None]) -> threading.Thread:
    # A send on a blocking socket waits until all is taken; gevent's sockets are not that kind.
    websocket = target.__self__  # type: ignore[attr-defined]
    websocket.sock = WholeSends(websocket.sock)
    return _reading_thread(target)


def _reason(error: Exception) -> str:
    # Decoders quote what they could not read: no more of that in the log than a glance.
    return f"{type(error).__name__}: {error}"[:120]
