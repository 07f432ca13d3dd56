"""A small Flask-SocketIO application for what the auction has one way of, and a lesson needs two.

Each event is handled in a thread of its own, as Flask-SocketIO does unless it
is told otherwise, or, with ``--in-order``, where it was read.  And there is a
namespace beside the main one, which does not admit everybody.

    python -m scenarios.talk [--in-order]

listens on 127.0.0.1, on a free port.
"""

from __future__ import annotations

import sys
from typing import Any

from flask import Flask
from flask_socketio import ConnectionRefusedError, SocketIO, emit

app = Flask(__name__)
# Named, or python-socketio takes gevent wherever it finds it.
socketio = SocketIO(app, async_mode="threading", async_handlers="--in-order" not in sys.argv)


@socketio.on("say")
def say(word: str) -> None:
    """Tell everybody."""
    emit("said", word, broadcast=True)


@socketio.on("ask everybody")
def ask_everybody() -> None:
    """Ask all who are connected, and tell all of each answer."""
    emit("how are you", broadcast=True, callback=answered)


def answered(*answer: Any) -> None:
    socketio.emit("answered", list(answer))


@socketio.on("connect", namespace="/staff")
def admit(auth: object) -> None:
    """Whoever says the word is staff."""
    if auth != {"word": "please"}:
        raise ConnectionRefusedError("say the word")


@socketio.on("say", namespace="/staff")
def say_to_staff(word: str) -> str:
    """Tell those in the same namespace, and acknowledge it."""
    emit("said", word, broadcast=True)
    return "told"


if __name__ == "__main__":
    # A lesson, not a service: Werkzeug's own server will do.
    socketio.run(app, host="127.0.0.1", port=0, allow_unsafe_werkzeug=True)
