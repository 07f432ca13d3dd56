"""The echo of :mod:`scenarios.echo`, served by gevent; with ``--bare``, on python-socketio alone.

    python -m scenarios.echo_gevent

needs gevent, in an environment of its own: python-socketio takes it wherever
it finds it.
"""

# gevent's rule: before anything else is imported.
from gevent import monkey

monkey.patch_all()

import socket
from typing import Any

import click
import socketio
from gevent.pywsgi import WSGIHandler, WSGIServer

from scenarios import echo


class Prompt(WSGIHandler):
    """gevent's handler, which sends small packets at once."""

    def handle(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()


def bare() -> socketio.WSGIApp:
    """The same two events on python-socketio alone."""
    server = socketio.Server(async_mode="gevent", max_http_buffer_size=echo.LARGEST)

    @server.on("echo")
    def answer(sid: str, content: Any) -> Any:
        return content

    @server.on("announce")
    def announce(sid: str, content: Any) -> bool:
        server.emit("news", content)
        return True

    return socketio.WSGIApp(server)


@click.command()
@click.option("--port", default=0, help="The port; 0 takes a free one.")
@click.option("--bare", "is_bare", is_flag=True, help="On python-socketio alone.")
def main(port: int, is_bare: bool) -> None:
    """Echo over Socket.IO until interrupted."""
    application = bare() if is_bare else echo.build("gevent")[0]
    WSGIServer(("127.0.0.1", port), application, handler_class=Prompt, log=None).serve_forever()


if __name__ == "__main__":
    main()
