"""A small Flask-SocketIO application, as one writes it on the first day.

It has what the auction has no use for: it asks its clients for an
acknowledgement, and takes bytes from them.

    python -m scenarios.smallest

listens on 127.0.0.1, on a free port.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_socketio import SocketIO, emit

app = Flask(__name__)
# Named, or python-socketio takes gevent wherever it finds it.
socketio = SocketIO(app, async_mode="threading")


@app.route("/")
def index() -> str:
    return "Connect with a Socket.IO client.\n"


@socketio.on("ask me")
def ask_back() -> None:
    """Ask whoever says so, and tell everybody that there was an answer."""
    emit("how are you", callback=heard)


def heard(*answer: Any) -> None:
    socketio.emit("heard", list(answer))


@socketio.on("picture")
def picture(content: bytes) -> None:
    """Show a picture to everybody."""
    emit("picture", content, broadcast=True)


if __name__ == "__main__":
    # A lesson, not a service: Werkzeug's own server will do.
    socketio.run(app, host="127.0.0.1", port=0, allow_unsafe_werkzeug=True)
