"""Clients for the auction's tests: honest ones, and a raw one that may send anything."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from typing import Any

import requests
import socketio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Request,
    TextMessage,
)

#: How long a test waits for something that must come, in seconds; on a slow machine, too.
DEADLINE = 30.0


def connect(url: str, **options: Any) -> socketio.SimpleClient:
    """A connected client that asks no proxy."""
    direct = requests.Session()
    direct.trust_env = False
    client = socketio.SimpleClient(
        http_session=direct, websocket_extra_options={"http_no_proxy": ["127.0.0.1"]}, reconnection=False
    )
    client.connect(url, wait_timeout=DEADLINE, **options)
    _connections.append(client.client.eio)
    return client


#: The Engine.IO clients of this test.
_connections: list[Any] = []


def close_what_the_library_left_open() -> None:
    """A connection that is reset, as by a killed server, keeps its socket open in websocket-client."""
    while _connections:
        websocket = _connections.pop().ws
        if websocket is not None and websocket.sock is not None:
            websocket.sock.close()


def ask(client: socketio.SimpleClient, event: str, message: Any = None) -> dict[str, Any]:
    """The answer to an event."""
    answer: dict[str, Any] = client.call(event, {} if message is None else message, timeout=DEADLINE)
    return answer


def bid(lot: int, bidder: str, cents: int, id: str | None = None) -> dict[str, Any]:
    """A message for ``bid``, with a fresh id unless one is given."""
    return {"id": id or str(uuid.uuid4()), "lot": lot, "bidder": bidder, "cents": cents}


def hear(client: socketio.SimpleClient, event: str) -> Any:
    """The next news of that name; what comes before it is passed over."""
    deadline = time.monotonic() + DEADLINE
    while True:
        name, *arguments = client.receive(timeout=max(0.01, deadline - time.monotonic()))
        if name == event:
            return arguments[0]


def soak(name: str, short: int) -> int:
    """How often, how long or how many: ``short`` by default, more by the environment."""
    return int(os.environ.get(f"LAB_SERVER_{name}", short))


class Closed(Exception):
    """The server has ended the WebSocket: with a Close frame's ``code``, or 1006 without one."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class RawClient:
    """A WebSocket that speaks Engine.IO by hand, packet by packet, in the caller's own thread."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.sock = socket.create_connection((host, int(port)), timeout=DEADLINE)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        target = "/socket.io/?EIO=4&transport=websocket"
        self._events: list[Event] = []
        self._text = ""
        self._bytes = b""
        try:
            # It may have been killed between the two: then the socket is closed as well.
            self.sock.sendall(self._protocol.send(Request(host=f"{host}:{port}", target=target)))
            answer = self._next_event()
            assert isinstance(answer, AcceptConnection), answer
            self.opened = json.loads(self.receive()[1:])
        except BaseException:
            self.sock.close()
            raise

    def send(self, data: str | bytes) -> None:
        """Send one Engine.IO packet."""
        self.sock.sendall(self._protocol.send(Message(data=data)))

    def receive(self) -> str | bytes:
        """The next Engine.IO packet; raises Closed when the server has ended the WebSocket."""
        while True:
            event = self._next_event()
            if isinstance(event, CloseConnection):
                raise Closed(event.code)
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    text, self._text = self._text, ""
                    return text
            if isinstance(event, BytesMessage):
                self._bytes += event.data
                if event.message_finished:
                    content, self._bytes = self._bytes, b""
                    return content

    def join_namespace(self) -> None:
        """CONNECT to the default namespace."""
        self.send("40")
        assert str(self.receive()).startswith("40{")

    def closing_code(self) -> int:
        """Read until the server ends it; return the close code."""
        try:
            while True:
                self.receive()
        except Closed as closed:
            return closed.code
        finally:
            self.sock.close()

    def close(self) -> None:
        """Leave without a word."""
        self.sock.close()

    def _next_event(self) -> Event:
        while not self._events:
            try:
                data = self.sock.recv(65_536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Closed(1006)
            self._protocol.receive_data(data)
            self._events += self._protocol.events()
        return self._events.pop(0)
