"""A guest book: the application that a student might have written, and reports.

    python -m scenarios.guestbook

listens on 127.0.0.1, on a free port.
"""

from __future__ import annotations

from flask import Flask
from flask_socketio import SocketIO, emit

app = Flask(__name__)
# Named, or python-socketio takes gevent wherever it finds it.
socketio = SocketIO(app, async_mode="threading")
guests: list[str] = []


@app.route("/guests")
def show_guests() -> list[str]:
    return guests


@socketio.on("sign")
def sign(name: str) -> int:
    """Write a name into the book, tell everybody, and answer how many there are."""
    guests.append(name)
    emit("signed", {"name": name, "number": len(guests)}, broadcast=True)
    return len(guests)


@socketio.on("erase")
def erase() -> None:
    """Begin a new book."""
    guests.clear()


if __name__ == "__main__":
    # A lesson, not a service: Werkzeug's own server will do.
    socketio.run(app, host="127.0.0.1", port=0, allow_unsafe_werkzeug=True)
