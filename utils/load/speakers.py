"""The clients of the latency lab: as little between the clock and the socket as Python allows.

The rule kept here: a speaker speaks its protocol rightly (masks, heartbeats,
deflate with its context) and keeps no time.  What is to be said is made before
it is due; what is heard is handed on as the text of whole messages.  No lock,
no thread, no queue: :mod:`.pace` reads all of them in one loop.
"""

from __future__ import annotations

import base64
import os
import socket
import zlib
from collections.abc import Iterator
from selectors import EVENT_READ, BaseSelector
from typing import Protocol

from utils.errors import ProcessError
from utils.load.values import Workload

#: How long a connection may take to be opened, in seconds: a slow machine is no error.
PATIENCE = 30

#: So much is read at once, in bytes.
CHUNK = 1 << 18

_TARGET = "/socket.io/?EIO=4&transport="

#: What ends each message of permessage-deflate, and is left out on the wire (RFC 7692, section 7.2.1).
_TAIL = b"\x00\x00\xff\xff"

_PING, _PONG = b"2", b"3"

#: Stands between the packets of one polling body.
_SEPARATOR = b"\x1e"


class Speaker(Protocol):
    """One client.  It waits in ``recv`` only when told that something has come."""

    def watch(self, selector: BaseSelector) -> None:
        """Register its sockets, now and as they change, each with what to call when it can be read.

        That returns the messages that are whole then.
        """

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


class Bytes:
    """Plain TCP: a message ends when it is as long as the first one that was prepared or expected."""

    def __init__(self, port: int) -> None:
        self._socket = _connected(port)
        self._size = 0
        self._rest = b""

    def watch(self, selector: BaseSelector) -> None:
        selector.register(self._socket, EVENT_READ, self._read)

    def expect(self, size: int) -> None:
        """Messages have so many bytes."""
        self._size = size

    def prepare(self, text: bytes) -> bytes:
        self.expect(len(text))
        return text

    def say(self, ready: bytes) -> None:
        self._socket.sendall(ready)

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> list[bytes]:
        self._rest += _more(self._socket)
        heard = []
        while len(self._rest) >= self._size > 0:
            heard.append(self._rest[: self._size])
            self._rest = self._rest[self._size :]
        return heard


class Frames:
    """A WebSocket (RFC 6455), with Engine.IO and Socket.IO in it or without."""

    def __init__(self, port: int, *, socketio: bool, deflate: bool) -> None:
        self._socket = _connected(port)
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._inflate = zlib.decompressobj(-15)
        self._deflate = zlib.compressobj(wbits=-15) if deflate else None
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
        key = base64.b64encode(os.urandom(16)).decode()
        target = _TARGET + "websocket" if socketio else "/"
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
        self._socket.sendall(request.encode())
        head, self._buffer = _head(self._socket, self._buffer)
        if not head.startswith(b"HTTP/1.1 101"):
            raise _refused(head)
        if socketio:
            self._wait_for(b"0{")
            self.say(self.prepare(b"40"))
            self._wait_for(b"40{")

    def watch(self, selector: BaseSelector) -> None:
        selector.register(self._socket, EVENT_READ, self._read)

    def prepare(self, text: bytes) -> bytes:
        first = 0x81
        if self._deflate is not None:
            text = (self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH))[: -len(_TAIL)]
            first |= 0x40
        return _frame(first, text)

    def say(self, ready: bytes) -> None:
        self._socket.sendall(ready)

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> list[bytes]:
        self._buffer += _more(self._socket)
        return list(self._messages())

    def _messages(self) -> Iterator[bytes]:
        buffer = self._buffer
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

    def _wait_for(self, beginning: bytes) -> None:
        while True:
            for message in self._messages():
                if message.startswith(beginning):
                    return
                raise _refused(message)
            self._buffer += _more(self._socket)


class Line:
    """One connection for requests, opened when there is something to ask, and again when it was ended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._selector: BaseSelector | None = None
        self._reader: object = None

    def watch(self, selector: BaseSelector, reader: object) -> None:
        """Tell ``selector`` whenever it is open."""
        self._selector, self._reader = selector, reader
        if self._socket is not None:
            selector.register(self._socket, EVENT_READ, reader)

    def ask(self, request: bytes) -> None:
        """Send a request."""
        if self._socket is None:
            self._socket = _connected(self._port)
            if self._selector is not None:
                self._selector.register(self._socket, EVENT_READ, self._reader)
        self._socket.sendall(request)

    def read(self) -> bytes | None:
        """The body of the response, if it is whole now."""
        assert self._socket is not None
        self._buffer += _more(self._socket)
        found = _response(self._buffer)
        if found is None:
            return None
        body, size, is_last = found
        del self._buffer[:size]
        if is_last:
            self.close()
        return body

    def close(self) -> None:
        """End it."""
        if self._socket is not None:
            if self._selector is not None and self._socket in (self._selector.get_map() or ()):
                self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


class Polling:
    """Engine.IO over HTTP: one line waits for news, the other brings ours."""

    def __init__(self, port: int, *, gzip: bool) -> None:
        self._host = f"Host: 127.0.0.1:{port}\r\n"
        self._accepts = "Accept-Encoding: gzip\r\n" if gzip else ""
        self._news, self._post = Line(port), Line(port)
        self._waiting: list[bytes] = []
        self._under_way = False
        self._target = _TARGET + "polling"
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        (opened,) = self._ask_at_once()
        self._target += "&sid=" + opened.partition(b'"sid":"')[2].partition(b'"')[0].decode("ascii")
        self.say(b"40")
        while self._under_way:
            self._read_post()
        heard = self._ask_at_once()
        if not heard[0].startswith(b"40{"):
            raise _refused(heard[0])
        self._ask()

    def watch(self, selector: BaseSelector) -> None:
        self._news.watch(selector, self._read_news)
        self._post.watch(selector, self._read_post)

    def prepare(self, text: bytes) -> bytes:
        return text

    def say(self, ready: bytes) -> None:
        """One POST at a time; what comes meanwhile goes with the next, as a browser does it."""
        self._waiting.append(ready)
        if not self._under_way:
            self._bring()

    def close(self) -> None:
        self._news.close()
        self._post.close()

    def _ask(self) -> None:
        self._news.ask(f"GET {self._target} HTTP/1.1\r\n{self._host}{self._accepts}\r\n".encode())

    def _ask_at_once(self) -> list[bytes]:
        self._ask()
        while (body := self._news.read()) is None:
            pass
        return body.split(_SEPARATOR)

    def _bring(self) -> None:
        body, self._waiting = _SEPARATOR.join(self._waiting), []
        head = (
            f"POST {self._target} HTTP/1.1\r\n{self._host}"
            f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._under_way = True
        self._post.ask(head.encode() + body)

    def _read_post(self) -> list[bytes]:
        body = self._post.read()
        if body is not None:
            if body != b"OK":
                raise _refused(body)
            self._under_way = False
            if self._waiting:
                self._bring()
        return []

    def _read_news(self) -> list[bytes]:
        body = self._news.read()
        if body is None:
            return []
        self._ask()
        heard = body.split(_SEPARATOR)
        if _PING in heard:
            self.say(_PONG)
        return [message for message in heard if message != _PING]


def _connected(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _more(sock: socket.socket) -> bytes:
    try:
        data = sock.recv(CHUNK)
    except OSError as error:
        raise ProcessError(
            "the server lets a connection hang that is being measured",
            why=str(error),
            next_step="read its log",
        ) from error
    if not data:
        raise ProcessError(
            "the server ended a connection that was being measured", next_step="read the server's log"
        )
    return data


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


def _head(sock: socket.socket, buffer: bytearray) -> tuple[bytes, bytearray]:
    """A response's head, and what was read behind it."""
    while b"\r\n\r\n" not in buffer:
        buffer += _more(sock)
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    return head, bytearray(rest)


def _response(buffer: bytearray) -> tuple[bytes, int, bool] | None:
    """The body of a response, its bytes in all, and whether it is the last here; None if more is to come."""
    edge = buffer.find(b"\r\n\r\n")
    if edge < 0:
        return None
    head, begin = bytes(buffer[:edge]).lower(), edge + 4
    if not head.startswith(b"http/1.1 200"):
        raise _refused(bytes(buffer[:edge]))
    if b"\r\ntransfer-encoding: chunked" in head:
        found = _chunks(buffer, begin)
        if found is None:
            return None
        body, end = found
    else:
        end = begin + int(_header(head, b"content-length") or 0)
        if len(buffer) < end:
            return None
        body = bytes(buffer[begin:end])
    if _header(head, b"content-encoding") == b"gzip":
        body = zlib.decompress(body, 31)
    return body, end, _header(head, b"connection") == b"close"


def _chunks(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    """A chunked body from ``at`` on, and where it ends (RFC 9112, section 7.1); None if more is to come."""
    parts: list[bytes] = []
    while (edge := buffer.find(b"\r\n", at)) >= 0:
        size = int(bytes(buffer[at:edge]), 16)
        begin = edge + 2
        if len(buffer) < begin + size + 2:
            return None
        if not size:
            return b"".join(parts), begin + 2
        parts.append(bytes(buffer[begin : begin + size]))
        at = begin + size + 2
    return None


def _header(head: bytes, name: bytes) -> bytes:
    return head.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


def _refused(answer: bytes) -> ProcessError:
    said = answer[:120].decode("utf-8", "replace")
    return ProcessError(
        "the server does not let itself be measured", why=f"it answered {said!r}", next_step="read its log"
    )
