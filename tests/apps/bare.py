"""python-socketio alone: its own WSGI application, without Flask, on Werkzeug's server or gevent's.

python -m tests.apps.bare, or anything that takes "tests.apps.bare:app"
"""

import socketio

sio = socketio.Server(cors_allowed_origins="*")
app = socketio.WSGIApp(sio, static_files={"/about": {"content_type": "text/plain", "filename": __file__}})


@sio.event
def connect(sid, environ, auth):
    with sio.session(sid) as session:
        session["greeted"] = False


@sio.event
def greet(sid, name):
    with sio.session(sid) as session:
        session["greeted"] = True
    sio.emit("greeting", f"hello {name}", to=sid)
    return "greeted"


@sio.on("add", namespace="/math")
def add(sid, first, second):
    return first + second


@sio.on("*")
def anything_else(event, sid, data):
    sio.emit("unknown", event, to=sid)


@sio.event
def disconnect(sid, reason):
    pass


if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 0, app, threaded=True)
