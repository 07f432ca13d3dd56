"""A small Flask-SocketIO application: one page, and an event that is broadcast and acknowledged."""

from __future__ import annotations

import sys

from flask import Flask
from flask_socketio import SocketIO, emit
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class Handler(WSGIRequestHandler):
    """Closes the connection after a WebSocket has ended: what is left is no HTTP."""

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        self.close_connection = True


def build(port: int = 0) -> tuple[SocketIO, BaseWSGIServer]:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "the cookie's key"
    socketio = SocketIO(app, async_mode="threading")

    @app.route("/")
    def index() -> str:
        return "hello"

    @socketio.on("connect")
    def on_connect(auth: object = None) -> None:
        """Everyone may come in."""

    @socketio.on("bid")
    def on_bid(amount: object) -> str:
        emit("bid", amount, broadcast=True)
        return "accepted"

    return socketio, make_server("127.0.0.1", port, app, threaded=True, request_handler=Handler)


def main() -> None:
    socketio, server = build(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        if socketio.server is not None:
            socketio.server.eio.shutdown()


if __name__ == "__main__":
    main()
