"""What an application registered: its routes, its event handlers, its namespaces.

The rule kept here: only what the recording saw being registered is told; it saw
it if it was made from the application's first line on.  Of a namespace's class
the methods are read off its source, if that can be read here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from utils.deeds import border
from utils.journeys.calltree import CallTree
from utils.provenance import values
from utils.records import Call, Site, Trace

#: Any namespace: Socket.IO's name for it.
ROOT = "/"

_ON = {(border.FLASK_SOCKETIO, "SocketIO.on")}
_SERVER_ON = {("socketio/base_server.py", "BaseServer.on"), ("socketio/server.py", "Server.on")}
_NAMESPACES = {(border.FLASK_SOCKETIO, "SocketIO.on_namespace")}
_SERVER_NAMESPACES = {
    ("socketio/base_server.py", "BaseServer.register_namespace"),
    ("socketio/server.py", "Server.register_namespace"),
}
_NAMESPACE_MADE = {
    ("socketio/base_namespace.py", "BaseNamespace.__init__"),
    ("socketio/namespace.py", "BaseNamespace.__init__"),
}
_RULES = {("flask/sansio/app.py", "App.add_url_rule"), ("flask/app.py", "Flask.add_url_rule")}

_CLASS_NAME = re.compile(r"<(?P<name>[\w.]+)>")
_NAME = re.compile(r"\w+(?:\.\w+)*")
_VARIABLE = re.compile(r"<(?:(?P<converter>[^:<>]+):)?[^<>]+>")


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that was registered for an event.  ``namespace`` is None where the recording cannot tell."""

    event: str
    namespace: str | None
    function: str  # as far as it is known
    site: Site | None  # the application's line that registered it


@dataclass(frozen=True, slots=True)
class Route:
    """A rule for addresses that was registered; without ``methods`` it is not known for which."""

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    site: Site | None

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is this rule's."""
        return method in (self.methods or (method,)) and _pattern(self.rule).fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class Registered:
    """Everything that was seen being registered.

    ``seen`` is False where the recording began too late to see any of it.
    """

    handlers: tuple[Handler, ...]
    routes: tuple[Route, ...]
    seen: bool


def registered(tree: CallTree, traces: Iterable[Trace]) -> Registered:
    """What the applications of all processes registered, in that order."""
    handlers: list[Handler] = []
    routes: list[Route] = []
    for trace in traces:
        made: list[str | None] = []  # the namespaces made, and not yet registered
        files = {call.code.filename for call in trace.calls}
        for call in trace.calls:
            name = border.identity(call)
            if name in _ON or (name in _SERVER_ON and not _beneath_flask(tree, call)):
                handlers.append(_handler(tree, call))
            elif name in _RULES and not _is_flasks_own(tree, call):
                routes.append(_route(tree, call))
            elif name in _NAMESPACE_MADE:
                made.append(border.text_argument(call, "namespace") or ROOT)
            elif name in _NAMESPACES or (name in _SERVER_NAMESPACES and not _beneath_flask(tree, call)):
                # Of several that were made before, it is not known which one this is.
                namespace = made[0] if len(made) == 1 else None
                made.clear()
                handlers += _of_class(tree, call, namespace, files)
    unique = tuple(dict.fromkeys(handlers))
    return Registered(unique, tuple(dict.fromkeys(routes)), bool(unique or routes))


def _route(tree: CallTree, call: Call) -> Route:
    site = border.asked_at(tree, call)
    # Without a name of its own the endpoint is called like its function (Flask's add_url_rule).
    function = "" if site is None else function_at(site.code.filename, site.line) or ""
    rule = border.text_argument(call, "rule") or "?"
    return Route(rule, border.text_argument(call, "endpoint") or function, _methods(call), site)


def _methods(call: Call) -> tuple[str, ...]:
    """The methods that a rule is for, and that Flask adds; empty where the recording cannot tell."""
    options = values.read((call.arguments or {}).get("options", ""))
    if not isinstance(options, dict):
        return ()
    asked = options.get("methods")
    if asked is None:
        asked = ["GET"]
    if not isinstance(asked, list | tuple) or not all(isinstance(method, str) for method in asked):
        return ()
    methods = {method.upper() for method in asked} | {"OPTIONS"}
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _is_flasks_own(tree: CallTree, call: Call) -> bool:
    """Whether it is the rule for static files, which every Flask application begins with."""
    return any(one.code.name in ("Flask.__init__", "App.__init__") for one in tree.ancestors(call))


def _beneath_flask(tree: CallTree, call: Call) -> bool:
    """Whether Flask-SocketIO only passes on what the application told it."""
    return any(border.identity(one)[0].startswith("flask_socketio/") for one in tree.ancestors(call))


def _handler(tree: CallTree, call: Call) -> Handler:
    site = border.asked_at(tree, call)
    event = border.text_argument(call, "event", "message") or "?"
    function = "" if site is None else function_at(site.code.filename, site.line) or ""
    return Handler(event, border.text_argument(call, "namespace") or ROOT, function, site)


def _of_class(tree: CallTree, call: Call, namespace: str | None, files: Iterable[str]) -> Iterator[Handler]:
    told = _CLASS_NAME.fullmatch((call.arguments or {}).get("namespace_handler", ""))
    site = border.asked_at(tree, call)
    name = told["name"] if told else "?"
    found = [methods for file in sorted(files) if (methods := _classes(file).get(name))]
    if not found:
        yield Handler("?", namespace, name, site)
    for method in found[0] if found else ():
        yield Handler(method.removeprefix("on_"), namespace, f"{name}.{method}", site)


# ── what sources tell ────────────────────────────────────────────────────────


@cache
def _tree(filename: str) -> ast.Module | None:
    try:
        return ast.parse(Path(filename).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


@cache
def _classes(filename: str) -> dict[str, tuple[str, ...]]:
    """Class → its methods that handle events, of a file that is an application's."""
    tree = _tree(filename)
    found = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ClassDef):
            names = [one.name for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            found[node.name] = tuple(name for name in names if name.startswith("on_"))
    return found


def function_at(filename: str, line: int) -> str | None:
    """The name of the function that is decorated on ``line``, or handed on there; None if there is none."""
    tree = _tree(filename)
    handed = None
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first <= line <= node.lineno:
                return node.name
        # socketio.on_event("play", play)
        elif isinstance(node, ast.Call) and node.lineno == line and len(node.args) > 1:
            handed = ast.unparse(node.args[1])
    return handed if handed is not None and _NAME.fullmatch(handed) else None


@cache
def _pattern(rule: str) -> re.Pattern[str]:
    """A rule of Werkzeug's as a pattern: a variable is a part of the path, ``path`` may be several."""
    pieces, at = [], 0
    for variable in _VARIABLE.finditer(rule):
        pieces.append(re.escape(rule[at : variable.start()]))
        pieces.append(".+" if variable["converter"] == "path" else "[^/]+")
        at = variable.end()
    return re.compile("".join(pieces) + re.escape(rule[at:]))
