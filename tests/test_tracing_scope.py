"""Which functions are recorded, and how closely."""

from __future__ import annotations

import json
import queue
import socket
import socketserver
import sysconfig
import threading
from pathlib import Path

import engineio.socket
import flask
import pytest
import simple_websocket
import socketio
import socketio.packet
import werkzeug.datastructures
import werkzeug.serving
import wsproto.frame_protocol

from tests.apps import echo_server, traced
from utils.tracing import catalog, collector
from utils.tracing.catalog import Depth
from utils.tracing.scope import Detail, Scope, listed_depth

APPLICATION = Path(traced.__file__)


def code_named(text, name, filename):
    """The code object ``name`` that compiling ``text`` as ``filename`` makes."""
    codes = [compile(text, filename, "exec")]
    for code in codes:
        codes.extend(inner for inner in code.co_consts if hasattr(inner, "co_code"))
        if code.co_name == name:
            return code
    raise LookupError(name)


@pytest.mark.parametrize(
    ("function", "depth"),
    [
        (socketio.packet.Packet.encode, Depth.WHOLE),
        (engineio.socket.Socket.send, Depth.CLOSE),
        (flask.Flask.full_dispatch_request, Depth.CLOSE),
        (simple_websocket.ws.Base.send, Depth.WHOLE),
        (werkzeug.serving.WSGIRequestHandler.run_wsgi, Depth.CLOSE),
        (socketserver.BaseServer.process_request, Depth.CLOSE),
        (queue.Queue.put, Depth.CLOSE),
        (threading.Event.wait, Depth.CLOSE),
        (wsproto.frame_protocol.Buffer.feed, Depth.PLAIN),
        (werkzeug.serving.WSGIRequestHandler.log_request, Depth.PLAIN),
        (werkzeug.datastructures.Headers.add, Depth.PLAIN),
        (queue.Queue.qsize, Depth.NEVER),
        (threading.Thread.join, Depth.NEVER),
        (socket.socket.accept, Depth.NEVER),
        (json.dumps, Depth.NEVER),
        (traced.outer, Depth.CLOSE),
        (traced.Worker.ask, Depth.CLOSE),
        (echo_server.build, Depth.NEVER),  # it lies beside the root, which is one file here
        (collector.Collector.start, Depth.NEVER),
        (Scope.decide, Depth.NEVER),
    ],
    ids=lambda value: getattr(value, "__qualname__", None) or value.name,
)
def test_each_function_is_followed_as_closely_as_it_matters(function, depth):
    assert Scope([APPLICATION]).decide(function.__code__) is depth


def test_a_folder_may_be_a_root():
    scope = Scope([APPLICATION.parent])
    assert scope.decide(traced.outer.__code__) is Depth.CLOSE
    assert scope.decide(echo_server.build.__code__) is Depth.CLOSE


def test_without_roots_nothing_but_the_stack_is_recorded():
    assert Scope().decide(traced.outer.__code__) is Depth.NEVER


def test_what_is_installed_below_a_root_is_not_the_applications():
    scope = Scope([Path("/")])
    installed = Path(sysconfig.get_path("purelib")) / "somewhere" / "else.py"
    assert scope.decide(code_named("def f(): pass", "f", str(installed))) is Depth.NEVER
    assert scope.decide(json.dumps.__code__) is Depth.NEVER


def test_the_tracer_never_records_itself():
    scope = Scope([Path("/")])
    assert scope.decide(collector.Collector.start.__code__) is Depth.NEVER


@pytest.mark.parametrize("name", ["C", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"])
def test_fragments_of_functions_are_no_calls(name, tmp_path):
    text = "class C: pass\nx = list(i for i in ())\ny = 1"
    file = str(tmp_path / "module.py")
    fragments = {"C": "class C: pass", "<genexpr>": "x = list(i for i in ())"}
    # Python 3.12 inlines the others: then a function of that name stands for them.
    if name in fragments:
        code = code_named(text, name, file)
    else:
        code = traced.outer.__code__.replace(co_name=name, co_filename=file)
    assert Scope([tmp_path]).decide(code) is Depth.NEVER


def test_an_applications_module_is_followed_and_a_librarys_is_not(tmp_path):
    application = code_named("x = 1", "<module>", str(tmp_path / "app.py"))
    library = code_named("x = 1", "<module>", flask.app.__file__)
    assert Scope([tmp_path]).decide(application) is Depth.CLOSE
    assert Scope([tmp_path]).decide(library) is Depth.NEVER


def test_code_of_no_file_is_not_recorded():
    assert Scope([Path("/")]).decide(code_named("def f(): pass", "f", "<string>")) is Depth.NEVER


@pytest.mark.parametrize(
    ("detail", "close", "plain"),
    [
        (Detail.FULL, Depth.CLOSE, Depth.PLAIN),
        (Detail.ESSENTIAL, Depth.CLOSE, Depth.NEVER),
        (Detail.PLAIN, Depth.PLAIN, Depth.PLAIN),
    ],
)
def test_the_detail_lowers_what_the_lists_say(detail, close, plain):
    scope = Scope(detail=detail)
    assert scope.decide(engineio.socket.Socket.send.__code__) is close
    assert scope.decide(wsproto.frame_protocol.Buffer.feed.__code__) is plain
    assert scope.decide(json.dumps.__code__) is Depth.NEVER


def test_the_most_exact_entry_counts():
    assert listed_depth("flask/json/provider.py", "JSONProvider.dumps") is Depth.PLAIN  # its folder's
    assert listed_depth("flask/app.py", "Flask.run") is Depth.CLOSE  # its package's
    assert listed_depth("flask/app.py", "Flask.app_context") is Depth.PLAIN  # its own
    assert listed_depth("websocket/_abnf.py", "frame_buffer.clear") is Depth.PLAIN  # its class's
    assert listed_depth("websocket/_abnf.py", "frame_buffer.recv_header") is Depth.CLOSE  # its own again
    assert listed_depth("websocket/_socket.py", "recv.<locals>._recv") is Depth.PLAIN  # that around it
    assert listed_depth("engineio/server.py", "Server.f.<locals>.<lambda>") is Depth.PLAIN
    assert listed_depth("email/message.py", "Message.get") is Depth.NEVER


def test_no_list_contradicts_its_meaning():
    # An entry that says what would hold without it is a mistake in the making.
    for (path, name), depth in catalog.FUNCTIONS.items():
        owner = name.rpartition(".")[0].removesuffix(".<locals>")
        assert listed_depth(path, owner or "<module>") is not depth or depth is Depth.CLOSE, (path, name)
