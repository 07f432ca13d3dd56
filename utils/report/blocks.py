"""What a section of the report is made of, whichever form it is written in.

The rule kept here: a block says what stands there and nothing of how it looks.
A text may hold anything; it is escaped where it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from utils.records import Excerpt, Message
from utils.views.ladder import Ladder


class Code(NamedTuple):
    """A name or a value, in the type of code."""

    text: str


class Anchor(NamedTuple):
    """A way to elsewhere: an address on the web, or ``#name`` in the report."""

    text: str
    address: str | None
    code: bool = False


class Strong(NamedTuple):
    """Words that are to be seen first."""

    text: str


#: A piece of a line of text.
Piece = str | Code | Anchor | Strong
Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    line: Line


@dataclass(frozen=True, slots=True)
class Question:
    """A heading within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list, one line a point."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.  ``caption`` is heard, and seen unless ``quiet``; the columns in ``right`` hold numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    right: frozenset[int] = frozenset()
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Lines of a source file, under their file's name; ``name`` is how they are pointed to."""

    name: str
    title: Line
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class Picture:
    """Who said what to whom."""

    ladder: Ladder


@dataclass(frozen=True, slots=True)
class Octets:
    """The bytes of one message."""

    message: Message


@dataclass(frozen=True, slots=True)
class Bars:
    """Stretches of one time: (label, begin, end) in nanoseconds, and what is to be known of them."""

    caption: str
    rows: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """What is there for those who want it."""

    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text as it stands in a file."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Lines of a notebook's cell that show the same, live; the other forms leave them out."""

    code: str


Block = Paragraph | Question | Points | Grid | Source | Picture | Octets | Bars | Fold | Verbatim | Ask


@dataclass(frozen=True)
class Section:
    """One idea of the report.  ``blocks`` are made as they are asked for, and once."""

    name: str  # how it is pointed to
    title: str
    blocks: Iterator[Block] = field(compare=False)
    part: str = ""  # the heading that it stands under in the contents


def line(*pieces: Piece) -> Line:
    """A line of text from its pieces."""
    return pieces


def plain_text(text: str) -> str:
    """A file's text without what only a printer would act on."""
    return text.replace("\r\n", "\n").replace("\f", "").strip("\n")
