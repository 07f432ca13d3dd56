"""Serves an application that is named ``module:object``, as ``flask run`` or a WSGI server would.

The rule kept here: the application decides how it is served.  A Flask
application is run by its own Flask-SocketIO; any other WSGI callable by the
server that its python-socketio server was made for: gevent's, or else
Werkzeug's, with a thread for each request.  Always on the loopback interface.
"""

from __future__ import annotations

import ast
import importlib
import sys
from typing import Any

from utils.tracing.program import NoProgramError

#: The only address that is served.
HOST = "127.0.0.1"


def serve(words: str, port: int) -> None:
    """Serve what ``words`` name on ``port`` (0: any that is free), until it is interrupted.

    Raises NoProgramError if they name nothing that can be served.
    """
    application = load(words)
    sys.argv[:] = [words]
    extension = _extension(application)
    if extension is not None:
        flask, own = extension
        options = {"use_reloader": False}
        if _async_mode(own.server) == "threading":
            options["allow_unsafe_werkzeug"] = True
        own.run(flask, host=HOST, port=port, **options)
        return
    mode = _async_mode(application)
    if hasattr(application, "handle_request") and not callable(application):
        import socketio

        application = socketio.WSGIApp(application)  # a server alone
    if mode in ("asgi", "aiohttp", "tornado", "sanic"):
        raise NoProgramError(
            f"{words} is for asyncio ({mode}): only applications for threads or gevent are recorded"
        )
    if not callable(application):
        raise NoProgramError(
            f"{words} is no application: neither Flask's, nor Flask-SocketIO's, nor a WSGI callable"
        )
    if mode == "gevent":
        from gevent import pywsgi

        pywsgi.WSGIServer((HOST, port), application).serve_forever()
    else:
        from werkzeug.serving import run_simple

        run_simple(HOST, port, application, threaded=True)


def load(words: str) -> Any:
    """The object that ``words`` name: ``module:name``, ``module:name.name`` or ``module:factory(...)``.

    A factory's arguments are literals.  Raises NoProgramError if there is none;
    what the module itself raises comes through.
    """
    name, _, wanted = words.partition(":")
    try:
        expression = ast.parse(wanted.strip(), mode="eval").body
    except SyntaxError:
        raise NoProgramError(f"{wanted!r} names no object of a module") from None
    module = _module(name)
    if not isinstance(expression, ast.Call):
        return _attribute(module, expression, words)
    factory = _attribute(module, expression.func, words)
    try:
        positional = [ast.literal_eval(argument) for argument in expression.args]
        named = {one.arg: ast.literal_eval(one.value) for one in expression.keywords if one.arg}
    except ValueError:
        raise NoProgramError(f"the arguments in {wanted!r} must be literals") from None
    return factory(*positional, **named)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise NoProgramError(f"No module named {error.name}") from None
        raise


def _attribute(module: Any, expression: ast.expr, words: str) -> Any:
    if isinstance(expression, ast.Name):
        owner, name = module, expression.id
    elif isinstance(expression, ast.Attribute):
        owner, name = _attribute(module, expression.value, words), expression.attr
    else:
        raise NoProgramError(f"{words.partition(':')[2]!r} is neither a name nor a call")
    try:
        return getattr(owner, name)
    except AttributeError:
        raise NoProgramError(f"{words.partition(':')[0]} has no {name!r}") from None


def _extension(application: Any) -> tuple[Any, Any] | None:
    """The Flask application and its SocketIO, from either of the two."""
    extensions = getattr(application, "extensions", None)
    if isinstance(extensions, dict) and "socketio" in extensions:
        return application, extensions["socketio"]
    middleware = getattr(application, "sockio_mw", None)
    if middleware is not None:
        return middleware.flask_app, application
    return None


def _async_mode(application: Any) -> str:
    """What the python-socketio server of a WSGI application was made for; empty if there is none."""
    for name in ("engineio_app", "wsgi_app"):
        inner = getattr(application, name, None)
        if inner is not None:
            return _async_mode(inner)
    return str(getattr(application, "async_mode", ""))
