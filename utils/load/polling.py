"""The latency lab's client that polls: Engine.IO over HTTP, in two connections.

The rule kept here: one connection waits for news, the other brings ours, as a
browser does it; each is opened again when the server ended it, and that is
part of what polling costs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from selectors import EVENT_READ, BaseSelector

from utils.load import lines
from utils.load.lines import Line

#: Where the server waits; the transport's name and the session follow.
TARGET = "/socket.io/?EIO=4&transport="

_PING, _PONG = b"2", b"3"

#: Stands between the packets of one polling body.
_SEPARATOR = b"\x1e"


class Requests:
    """HTTP requests, one after another: ``hear`` makes messages of each response's body."""

    def __init__(self, port: int, hear: Callable[[bytes], list[bytes]]) -> None:
        self._port = port
        self._hear = hear
        self._line: Line | None = None
        self._selector: BaseSelector | None = None

    def watch(self, selector: BaseSelector) -> None:
        """Tell ``selector`` whenever it is open."""
        self._selector = selector
        if self._line is not None:
            selector.register(self._line.socket, EVENT_READ, self)

    def ask(self, request: bytes) -> None:
        """Send a request."""
        if self._line is None:
            self._line = Line(lines.connected(self._port))
            if self._selector is not None:
                self._selector.register(self._line.socket, EVENT_READ, self)
        self._line.say(request)

    def receive(self, room: memoryview) -> None:
        """Take what has come, by way of ``room``; waits if nothing has."""
        assert self._line is not None
        self._line.receive(room)

    def messages(self) -> Iterable[bytes]:
        """What the response says, if it is whole now."""
        body = self.body()
        return [] if body is None else self._hear(body)

    def body(self) -> bytes | None:
        """The body of the response, if it is whole now."""
        if self._line is None or (found := response(self._line.buffer)) is None:
            return None
        body, size, is_last = found
        del self._line.buffer[:size]
        if is_last:
            self.close()
        return body

    def close(self) -> None:
        """End the connection."""
        if self._line is not None:
            if self._selector is not None and self._line.socket in (self._selector.get_map() or ()):
                self._selector.unregister(self._line.socket)
            self._line.close()
            self._line = None


class Polling:
    """A :class:`~utils.load.speakers.Speaker` that polls."""

    def __init__(self, port: int, *, gzip: bool) -> None:
        self._host = f"Host: 127.0.0.1:{port}\r\n"
        self._accepts = "Accept-Encoding: gzip\r\n" if gzip else ""
        self._news, self._post = Requests(port, self._told), Requests(port, self._brought)
        self._waiting: list[bytes] = []
        self._under_way = False
        self._target = TARGET + "polling"
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        room = lines.room()
        opened = self._ask_at_once(room)
        self._target += "&sid=" + opened.partition(b'"sid":"')[2].partition(b'"')[0].decode("ascii")
        self.say(b"40")
        while self._under_way:
            self._post.receive(room)
            self._post.messages()
        heard = self._ask_at_once(room)
        if not heard.startswith(b"40{"):
            raise lines.refused(heard)
        self._ask()

    def watch(self, selector: BaseSelector) -> None:
        """Register both connections."""
        self._news.watch(selector)
        self._post.watch(selector)

    def prepare(self, text: bytes) -> bytes:
        """As it is."""
        return text

    def say(self, ready: bytes) -> None:
        """One POST at a time; what comes meanwhile goes with the next, as a browser does it."""
        self._waiting.append(ready)
        if not self._under_way:
            self._bring()

    def close(self) -> None:
        """Leave without a word."""
        self._news.close()
        self._post.close()

    def _ask(self) -> None:
        self._news.ask(f"GET {self._target} HTTP/1.1\r\n{self._host}{self._accepts}\r\n".encode())

    def _ask_at_once(self, room: memoryview) -> bytes:
        self._ask()
        while True:
            self._news.receive(room)
            if (body := self._news.body()) is not None:
                return body

    def _bring(self) -> None:
        body, self._waiting = _SEPARATOR.join(self._waiting), []
        head = (
            f"POST {self._target} HTTP/1.1\r\n{self._host}"
            f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._under_way = True
        self._post.ask(head.encode() + body)

    def _brought(self, body: bytes) -> list[bytes]:
        if body != b"OK":
            raise lines.refused(body)
        self._under_way = False
        if self._waiting:
            self._bring()
        return []

    def _told(self, body: bytes) -> list[bytes]:
        self._ask()
        heard = body.split(_SEPARATOR)
        if _PING in heard:
            self.say(_PONG)
        return [message for message in heard if message != _PING]


def response(buffer: bytearray) -> tuple[bytes, int, bool] | None:
    """The body of a response, its bytes in all, and whether it is the last here; None if more is to come."""
    edge = buffer.find(b"\r\n\r\n")
    if edge < 0:
        return None
    head, begin = bytes(buffer[:edge]).lower(), edge + 4
    if not head.startswith(b"http/1.1 200"):
        raise lines.refused(bytes(buffer[:edge]))
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
