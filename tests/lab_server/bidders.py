"""Clients for the auction's tests: honest ones, and a raw one that may send anything."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests
import simple_websocket
import socketio

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
    return client


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


def eventually(condition: Callable[[], Any], what: str = "it") -> Any:
    """Wait until ``condition()`` is true, and return its value; fail after the deadline."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come true within {DEADLINE} s")


class RawClient:
    """A WebSocket that speaks Engine.IO by hand, packet by packet."""

    def __init__(self, url: str) -> None:
        self.ws = simple_websocket.Client.connect(
            url.replace("http:", "ws:") + "/socket.io/?EIO=4&transport=websocket"
        )
        self.opened = json.loads(self.receive()[1:])

    def send(self, data: str | bytes) -> None:
        """Send one Engine.IO packet."""
        self.ws.send(data)

    def receive(self) -> Any:
        """The next Engine.IO packet; raises ConnectionClosed when the server has ended it."""
        data = self.ws.receive(timeout=DEADLINE)
        assert data is not None, "the server said nothing"
        return data

    def join_namespace(self) -> None:
        """CONNECT to the default namespace."""
        self.send("40")
        assert self.receive().startswith("40{")

    def closing_reason(self) -> int:
        """Read until the server closes; return the WebSocket's close code."""
        try:
            while True:
                self.receive()
        except simple_websocket.ConnectionClosed as closed:
            return int(closed.reason)

    def close(self) -> None:
        """Leave, whatever state the connection is in."""
        try:
            self.ws.close()
        except (simple_websocket.ConnectionClosed, OSError):
            self.ws.sock.close()
