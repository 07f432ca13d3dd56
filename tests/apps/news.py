"""News through a message queue: what another process emits reaches the clients of this one.

    REDIS_URL=redis://... python -m tests.apps.news           (needs redis)
    REDIS_URL=redis://... python -m tests.apps.news publish "..."

The second form is a script as it runs in a cron job: no server, only the queue.
"""

import os
import sys

import socketio as sio
from flask import Flask
from flask_socketio import SocketIO, emit, join_room

QUEUE = os.environ["REDIS_URL"]

app = Flask(__name__)
socketio = SocketIO(app, message_queue=QUEUE, channel="news", async_mode="threading")


@app.route("/")
def index():
    return "News"


@socketio.on("subscribe")
def subscribe(topic):
    join_room(topic)
    emit("subscribed", topic)


@socketio.on("flash")
def flash(text):
    socketio.emit("news", {"text": text, "from": "a reader"})


def publish(text):
    sio.RedisManager(QUEUE, channel="news", write_only=True).emit("news", {"text": text}, room="politics")


if __name__ == "__main__":
    if sys.argv[1:2] == ["publish"]:
        publish(sys.argv[2])
    else:
        socketio.run(app, port=0, use_reloader=False)
