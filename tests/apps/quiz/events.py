"""The quiz's events; they are registered by a function, as handlers live longer than one application."""

from flask import current_app, request
from flask_socketio import close_room, emit, join_room, rooms

scores = {}


def connected():
    scores[request.sid] = 0


def disconnected(reason):
    scores.pop(request.sid, None)


def play(name):
    join_room("players")
    emit("asked", {"number": 0, "question": current_app.config["QUESTIONS"][0]}, to=request.sid)
    return rooms()


def answer(number, value):
    right = value == eval_question(current_app.config["QUESTIONS"][number])
    scores[request.sid] += right
    emit("score", scores[request.sid], room="players")
    return right


def eval_question(question):
    left, sign, right = question.split()
    return int(left) + int(right) if sign == "+" else int(left) * int(right)


def finish():
    emit("finished", sorted(scores.values()), room="players")
    close_room("players")


def register(socketio):
    socketio.on_event("connect", connected)
    socketio.on_event("disconnect", disconnected)
    socketio.on_event("play", play)
    socketio.on_event("answer", answer)
    socketio.on_event("finish", finish)
