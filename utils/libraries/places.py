"""Which file belongs to which library, its excerpt, and its line on the forge.

The rule kept here: the facts come from the installed packages' own metadata
and files.  Only what no metadata tells (where a repository keeps its sources
and how it spells its tags) stands in one table, and a test holds that table
against each library's source distribution.  What is not in the table is shown
as the bare file and line: a link is never guessed.
"""

from __future__ import annotations

import ast
import email.message
import hashlib
import importlib.metadata
import importlib.util
import platform
import re
import sys
import sysconfig
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from utils.libraries.terms import Stated, stated
from utils.records import Code, Definition, Excerpt, Library, Link
from utils.redaction import scrub_code

if TYPE_CHECKING:
    from stack_data.core import Source

Metadata = email.message.Message | importlib.metadata.PackageMetadata

#: The distributions whose versions a recording states.
STACK = (
    "Flask",
    "Flask-SocketIO",
    "python-socketio",
    "python-engineio",
    "simple-websocket",
    "wsproto",
    "h11",
    "Werkzeug",
    "websocket-client",
    "requests",
    "urllib3",
    "redis",
)

EXCERPT_LINES = 15


@dataclass(frozen=True, slots=True)
class Layout:
    """How a repository lays out its sources: their folder, and a version's tag."""

    folder: str  # "" or ending in "/"
    tag: str  # with {version}


#: Read off each project's source distribution and tags; see tests/test_libraries_places.py.
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

#: The labels under which metadata names a repository, the surest first.
_SOURCE_LABELS = ("source", "sourcecode", "code", "repository", "homepage")

_PYTHON_HOME = "https://github.com/python/cpython"


@dataclass(frozen=True, slots=True)
class Place:
    """A source file as its library knows it, on whatever machine."""

    library: Library
    path: str  # with the library's own folder, e.g. ``flask/app.py``

    @property
    def portable(self) -> str:
        """The file's name in a recording: it holds no path of this machine."""
        return f"{self.library.name}:{self.path}"


# ── files and libraries ──────────────────────────────────────────────────────


@cache
def _site_folders() -> tuple[Path, ...]:
    """The folders that packages are installed into."""
    found = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return tuple(sorted(found))


@cache
def standard_library() -> Path:
    """The folder of Python's own modules."""
    return Path(sysconfig.get_path("stdlib")).resolve()


@cache
def _owners() -> dict[str, list[str]]:
    """Top-level package → the distributions that install it."""
    return dict(importlib.metadata.packages_distributions())


@cache
def distribution(name: str) -> Library:
    """The installed distribution called ``name``.

    Raises importlib.metadata.PackageNotFoundError if there is none.
    """
    facts = importlib.metadata.metadata(name)
    return Library(facts["Name"], facts["Version"], _licence(facts), _home(facts))


@cache
def python_library() -> Library:
    """The running Python's own standard library."""
    return Library("CPython", platform.python_version(), "PSF-2.0", _PYTHON_HOME)


@cache
def place(filename: str) -> Place | None:
    """Where ``filename`` belongs: a library, Python itself, an application, or None.

    A file of no installed package is an application's: its library is named
    after its outermost package, and has no version and no home.  None stands
    for what is no file at all (frozen modules, ``<string>``).
    """
    if filename.startswith("<"):
        return None
    if (name := _PORTABLE.fullmatch(filename)) is not None:
        return Place(_named(name["library"]), name["path"])
    file = Path(filename).resolve()
    for folder in _site_folders():
        if file.is_relative_to(folder):
            path = PurePosixPath(*file.relative_to(folder).parts)
            owners = _owners().get(path.parts[0].removesuffix(".py"))
            return Place(distribution(owners[0]), str(path)) if owners else None
    if file.is_relative_to(standard_library()):
        path = PurePosixPath(*file.relative_to(standard_library()).parts)
        return Place(python_library(), str(path))
    top = file.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    path = PurePosixPath(*file.relative_to(top).parts)
    return Place(Library(path.parts[0].removesuffix(".py"), "", "", None), str(path))


#: A portable name that is found on no path here; a drive's letter alone is no library.
_PORTABLE = re.compile(r"(?P<library>[^:/\\<>]{2,}):(?P<path>[^\\:]+)")


def _named(name: str) -> Library:
    """The library that goes by ``name``: the installed one, if there is one."""
    if name == python_library().name:
        return python_library()
    try:
        return distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return Library(name, "", "", None)


@cache
def locate(portable: str) -> str:
    """The file on this machine that a recording calls ``portable``.

    A name that cannot be found here comes back as it is: it is still worth
    showing, only without an excerpt.
    """
    name, separator, path = portable.partition(":")
    if not separator or not path:
        return portable
    if name == python_library().name:
        candidates: Sequence[Path] = (standard_library(),)
    else:
        searched = (Path(entry or ".").resolve() for entry in sys.path)
        candidates = (*_site_folders(), *searched, *_imported_from(PurePosixPath(path).parts[0]))
    for folder in candidates:
        if (folder / path).is_file():
            return str(folder / path)
    return portable


def _imported_from(package: str) -> Iterator[Path]:
    """The folders in which a package stands that is on no path: installed editable, it has its own finder.

    A package at the top is found without being imported.
    """
    if not package.isidentifier():
        return
    with suppress(ValueError, ImportError):  # a program's own __main__, say, tells nothing of itself
        found = importlib.util.find_spec(package)
        for folder in (found and found.submodule_search_locations) or ():
            yield Path(folder).parent


def _field(facts: Metadata, name: str) -> str:
    """A field of the metadata; empty if it is missing (asking by ["name"] would then warn)."""
    return str(next(iter(facts.get_all(name) or ()), ""))


def stated_licence(name: str) -> Stated:
    """The licence of the distribution ``name`` as its metadata tells it.

    Raises importlib.metadata.PackageNotFoundError if it is not installed.
    """
    return _stated(importlib.metadata.metadata(name))


def _stated(facts: Metadata) -> Stated:
    classifiers = map(str, facts.get_all("Classifier") or ())
    return stated(_field(facts, "License-Expression"), _field(facts, "License"), classifiers)


def _licence(facts: Metadata) -> str:
    """The licence as the metadata tells it: an SPDX expression where there is one."""
    said = _stated(facts)
    return said.expression or said.words or "not stated"


def _home(facts: Metadata) -> str | None:
    """The repository's address, from the metadata's own labels."""
    urls = {}
    for entry in facts.get_all("Project-URL") or ():
        label, _, url = entry.partition(",")
        urls["".join(filter(str.isalnum, label.lower()))] = url.strip()
    named = [urls[label] for label in _SOURCE_LABELS if label in urls]
    home = next(iter(named), _field(facts, "Home-page"))
    return home.rstrip("/") or None


# ── links ────────────────────────────────────────────────────────────────────


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


# ── excerpts ─────────────────────────────────────────────────────────────────


@cache
def _source(filename: str) -> Source | None:
    """The parsed file, or None where there is nothing to read or to parse."""
    from stack_data.core import Source

    try:
        source = Source.for_filename(filename)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    return source if isinstance(source, Source) and source.tree and source.lines else None


@cache
def _definitions(filename: str) -> dict[int, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """First line (as a code object counts it: decorators included) → definition."""
    source = _source(filename)
    found: dict[int, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda] = {}
    if source is None or source.tree is None:
        return found
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = [decorator.lineno for decorator in node.decorator_list]
            found[min([node.lineno, *decorators])] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found


def definitions(filename: str) -> dict[str, Definition]:
    """Every function and class of a file, by its qualified name; the last one, of several."""
    source = _source(filename)
    found: dict[str, Definition] = {}

    def look(node: ast.AST, around: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                name = around + child.name
                is_class = isinstance(child, ast.ClassDef)
                last = child.end_lineno or child.lineno
                text = textwrap.dedent("\n".join(lines[child.lineno - 1 : last]))
                digest = hashlib.sha256(text.encode()).hexdigest()[:16]
                found[name] = Definition("class" if is_class else "function", child.lineno, last, digest)
                look(child, f"{name}." if is_class else f"{name}.<locals>.")
            else:
                look(child, around)

    if source is not None and source.tree is not None:
        lines = source.lines
        look(source.tree, "")
    return found


def modules(name: str) -> list[str]:
    """The Python files of the distribution ``name``, as installed."""
    files = importlib.metadata.files(name) or ()
    return [str(file.locate()) for file in files if file.suffix == ".py"]


def function_lines(code: Code) -> tuple[int, int] | None:
    """The first and last line of ``code``'s function, or None if not readable."""
    node = _definitions(code.filename).get(code.first_line)
    if node is None or node.end_lineno is None:
        return None
    return code.first_line, node.end_lineno


@cache
def excerpt(code: Code, current: int | None = None, most: int = EXCERPT_LINES) -> Excerpt | None:
    """At most ``most`` lines of a function, with line ``current`` among them.

    The signature always stands; then the statements around the current line
    (or, without one, the first ones), nearest first.  The docstring and
    whatever has no room are gaps.  None where the source cannot be read.
    """
    where = place(code.filename)
    source = _source(code.filename)
    bounds = function_lines(code)
    if where is None or source is None or bounds is None:
        return None
    chosen: set[int] = set()
    for piece in _by_interest(source, code, bounds, current):
        if chosen and len(chosen) + len(piece) > most:
            # A long signature must not push out the line the reader came for.
            if current not in piece or current in chosen:
                break
            piece = range(current, current + 1) if current is not None else piece[:1]
        chosen.update(piece)
    lines: list[tuple[int, str] | None] = []
    previous = None
    for number in sorted(chosen):
        if previous is not None:
            between = source.lines[previous : number - 1]
            # One empty line is shown as it is; a mark for it would only add noise.
            if len(between) == 1 and not between[0].strip():
                lines.append((number - 1, ""))
            elif between:
                lines.append(None)
        lines.append((number, _shown(where, source.lines[number - 1].rstrip())))
        previous = number
    if previous is not None and previous < bounds[1]:
        lines.append(None)
    return Excerpt(where.path, code.filename, code.name, tuple(lines), current)


def _shown(where: Place, line: str) -> str:
    """A line of a library is public; in an application's a secret may stand."""
    return line if where.library.version else scrub_code(line)


def _by_interest(source: Source, code: Code, bounds: tuple[int, int], current: int | None) -> Iterator[range]:
    """The statements of a function, as line ranges: those worth most room first."""
    node = _definitions(code.filename)[code.first_line]
    pieces: list[range] = source.pieces  # type: ignore[misc]  # its cached property has no type
    inside = [p for p in pieces if bounds[0] <= p.start and p.stop - 1 <= bounds[1]]
    if not inside:
        yield range(bounds[0], bounds[1] + 1)
        return
    body = node.body if isinstance(node.body, list) else [node.body]
    signature_end = min(body[0].lineno, bounds[1] + 1) if body[0].lineno > node.lineno else node.lineno + 1
    signature = [p for p in inside if p.stop <= max(signature_end, node.lineno + 1)]
    rest = [p for p in inside if p not in signature and not _is_docstring(node, p)]
    focus = next((p for p in rest if current is not None and current in p), None)
    # The `def` line first; then where the reader is; then what is near it.
    definition = next((p for p in signature if node.lineno in p), inside[0])
    yield definition[:4] if len(definition) > 4 else definition
    if focus is not None:
        short = len(focus) <= EXCERPT_LINES // 2 or current is None
        yield focus if short or current is None else _around(focus, current)
    elif current is not None and current not in definition:
        yield range(current, current + 1)
    yield from (p for p in signature if p != definition)
    anchor = current if current is not None else bounds[0]
    yield from sorted(
        (p for p in rest if p != focus),
        key=lambda p: min(abs(p.start - anchor), abs(p.stop - 1 - anchor)),
    )


def _around(piece: range, line: int) -> range:
    """At most half an excerpt of a long statement, with ``line`` in its middle."""
    half = EXCERPT_LINES // 4
    return range(max(piece.start, line - half), min(piece.stop, line + half + 1))


def _is_docstring(node: ast.AST, piece: range) -> bool:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or ast.get_docstring(node) is None:
        return False
    first = node.body[0]
    return first.lineno <= piece.start and piece.stop - 1 <= (first.end_lineno or first.lineno)


def line_text(filename: str, number: int) -> str:
    """The text of a line of a source file; empty if it cannot be read."""
    source, where = _source(filename), place(filename)
    if source is None or where is None or not 0 < number <= len(source.lines):
        return ""
    return _shown(where, source.lines[number - 1])


def line_with(code: Code, piece: str) -> int | None:
    """The first line of ``code``'s function in which ``piece`` stands; None if there is none."""
    source, bounds = _source(code.filename), function_lines(code)
    if source is None or bounds is None:
        return None
    for number in range(bounds[0], bounds[1] + 1):
        if piece in source.lines[number - 1]:
            return number
    return None
