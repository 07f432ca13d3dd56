"""What no stack on top of TCP can be faster than: the floors beneath the latency lab's figures.

The rule kept here: nothing but what the name says.  ``tcp`` sends back what it
reads; ``websocket`` does so by frames, with simple-websocket under Werkzeug and
nothing of Socket.IO; ``tell`` sends what one connection says to all of them, in
a loop.

    python -m scenarios.floors tcp

listens on 127.0.0.1, on a free port.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections.abc import Iterable
from typing import Any, ClassVar

import click
import simple_websocket
from werkzeug.serving import make_server

from scenarios.echo import LARGEST, Prompt


class Server(socketserver.ThreadingTCPServer):
    """One thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it reads."""

    request: socket.socket

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        while data := self.request.recv(1 << 18):
            self.request.sendall(data)


class Tell(Echo):
    """Sends what it reads to every connection."""

    everybody: ClassVar[list[socket.socket]] = []  # shared by all connections: that is the point
    turn = threading.Lock()

    def handle(self) -> None:
        with self.turn:
            self.everybody.append(self.request)
        try:
            while data := self.request.recv(1 << 18):
                with self.turn:
                    for each in self.everybody:
                        each.sendall(data)
        finally:
            with self.turn:
                self.everybody.remove(self.request)


def echo_by_frames(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI: sends back each message of a WebSocket."""
    websocket = simple_websocket.Server.accept(environ, max_message_size=LARGEST)
    try:
        while True:
            websocket.send(websocket.receive())
    except simple_websocket.ConnectionClosed:
        return []


@click.command()
@click.argument("kind", type=click.Choice(["tcp", "websocket", "tell"]))
@click.option("--port", default=0, help="The port; 0 takes a free one.")
def main(kind: str, port: int) -> None:
    """Echo without Socket.IO until interrupted."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server: Any
    if kind == "websocket":
        server = make_server("127.0.0.1", port, echo_by_frames, threaded=True, request_handler=Prompt)
    else:
        server = Server(("127.0.0.1", port), Tell if kind == "tell" else Echo)
    with server:
        server.serve_forever()


if __name__ == "__main__":
    main()
