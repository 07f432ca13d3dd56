"""Where libraries call an application, and where it calls them.

The rule kept here: a function of a library is known by its file and its name;
what the call was about is read off the library's own arguments, as recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from utils import libraries
from utils.journeys.calltree import CallTree
from utils.provenance import values
from utils.provenance.origin import is_application
from utils.records import Call, Site

FLASK_SOCKETIO = "flask_socketio/__init__.py"

#: Event handlers are called by these.
EVENT_CALLERS = {
    (FLASK_SOCKETIO, "SocketIO._handle_event"),
    ("flask_socketio/namespace.py", "Namespace.trigger_event"),
    ("socketio/namespace.py", "Namespace.trigger_event"),
    ("socketio/async_namespace.py", "AsyncNamespace.trigger_event"),
    ("socketio/server.py", "Server._trigger_event"),
    ("socketio/async_server.py", "AsyncServer._trigger_event"),
}

#: A view is called by this.
VIEW_CALLERS = {("flask/app.py", "Flask.dispatch_request")}

#: A function that was given for an acknowledgement is called by these.
ACK_CALLERS = {
    ("socketio/base_manager.py", "BaseManager.trigger_callback"),
    ("socketio/manager.py", "Manager.trigger_callback"),
    ("socketio/async_manager.py", "AsyncManager.trigger_callback"),
}

#: A thread of its own begins here.
THREAD_CALLERS = {("threading.py", "Thread.run")}

#: Files whose ``emit``, ``send`` and ``call`` an application calls to send; a client's are not among them.
SENDING_FILES = frozenset(
    {
        FLASK_SOCKETIO,
        "flask_socketio/namespace.py",
        "socketio/async_namespace.py",
        "socketio/async_pubsub_manager.py",
        "socketio/async_server.py",
        "socketio/namespace.py",
        "socketio/pubsub_manager.py",
        "socketio/server.py",
    }
)
SENDING_NAMES = frozenset({"emit", "send", "call"})

_PATH_INFO = re.compile(r"'PATH_INFO': '((?:[^'\\]|\\.)*)'")


class Way(Enum):
    """How an application came to be called."""

    EVENT = "event"
    VIEW = "view"
    ACK = "acknowledgement"
    THREAD = "thread"


_WAYS = {
    **dict.fromkeys(EVENT_CALLERS, Way.EVENT),
    **dict.fromkeys(VIEW_CALLERS, Way.VIEW),
    **dict.fromkeys(ACK_CALLERS, Way.ACK),
    **dict.fromkeys(THREAD_CALLERS, Way.THREAD),
}


def identity(call: Call) -> tuple[str, str]:
    """The file of a call's function, with its library's own folder, and its name."""
    where = libraries.place(call.code.filename)
    return ("" if where is None else where.path), call.code.name


def entered_by(tree: CallTree, call: Call) -> tuple[Call, Way] | None:
    """The library's call that called the application's function ``call``; None if the application did.

    Between the two only libraries' calls may stand: what the application calls
    itself, directly or through a library, is its own affair.
    """
    found: tuple[Call, Way] | None = None
    for around in tree.ancestors(call):
        if is_application(around.code):
            break
        way = _WAYS.get(identity(around))
        # The nearest tells most; but an acknowledgement may be passed on as events are.
        if way is Way.ACK or (found is None and way is not None):
            found = around, way
    return found


def sends(call: Call) -> bool:
    """Whether ``call`` is an application's own line that sends an event."""
    path, name = identity(call)
    if path not in SENDING_FILES or name.rpartition(".")[2] not in SENDING_NAMES:
        return False
    return call.site is not None and is_application(call.site.code)


def text_argument(call: Call, *names: str) -> str | None:
    """The first of the arguments called ``names`` that is a text."""
    for name in names:
        recorded = (call.arguments or {}).get(name)
        value = None if recorded is None else values.read(recorded)
        if isinstance(value, str):
            return value
    return None


def around(tree: CallTree, call: Call, callers: set[tuple[str, str]]) -> Iterator[Call]:
    """``call`` and the calls around it, the innermost first, that are among ``callers``."""
    for one in (call, *tree.ancestors(call)):
        if identity(one) in callers:
            yield one


def asked_at(tree: CallTree, call: Call) -> Site | None:
    """The application's line that led to ``call`` through libraries alone."""
    for one in (call, *tree.ancestors(call)):
        if one.site is not None and is_application(one.site.code):
            return one.site
        if is_application(one.code):
            return None
    return None
