"""Which functions are recorded, and how closely.

The rule kept here: it is decided once for each code object, from its file and
its name alone, and the lists below are all that there is to the decision.  A
function that does the work of a journey is followed *closely*: with its
arguments and its result.  What merely serves it is recorded *plainly*.  All
else is never recorded.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sysconfig
from collections.abc import Sequence
from enum import Enum, IntEnum
from pathlib import Path
from types import CodeType


class Depth(IntEnum):
    """How closely a function is followed."""

    NEVER = 0
    PLAIN = 1  # times, lines and exceptions
    CLOSE = 2  # and its arguments and result


class Detail(Enum):
    """How much of what is in scope is recorded."""

    ESSENTIAL = "essential"  # only what is followed closely
    PLAIN = "plain"  # everything, but only plainly
    FULL = "full"  # everything, each as closely as the lists say


#: The stack: top-level package (or module) → how closely its functions are followed.
STACK = {
    "engineio": Depth.CLOSE,
    "flask": Depth.CLOSE,
    "flask_socketio": Depth.CLOSE,
    "h11": Depth.PLAIN,
    "requests": Depth.PLAIN,
    "simple_websocket": Depth.CLOSE,
    "socketio": Depth.CLOSE,
    "urllib3": Depth.PLAIN,
    "websocket": Depth.CLOSE,
    "werkzeug": Depth.CLOSE,
    "wsproto": Depth.CLOSE,
}

#: The parts of CPython's standard library that the stack stands on.
STANDARD_LIBRARY = {
    "http/client.py": Depth.CLOSE,
    "http/server.py": Depth.CLOSE,
    "queue.py": Depth.NEVER,
    "socket.py": Depth.CLOSE,
    "socketserver.py": Depth.CLOSE,
    "threading.py": Depth.NEVER,
}

#: Files (or folders, with a slash at the end) whose functions are followed otherwise.
FILES = {
    "engineio/async_drivers/_websocket_wsgi.py": Depth.CLOSE,
    "engineio/json.py": Depth.PLAIN,
    "flask/cli.py": Depth.PLAIN,
    "flask/config.py": Depth.PLAIN,
    "flask/globals.py": Depth.PLAIN,
    "flask/helpers.py": Depth.PLAIN,
    "flask/json/": Depth.PLAIN,
    "flask/logging.py": Depth.NEVER,
    "flask/sessions.py": Depth.PLAIN,
    "flask/signals.py": Depth.NEVER,
    "h11/_abnf.py": Depth.NEVER,
    "h11/_events.py": Depth.NEVER,
    "h11/_headers.py": Depth.NEVER,
    "h11/_receivebuffer.py": Depth.NEVER,
    "h11/_state.py": Depth.NEVER,
    "h11/_util.py": Depth.NEVER,
    "requests/cookies.py": Depth.NEVER,
    "requests/structures.py": Depth.NEVER,
    "requests/utils.py": Depth.NEVER,
    "urllib3/_collections.py": Depth.NEVER,
    "urllib3/util/": Depth.NEVER,
    "websocket/_abnf.py": Depth.CLOSE,
    "websocket/_cookiejar.py": Depth.NEVER,
    "websocket/_logging.py": Depth.NEVER,
    "websocket/_url.py": Depth.PLAIN,
    "websocket/_utils.py": Depth.NEVER,
    "werkzeug/_internal.py": Depth.PLAIN,
    "werkzeug/_reloader.py": Depth.NEVER,
    "werkzeug/datastructures/": Depth.PLAIN,
    "werkzeug/http.py": Depth.PLAIN,
    "werkzeug/local.py": Depth.PLAIN,
    "werkzeug/sansio/": Depth.PLAIN,
    "werkzeug/urls.py": Depth.PLAIN,
    "werkzeug/user_agent.py": Depth.NEVER,
    "werkzeug/utils.py": Depth.PLAIN,
    "werkzeug/wrappers/": Depth.PLAIN,
    "werkzeug/wsgi.py": Depth.PLAIN,
}

#: Single functions (file, qualified name) that are followed otherwise.
FUNCTIONS = {
    ("queue.py", "Queue.get"): Depth.CLOSE,
    ("queue.py", "Queue.put"): Depth.CLOSE,
    ("threading.py", "Event.set"): Depth.CLOSE,
    ("threading.py", "Event.wait"): Depth.CLOSE,
    ("threading.py", "Thread.run"): Depth.CLOSE,
    ("threading.py", "Thread.start"): Depth.CLOSE,
    # The socket boundary tells of these, with their flow and their bytes.
    ("socket.py", "socket.accept"): Depth.NEVER,
    ("socket.py", "socket.close"): Depth.NEVER,
    ("h11/_connection.py", "Connection.send"): Depth.CLOSE,
    ("h11/_connection.py", "Connection.next_event"): Depth.CLOSE,
    ("requests/adapters.py", "HTTPAdapter.send"): Depth.CLOSE,
    ("requests/sessions.py", "Session.request"): Depth.CLOSE,
    ("requests/sessions.py", "Session.send"): Depth.CLOSE,
    ("urllib3/connection.py", "HTTPConnection.request"): Depth.CLOSE,
    ("urllib3/connectionpool.py", "HTTPConnectionPool.urlopen"): Depth.CLOSE,
}

#: Names whose functions only serve others, wherever they stand.
SERVANTS = frozenset(
    {
        "__bool__",
        "__contains__",
        "__del__",
        "__delitem__",
        "__eq__",
        "__get__",
        "__getattr__",
        "__getattribute__",
        "__getitem__",
        "__hash__",
        "__instancecheck__",
        "__len__",
        "__repr__",
        "__setattr__",
        "__setitem__",
        "__str__",
        "_is_asyncio_based",
        "_log",
        "address_string",
        "date_time_string",
        "fileno",
        "is_asyncio_based",
        "log",
        "log_date_time_string",
        "log_error",
        "log_message",
        "log_request",
        "readable",
        "service_actions",
        "writable",
    }
)

#: Code that is no function of its own to a reader; Python 3.12 inlines most of these.
_FRAGMENTS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Scope:
    """Decides for code objects, by where their source stands.

    ``roots`` are folders (or single files) of the application; what is
    installed below one of them is not the application's.
    """

    def __init__(self, roots: Sequence[Path] = (), detail: Detail = Detail.FULL) -> None:
        self._detail = detail
        self._roots = tuple(_prefix(root) for root in roots)
        self._site_folders = tuple(
            _folder(sysconfig.get_path(name)) for name in ("purelib", "platlib")
        )
        self._standard_library = _folder(sysconfig.get_path("stdlib"))
        self._packages = _package_folders()

    def relative(self, filename: str) -> str | None:
        """The name that the lists know ``filename`` by: ``flask/app.py``, ``queue.py``.

        None for a file that is neither of the stack nor of the standard library.
        """
        for package, folder in self._packages.items():
            if filename.startswith(folder):
                path = filename[len(folder) :].replace(os.sep, "/")
                return f"{package}/{path}"
        if filename.startswith(self._site_folders):
            return None
        if filename.startswith(self._standard_library):
            return filename[len(self._standard_library) :].replace(os.sep, "/")
        return None

    def is_application(self, filename: str) -> bool:
        """Whether ``filename`` lies below a root, and is not installed there."""
        if filename.startswith((*self._site_folders, self._standard_library, _OWN_FOLDER)):
            return False
        return filename.startswith(self._roots) if self._roots else False

    def decide(self, code: CodeType) -> Depth:
        """How closely ``code`` is followed."""
        depth = self._listed(code)
        if self._detail is Detail.PLAIN:
            return min(depth, Depth.PLAIN)
        if self._detail is Detail.ESSENTIAL and depth is Depth.PLAIN:
            return Depth.NEVER
        return depth

    def _listed(self, code: CodeType) -> Depth:
        """What the lists say of ``code``."""
        name = code.co_name
        if name in _FRAGMENTS:
            return Depth.NEVER
        # A module's or a class's body runs as a function, too.
        body = not code.co_flags & inspect.CO_NEWLOCALS or not code.co_flags & inspect.CO_OPTIMIZED
        path = self.relative(code.co_filename)
        if path is None:
            if not self.is_application(code.co_filename) or (body and name != "<module>"):
                return Depth.NEVER
            return Depth.PLAIN if name in SERVANTS else Depth.CLOSE
        if body:
            return Depth.NEVER
        if (single := FUNCTIONS.get((path, code.co_qualname))) is not None:
            return single
        depth = _by_file(path)
        if depth is Depth.CLOSE and (name in SERVANTS or name == "<lambda>"):
            return Depth.PLAIN
        return depth


def _by_file(path: str) -> Depth:
    """The most exact entry for ``path``: its file, its folders, its package."""
    if (depth := FILES.get(path)) is not None:
        return depth
    folder = path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        if (depth := FILES.get(folder + "/")) is not None:
            return depth
    if (depth := STANDARD_LIBRARY.get(path)) is not None:
        return depth
    return STACK.get(path.partition("/")[0], Depth.NEVER)


def _package_folders() -> dict[str, str]:
    """Where each package of the stack is installed, without importing it."""
    folders = {}
    for package in STACK:
        try:
            found = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            continue
        if found is not None and found.submodule_search_locations:
            folders[package] = _folder(next(iter(found.submodule_search_locations)))
    return folders


def _folder(path: str) -> str:
    return os.path.join(os.path.abspath(path), "")


def _prefix(root: Path) -> str:
    path = os.path.abspath(root)
    return path if os.path.isfile(path) else os.path.join(path, "")
