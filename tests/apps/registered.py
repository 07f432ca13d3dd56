"""What an application has registered: ``python -m tests.apps.registered module:object`` prints it as JSON.

A list of [file, qualified name] for its routes' views, its events' handlers and the methods
of its class-based namespaces, as Flask and python-socketio themselves hold them.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

from utils.tracing.serving import load


def registered(application):
    """The functions that Flask and python-socketio would call."""
    flask = application if hasattr(application, "view_functions") else None
    if flask is not None:
        server = flask.extensions["socketio"].server
        for rule in flask.url_map.iter_rules():
            if rule.endpoint != "static":
                yield flask.view_functions[rule.endpoint]
    else:
        server = application.engineio_app
    for handlers in server.handlers.values():
        yield from handlers.values()
    for namespace in server.namespace_handlers.values():
        for name, method in inspect.getmembers(namespace, inspect.ismethod):
            if name.startswith("on_"):
                yield method


def main():
    found = set()
    for function in registered(load(sys.argv[1])):
        code = inspect.unwrap(function).__code__
        found.add((Path(code.co_filename).name, code.co_qualname))
    print(json.dumps(sorted(found)))


if __name__ == "__main__":
    main()
