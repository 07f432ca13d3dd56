"""An application that handles secrets in every place where one can be: for the test that none is recorded.

VAULT_API_TOKEN=... python -m tests.apps.vault --admin-password ... (see tests/test_cli_secrets.py)
"""

import logging
import os
import sys

from flask import Flask, jsonify, request, session
from flask_socketio import Namespace, SocketIO, emit

app = Flask(__name__)
app.config["SECRET_KEY"] = "planted-in-the-source"
socketio = SocketIO(app)
log = logging.getLogger("vault")
logging.basicConfig(level=logging.INFO)
API_TOKEN = os.environ["VAULT_API_TOKEN"]
ADMIN = sys.argv[sys.argv.index("--admin-password") + 1]


def check(password, api_key=None, **credentials):
    log.info("checked %s", credentials)
    return {"token": credentials.get("token"), "note": f"as {credentials.get('token')}"}


def show(anything):
    return f"<{anything}>"


@app.route("/page")
def page():
    session["who"] = "ann"
    check(request.args["token"], token=request.cookies["session_token"])
    show(request.headers["X-Api-Key"])
    show(API_TOKEN)
    show(ADMIN)
    return "hello", {"Set-Cookie": f"auth_token={request.args['answer_token']}; Path=/"}


@app.post("/form")
def form():
    return jsonify(access_token=request.form["password"], said=show(request.form["password"]))


@app.post("/json")
def as_json():
    return jsonify(echo=request.get_json(), big="x" * 2000)


@app.get("/reset/<token>")
def reset(token):
    return show(token)


class Vault(Namespace):
    def on_connect(self, auth):
        check(auth["password"], token=auth["token"])
        socketio.server.save_session(request.sid, {"cart": os.environ["VAULT_CART"]}, namespace="/vault")

    def on_login(self, form):
        show(form["password"])
        emit("welcome", {"refresh_token": form["password"], "text": "hello"})
        emit("file", b"\x00" + form["password"].encode() + b"\xff")
        return {"client_secret": form["password"]}

    def on_say(self, text):
        emit("said", text, broadcast=True)


socketio.on_namespace(Vault("/vault"))

if __name__ == "__main__":
    socketio.run(app, port=0)
