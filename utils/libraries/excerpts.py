"""The source around a line: a few lines of a function, chosen for who looks at one of them.

The rule kept here: the lines are those of the installed file, and none is shown
that is not there; what is left out is a gap.  A line of a library is public; in
an application's a secret may stand, and is scrubbed.
"""

from __future__ import annotations

import ast
import hashlib
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from utils.libraries.places import Place, place
from utils.records import Code, Definition, Excerpt
from utils.redaction import scrub_code

if TYPE_CHECKING:
    from stack_data.core import Source

#: So many lines of a function are shown, at most.
EXCERPT_LINES = 15


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
