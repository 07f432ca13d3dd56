"""The permalink to a line of a library: on the library's own forge, at the version that it is of.

The rule kept here: only what no metadata tells (where a repository keeps its
sources and how it spells its tags) stands in one table, and a test holds that
table against each library's source distribution.  What is not in the table is
shown as the bare file and line: a link is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from packaging.utils import canonicalize_name

from utils.libraries.installations import PYTHON
from utils.libraries.places import place
from utils.records import Library, Link


@dataclass(frozen=True, slots=True)
class Layout:
    """How a repository lays out its sources: their folder, and a version's tag."""

    folder: str  # "" or ending in "/"
    tag: str  # with {version}
    home: str | None = None  # of what need not be installed where a recording of it is read


#: Read off each project's source distribution and tags; see tests/test_libraries_links.py.
LAYOUTS = {
    "flask": Layout("src/", "{version}"),
    "flask-socketio": Layout("src/", "v{version}"),
    "gevent": Layout("src/", "{version}", "https://github.com/gevent/gevent"),
    "h11": Layout("", "v{version}"),
    "python-engineio": Layout("src/", "v{version}"),
    "python-socketio": Layout("src/", "v{version}"),
    "redis": Layout("", "v{version}"),
    "requests": Layout("src/", "v{version}"),
    "simple-websocket": Layout("src/", "v{version}"),
    "urllib3": Layout("src/", "{version}"),
    "websocket-client": Layout("", "v{version}"),
    "werkzeug": Layout("src/", "{version}"),
    "wsproto": Layout("src/", "{version}"),
}


@cache
def link(filename: str, first: int, last: int | None = None) -> Link:
    """The permalink to lines ``first`` to ``last`` of a file, in the version that it is of.

    ``proved`` is False, and ``url`` None, where the repository's layout is not
    known (see LAYOUTS) or the file is an application's own.
    """
    where = place(filename)
    layout = None if where is None else _layout(where.library)
    if where is None or layout is None or not where.library.version:
        return Link(None, False)
    home = where.library.home or layout.home
    if home is None:
        return Link(None, False)
    tag = layout.tag.format(version=where.library.version)
    lines = f"#L{first}" if last in (None, first) else f"#L{first}-L{last}"
    # Forgejo names the kind of reference in the path; GitHub does not.
    branch = f"blob/{tag}" if home.startswith("https://github.com/") else f"src/tag/{tag}"
    return Link(f"{home}/{branch}/{layout.folder}{where.path}{lines}", True)


def _layout(library: Library) -> Layout | None:
    if library.name == PYTHON:
        return Layout("Lib/", "v{version}")
    return LAYOUTS.get(canonicalize_name(library.name))
