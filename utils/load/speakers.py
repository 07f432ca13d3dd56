"""The clients of the latency lab: as little between the clock and the socket as Python allows.

The rule kept here: a speaker speaks its protocol rightly (masks, heartbeats,
deflate with its context) and keeps no time.  What is to be said is made before
it is due; what has come is received first, and understood when the clock has
been read.  No lock, no thread, no queue: :mod:`.pace` reads all of them in one
loop.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Iterator
from selectors import EVENT_READ, BaseSelector
from typing import Protocol

from utils.load import lines
from utils.load.lines import Line
from utils.load.polling import TARGET, Polling
from utils.load.values import Workload

#: What ends each message of permessage-deflate, and is left out on the wire (RFC 7692, section 7.2.1).
_TAIL = b"\x00\x00\xff\xff"

_PING, _PONG = b"2", b"3"


class Speaker(Protocol):
    """One client."""

    def watch(self, selector: BaseSelector) -> None:
        """Register its sockets, now and as they change, each with its :class:`~utils.load.lines.Inlet`."""

    def prepare(self, text: bytes) -> bytes:
        """``text`` as it will be sent; in the order in which it is said."""

    def say(self, ready: bytes) -> None:
        """Send what was prepared."""

    def close(self) -> None:
        """Leave without a word."""


def speaker(port: int, workload: Workload) -> Speaker:
    """A connected client of the server at ``port``.  Raises ProcessError if it will not have one."""
    if workload.speaks == "tcp":
        return Bytes(port)
    if workload.speaks == "polling":
        return Polling(port, gzip=workload.gzip)
    return Frames(port, socketio=workload.speaks == "websocket", deflate=workload.deflate)


class Bytes(Line):
    """Plain TCP: a message ends when it is as long as the first one that was prepared or expected."""

    def __init__(self, port: int) -> None:
        super().__init__(lines.connected(port))
        self._size = 0

    def watch(self, selector: BaseSelector) -> None:
        """Register its socket."""
        selector.register(self.socket, EVENT_READ, self)

    def expect(self, size: int) -> None:
        """Messages have so many bytes."""
        self._size = size

    def prepare(self, text: bytes) -> bytes:
        """As it is."""
        self.expect(len(text))
        return text

    def messages(self) -> Iterator[bytes]:
        """Those that are whole now, each once."""
        while len(self.buffer) >= self._size > 0:
            message = bytes(self.buffer[: self._size])
            del self.buffer[: self._size]
            yield message


class Frames(Line):
    """A WebSocket (RFC 6455), with Engine.IO and Socket.IO in it or without."""

    def __init__(self, port: int, *, socketio: bool, deflate: bool) -> None:
        super().__init__(lines.connected(port))
        self._parts: list[bytes] = []
        self._inflate = zlib.decompressobj(-15)
        self._deflate = zlib.compressobj(wbits=-15) if deflate else None
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
        key = base64.b64encode(os.urandom(16)).decode()
        target = TARGET + "websocket" if socketio else "/"
        request = (
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n{offer}\r\n"
        )
        try:
            self._open(request, socketio=socketio)
        except BaseException:
            self.close()
            raise

    def _open(self, request: str, *, socketio: bool) -> None:
        room = lines.room()
        self.say(request.encode())
        while (edge := self.buffer.find(b"\r\n\r\n")) < 0:
            self.receive(room)
        if not self.buffer.startswith(b"HTTP/1.1 101"):
            raise lines.refused(bytes(self.buffer[:edge]))
        del self.buffer[: edge + 4]
        if socketio:
            self._wait_for(b"0{", room)
            self.say(self.prepare(b"40"))
            self._wait_for(b"40{", room)

    def _wait_for(self, beginning: bytes, room: memoryview) -> None:
        while True:
            for message in self.messages():
                if message.startswith(beginning):
                    return
                raise lines.refused(message)
            self.receive(room)

    def watch(self, selector: BaseSelector) -> None:
        """Register its socket."""
        selector.register(self.socket, EVENT_READ, self)

    def prepare(self, text: bytes) -> bytes:
        """``text`` in a frame of its own."""
        first = 0x81
        if self._deflate is not None:
            text = (self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]
            first |= 0x40
        return _frame(first, text)

    def messages(self) -> Iterator[bytes]:
        """Those that are whole now, each once; heartbeats are answered."""
        buffer = self.buffer
        while len(buffer) >= 2:
            size, begin = buffer[1], 2
            if size == 126:
                size, begin = int.from_bytes(buffer[2:4]), 4
            elif size == 127:
                size, begin = int.from_bytes(buffer[2:10]), 10
            if len(buffer) < begin + size:
                return
            first, payload = buffer[0], bytes(buffer[begin : begin + size])
            del buffer[: begin + size]
            if first & 0x0F > 7:  # a control frame: the server leaves, or a ping that nobody sends here
                continue
            if first & 0x40:
                payload = self._inflate.decompress(payload + _TAIL)
            if not first & 0x80:
                self._parts.append(payload)
                continue
            if self._parts:
                payload, self._parts = b"".join([*self._parts, payload]), []
            if payload == _PING:
                self.say(_frame(0x81, _PONG))
            else:
                yield payload


def _frame(first: int, payload: bytes) -> bytes:
    """A masked frame (RFC 6455, section 5.2); the mask is random, as section 5.3 wants it."""
    size = len(payload)
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([first, 0x80 | 126]) + size.to_bytes(2)
    else:
        head = bytes([first, 0x80 | 127]) + size.to_bytes(8)
    mask = os.urandom(4)
    keys = int.from_bytes((mask * (size // 4 + 1))[:size])
    return head + mask + (int.from_bytes(payload) ^ keys).to_bytes(size)
