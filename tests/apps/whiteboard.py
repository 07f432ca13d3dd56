"""A whiteboard: rooms, and pictures as bytes in both directions.

python tests/apps/whiteboard.py
"""

import itertools

from flask import Flask, abort, send_file
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
socketio = SocketIO(app, max_http_buffer_size=2_000_000)
boards = {}
strokes = itertools.count(1)


@app.get("/boards/<name>.bin")
def download(name):
    import io

    if name not in boards:
        abort(404)
    return send_file(io.BytesIO(b"".join(boards[name])), mimetype="application/octet-stream")


@socketio.on("connect")
def welcome():
    emit("boards", list(boards))


@socketio.on("open")
def open_board(data):
    join_room(data["board"])
    return {"strokes": boards.setdefault(data["board"], [])}


@socketio.on("stroke")
def stroke(data, points):
    boards[data["board"]].append(points)
    emit("stroke", {"number": next(strokes), "points": points}, to=data["board"], skip_sid=None)


@socketio.event
def thumbnail(data):
    emit("show thumbnail", (data["board"], b"\x89PNG" + bytes(range(16))), callback=shown)


def shown(*anything):
    socketio.emit("seen", list(anything))


@socketio.on("disconnect")
def goodbye(reason=None):
    boards.pop("scratch", None)


if __name__ == "__main__":
    socketio.run(app, port=0)
