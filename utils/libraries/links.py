"""The permalink to an installed line: on the library's own forge, at the version that is installed.

The rule kept here: only what no metadata tells (where a repository keeps its
sources and how it spells its tags) stands in one table, and a test holds that
table against each library's source distribution.  What is not in the table is
shown as the bare file and line: a link is never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from packaging.utils import canonicalize_name

from utils.libraries.places import place
from utils.records import Link


@dataclass(frozen=True, slots=True)
class Layout:
    """How a repository lays out its sources: their folder, and a version's tag."""

    folder: str  # "" or ending in "/"
    tag: str  # with {version}


#: Read off each project's source distribution and tags; see tests/test_libraries_links.py.
LAYOUTS = {
    "flask": Layout("src/", "{version}"),
    "flask-socketio": Layout("src/", "v{version}"),
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
def link(filename: str, first: int, last: int | None = None, *, version: str | None = None) -> Link:
    """The permalink to lines ``first`` to ``last``, at ``version`` or else at the installed one.

    ``proved`` is False, and ``url`` None, where the repository's layout is not
    known (see LAYOUTS) or the file is an application's own.
    """
    where = place(filename)
    if where is None or where.library.home is None:
        return Link(None, False)
    library, home = where.library, where.library.home
    if library.name == "CPython":
        layout = Layout("Lib/", "v{version}")
    else:
        known = LAYOUTS.get(canonicalize_name(library.name))
        if known is None:
            return Link(None, False)
        layout = known
    tag = layout.tag.format(version=version or library.version)
    lines = f"#L{first}" if last in (None, first) else f"#L{first}-L{last}"
    # Forgejo names the kind of reference in the path; GitHub does not.
    branch = f"blob/{tag}" if home.startswith("https://github.com/") else f"src/tag/{tag}"
    return Link(f"{home}/{branch}/{layout.folder}{where.path}{lines}", True)
