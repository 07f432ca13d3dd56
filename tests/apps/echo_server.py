"""A small Flask-SocketIO application: one page, a bid that is broadcast, a burst that is not."""

from __future__ import annotations

import sys
import time

from flask import Flask
from flask_socketio import SocketIO, emit
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class Handler(WSGIRequestHandler):
    """Closes the connection after a WebSocket has ended: what is left is no HTTP.  Answers without delay."""

    disable_nagle_algorithm = True

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

    @socketio.on("burst")
    def on_burst(pauses: list[float]) -> None:
        for number, pause in enumerate(pauses):
            time.sleep(pause)
            emit("piece", (number, bytes([number]) * 3))

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
