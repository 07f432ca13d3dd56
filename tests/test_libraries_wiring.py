"""The wiring: living objects, met through their own dictionaries, and left alone."""

from __future__ import annotations

import flask_socketio
import pytest
from flask import Flask

from utils.libraries.wiring import MOST, wired


@pytest.fixture
def application():
    app = Flask("auction")
    socketio = flask_socketio.SocketIO(app, async_mode="threading")

    @socketio.on("bid")
    def bid(message):
        """A handler."""

    return app


def held(app, holder):
    """What the thing whose name is ``holder`` has: path → name, with the method that is meant."""
    found = wired(app)
    names = [thing.name for thing in found.things]
    return {
        one.path: names[one.target] + (f".{one.method}" if one.method else "")
        for one in found.references
        if names[one.holder] == holder
    }


def test_the_line_leaves_five_objects_behind(application):
    names = {thing.name for thing in wired(application).things}
    assert names >= {
        "flask.Flask",
        "flask_socketio.SocketIO",
        "flask_socketio._SocketIOMiddleware",
        "socketio.Server",
        "socketio.Manager",
        "engineio.Server",
    }


def test_the_middleware_stands_before_the_application_that_it_calls(application):
    assert held(application, "flask.Flask")[".wsgi_app"] == "flask_socketio._SocketIOMiddleware"
    assert held(application, "flask_socketio._SocketIOMiddleware")[".wsgi_app"] == "flask.Flask.wsgi_app"


def test_engineio_calls_socketio_by_three_bound_methods(application):
    handlers = held(application, "engineio.Server")
    assert [handlers[f".handlers[{name!r}]"] for name in ("connect", "message", "disconnect")] == [
        f"socketio.Server._handle_eio_{name}" for name in ("connect", "message", "disconnect")
    ]


def test_a_registered_function_is_followed_to_the_one_it_wraps(application):
    path = ".handlers['/']['bid']"
    wrapper = held(application, "socketio.Server")[path]
    assert wrapper.endswith("_handler")
    assert held(application, wrapper)[".__wrapped__"].endswith("bid")


def test_each_thing_says_whose_it_is(application):
    (server,) = [thing for thing in wired(application).things if thing.name == "engineio.Server"]
    assert server.library.startswith("python-engineio ")


def test_nothing_of_the_objects_runs():
    class Sly:
        def __getattribute__(self, name):
            raise AssertionError("looked at through the front door")

        def __repr__(self):
            raise AssertionError("asked for its repr")

    root = Sly()
    vars_of = object.__getattribute__(root, "__dict__")
    vars_of["other"] = Sly()
    assert [thing.name.rpartition(".")[2] for thing in wired(root).things] == ["Sly"]


def test_a_circle_ends_and_a_crowd_is_cut():
    class Kin:
        pass

    first = Kin()
    first.itself = first
    assert [(one.holder, one.path, one.target) for one in wired(first).references] == [(0, ".itself", 0)]
    app = Flask("crowd")
    app.extensions = {str(n): flask_socketio.SocketIO(async_mode="threading") for n in range(2 * MOST)}
    assert len(wired(app).things) == MOST


def test_what_has_no_attributes_leads_nowhere():
    assert wired(3).references == ()
