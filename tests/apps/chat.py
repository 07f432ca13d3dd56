"""A chat in the class-based style: everything that happens in a namespace is a method of one class.

python -m tests.apps.chat
"""

from flask import Flask, jsonify, request
from flask_socketio import Namespace, SocketIO, emit, join_room, leave_room, send

app = Flask(__name__)
app.config["SECRET_KEY"] = "chat's own key"
socketio = SocketIO(app)

names = {}


@app.route("/")
def index():
    return "<h1>Chat</h1>"


@app.route("/people")
def people():
    return jsonify(sorted(names.values()))


class Chat(Namespace):
    def on_connect(self, auth):
        names[request.sid] = (auth or {}).get("name", "somebody")
        emit("joined", names[request.sid], broadcast=True, include_self=False)

    def on_disconnect(self, reason):
        emit("left", names.pop(request.sid, "somebody"), broadcast=True)

    def on_say(self, text):
        emit("said", {"who": names[request.sid], "text": text}, broadcast=True)
        return len(text)

    def on_enter(self, room):
        join_room(room)
        self.emit("entered", {"who": names[request.sid], "room": room}, room=room)

    def on_leave(self, room):
        leave_room(room)

    def on_message(self, text):
        send(text.upper())


class Admin(Namespace):
    def on_connect(self, auth):
        return bool(auth and auth.get("token") == "let me in")

    def on_say(self, text):
        socketio.emit("notice", text, namespace="/chat")
        return "told"


socketio.on_namespace(Chat("/chat"))
socketio.on_namespace(Admin("/admin"))


@socketio.on_error_default
def failed(error):
    app.logger.warning("%s in %s", error, request.event["message"])


if __name__ == "__main__":
    socketio.run(app, port=0)
