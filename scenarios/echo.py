"""The echo that the latency lab measures: two events, and the options that change how fast they are.

The rule kept here: an application as anybody would write it, which does next
to nothing, so that what is measured is the stack beneath it.

    python -m scenarios.echo

listens on 127.0.0.1, on a free port, served by Werkzeug; ``scenarios.echo_gevent``
is the same by gevent.  ``echo`` answers with what it was sent; ``announce``
tells everybody, and answers too.
"""

from __future__ import annotations

import logging
from typing import Any

import click
from flask import Flask
from flask_socketio import SocketIO, emit
from werkzeug.serving import WSGIRequestHandler, make_server

#: The largest message, in bytes: a payload of 1 MB and what stands around it.
LARGEST = 4_000_000


def build(async_mode: str, **options: Any) -> tuple[Flask, SocketIO]:
    """The application and its Socket.IO server; ``options`` go to Flask-SocketIO."""
    app = Flask(__name__)
    socketio = SocketIO(app, async_mode=async_mode, max_http_buffer_size=LARGEST, **options)

    @socketio.on("echo")
    def echo(content: Any) -> Any:
        return content

    @socketio.on("announce")
    def announce(content: Any) -> bool:
        """Tell everybody, the sender too, and acknowledge."""
        emit("news", content, broadcast=True)
        return True

    return app, socketio


class Prompt(WSGIRequestHandler):
    """Werkzeug's handler, which sends small packets at once, and reads no HTTP behind a WebSocket."""

    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        self.close_connection = True


class Plain(Prompt):
    """The same with the system's default: a small packet waits for the one before (Nagle's algorithm)."""

    disable_nagle_algorithm = False


@click.command()
@click.option("--port", default=0, help="The port; 0 takes a free one.")
@click.option("--nagle", is_flag=True, help="Leave TCP_NODELAY off, as Werkzeug does by itself.")
@click.option("--in-order", is_flag=True, help="Handle events one by one (async_handlers=False).")
@click.option("--no-gzip", is_flag=True, help="Compress no polling answer (http_compression=False).")
def main(port: int, nagle: bool, in_order: bool, no_gzip: bool) -> None:
    """Echo over Socket.IO until interrupted."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request would be measured, too
    app, socketio = build("threading", async_handlers=not in_order, http_compression=not no_gzip)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Plain if nagle else Prompt)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        socketio.server.eio.shutdown()


if __name__ == "__main__":
    main()
