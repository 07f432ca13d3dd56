"""A client of which every byte is written by whoever holds it.

The rule kept here: it opens the connection and cuts the server's answers into
frames; it makes no frame, masks nothing and answers nothing by itself.  So
what it sends may be right or wrong, and is its owner's own.
"""

from __future__ import annotations

import socket
from typing import SupportsBytes
from urllib.parse import urlsplit

from utils.errors import ProcessError
from utils.wire import websocket

#: The key of the handshake: the example that RFC 6455 gives (section 1.3).  A real client draws it at random.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

#: Straight to a WebSocket: Engine.IO's clients mostly poll first, and need not.
_TARGET = "/socket.io/?EIO=4&transport=websocket"

_CHUNK = 1 << 16


class ByHand:
    """A WebSocket to a Socket.IO server, open, with the server's OPEN packet taken."""

    def __init__(self, url: str, patience: float) -> None:
        """Connect to ``url``; no answer may take longer than ``patience`` seconds.

        Raises ProcessError if the server does not agree to the upgrade.
        """
        address = urlsplit(url)
        assert address.hostname is not None
        self._read = bytearray()
        self._socket = socket.create_connection((address.hostname, address.port or 80), patience)
        # Each frame goes out at once, and does not wait for the one before to be acknowledged.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._open(address.netloc)
        except BaseException:
            self._socket.close()
            raise

    def send(self, *frames: SupportsBytes) -> None:
        """Send the bytes of each of ``frames``, as they are."""
        for frame in frames:
            self._socket.sendall(bytes(frame))

    def receive(self) -> bytes:
        """The bytes of the server's next frame; empty when it has ended the connection.

        Raises TimeoutError if nothing comes.
        """
        while True:
            frame = websocket.parse(self._read)
            if isinstance(frame, websocket.Frame) and len(self._read) >= frame.end:
                found = bytes(self._read[: frame.end])
                del self._read[: frame.end]
                return found
            if not self._more():
                return b""

    def ask(self, *frames: SupportsBytes) -> bytes:
        """Send ``frames``, and give the server's next frame."""
        self.send(*frames)
        return self.receive()

    def close(self) -> None:
        """End the connection as TCP does; read what is left, so that nothing is lost."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            while self._more():
                pass
        except OSError:
            pass  # the server ended it first, or says nothing more
        finally:
            self._socket.close()

    def _open(self, host: str) -> None:
        request = (
            f"GET {_TARGET} HTTP/1.1",
            f"Host: {host}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Version: 13",
        )
        self._socket.sendall("".join(f"{line}\r\n" for line in (*request, "")).encode("ascii"))
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                break
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        status = head.partition(b"\r\n")[0].decode("latin-1")
        if " 101 " not in f"{status} ":
            raise ProcessError("the server did not agree to a WebSocket", why=f"it said {status!r}")
        self.receive()  # the OPEN packet

    def _more(self) -> bool:
        data = self._socket.recv(_CHUNK)
        self._read += data
        return bool(data)
