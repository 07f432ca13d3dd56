"""RESP, the protocol of Redis (redis.io, "Redis serialization protocol"), version 2 or 3, value by value.

The rule kept here: a value is cut into tokens, a line or a string each, and
never built; what it nests is counted, not followed, so that no depth and no
number of elements makes it costly.  A reader stops at any byte and goes on
with the next; what it has read, it does not read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from utils.wire.units import Fault

#: The longest value that is waited for, in bytes.
LONGEST = 1 << 25

#: The longest line: Redis itself reads no longer one (PROTO_INLINE_MAX_SIZE).
LONGEST_LINE = 1 << 16

#: The most values in one, and the deepest that they may nest.
MOST_VALUES, MOST_DEPTH = 1 << 16, 32


class Kind(Enum):
    """What a value is, by its first byte."""

    SIMPLE = b"+"
    ERROR = b"-"
    INTEGER = b":"
    BULK = b"$"
    ARRAY = b"*"
    # Since version 3:
    NULL = b"_"
    BOOLEAN = b"#"
    DOUBLE = b","
    BIG_NUMBER = b"("
    BULK_ERROR = b"!"
    VERBATIM = b"="
    MAP = b"%"
    ATTRIBUTE = b"|"
    SET = b"~"
    PUSH = b">"
    # No value has this one: a command typed by hand, as a line of words.
    INLINE = b""


_KINDS = {kind.value[0]: kind for kind in Kind if kind.value}

#: Kinds of which a length is told first, and then so many bytes.
STRINGS = frozenset({Kind.BULK, Kind.BULK_ERROR, Kind.VERBATIM})

#: Kinds that hold values, by how many values stand for one counted.
HOLDERS = {Kind.ARRAY: 1, Kind.SET: 1, Kind.PUSH: 1, Kind.MAP: 2, Kind.ATTRIBUTE: 2}

#: How version 2 writes that there is nothing.
_NOTHING = b"-1"

CLAUSE = "redis.io: RESP"

_NAMES = {
    Kind.SIMPLE: "Simple strings",
    Kind.ERROR: "Simple errors",
    Kind.INTEGER: "Integers",
    Kind.BULK: "Bulk strings",
    Kind.ARRAY: "Arrays",
    Kind.NULL: "Nulls",
    Kind.BOOLEAN: "Booleans",
    Kind.DOUBLE: "Doubles",
    Kind.BIG_NUMBER: "Big numbers",
    Kind.BULK_ERROR: "Bulk errors",
    Kind.VERBATIM: "Verbatim strings",
    Kind.MAP: "Maps",
    Kind.ATTRIBUTE: "Attributes",
    Kind.SET: "Sets",
    Kind.PUSH: "Pushes",
    Kind.INLINE: "Inline commands",
}


def clause(kind: Kind) -> str:
    """Where the kind is defined."""
    return f"{CLAUSE}, {_NAMES[kind]}"


class Token(NamedTuple):
    """One value's own bytes, without the values that it holds.

    ``text`` is what stands between the first byte and the line's end: a
    number, a word, or the length of what follows.  ``content`` is where a
    string's own bytes are, (start, end); None for all else, and for nothing.
    """

    kind: Kind
    start: int
    end: int
    text: bytes
    depth: int
    content: tuple[int, int] | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether it says that there is no value."""
        return self.kind is Kind.NULL or (
            self.text == _NOTHING and (self.kind in STRINGS or self.kind in HOLDERS)
        )


@dataclass(slots=True)
class Reader:
    """Reads one value from the beginning of a buffer that grows.

    ``inline``: a line of words is a value too, as it is where a client speaks.
    """

    inline: bool = False
    tokens: list[Token] = field(default_factory=list)
    need: int = 1  # with fewer bytes than this, reading on is in vain
    _at: int = 0
    _scanned: int = 0  # no line that begins at _at ends before this place
    _open: list[int] = field(default_factory=list)  # how many values each open holder still lacks

    def read(self, data: bytes | bytearray) -> int | Fault | None:
        """Where the value ends; None if it goes on behind ``data``."""
        while True:
            token = self._token(data)
            if not isinstance(token, Token):
                return token
            self.tokens.append(token)
            self._at = self._scanned = token.end
            self.need = token.end + 1
            held = self._held(token)
            if isinstance(held, Fault):
                return held
            if held:
                self._open.append(held)
                continue
            while self._open:
                self._open[-1] -= 1
                if self._open[-1]:
                    break
                self._open.pop()
            else:
                return token.end
            if len(self.tokens) >= MOST_VALUES:
                return Fault(token.end, f"at most {MOST_VALUES:,} values in one", "more", CLAUSE)
            if token.end > LONGEST:
                return Fault(token.end, f"a value of at most {LONGEST:,} bytes", "a longer one", CLAUSE)

    def _held(self, token: Token) -> int | Fault:
        """How many values it holds."""
        size = HOLDERS.get(token.kind)
        if size is None or token.is_nothing:
            return 0
        held = int(token.text) * size
        if held > MOST_VALUES:
            return Fault(token.start, f"at most {MOST_VALUES:,} values in one", token.text.decode(), CLAUSE)
        if held and len(self._open) >= MOST_DEPTH:
            return Fault(token.start, f"values at most {MOST_DEPTH} deep", "one more", CLAUSE)
        return held

    def _token(self, data: bytes | bytearray) -> Token | Fault | None:
        at = self._at
        if len(data) <= at:
            return None
        kind = _KINDS.get(data[at])
        if kind is None or (self.inline and not self.tokens and kind is not Kind.ARRAY):
            if not self.inline or self.tokens:
                return Fault(at, "the first byte of a value", f"{data[at]:#04x}", CLAUSE)
            kind = Kind.INLINE
        end = data.find(b"\r\n", self._scanned, at + LONGEST_LINE)
        if end < 0:
            if len(data) - at >= LONGEST_LINE:
                return Fault(at, f"a line of at most {LONGEST_LINE:,} bytes", "a longer one", CLAUSE)
            self._scanned = max(at, len(data) - 1)
            self.need = len(data) + 1
            return None
        begin = at if kind is Kind.INLINE else at + 1
        text = bytes(data[begin:end])
        wrong = _wrong(kind, text)
        if wrong:
            return Fault(begin, wrong, text[:20].decode("ascii", "backslashreplace"), clause(kind))
        depth = len(self._open)
        if kind not in STRINGS or text == _NOTHING:
            return Token(kind, at, end + 2, text, depth)
        return self._string(data, Token(kind, at, end + 2, text, depth))

    def _string(self, data: bytes | bytearray, head: Token) -> Token | Fault | None:
        """The string whose length ``head`` tells."""
        length, begin = int(head.text), head.end
        end = begin + length
        if end + 2 > LONGEST:
            return Fault(head.start, f"a value of at most {LONGEST:,} bytes", str(length), clause(head.kind))
        if len(data) < end + 2:
            self.need = end + 2
            return None
        if data[end : end + 2] != b"\r\n":
            got = bytes(data[end : end + 2]).hex(" ")
            return Fault(end, "CR LF behind the string", got, clause(head.kind))
        return head._replace(end=end + 2, content=(begin, end))


def _wrong(kind: Kind, text: bytes) -> str:
    """What was expected of a line instead of ``text``; empty if it is right."""
    if kind in STRINGS or kind in HOLDERS:
        right = (text.isdigit() and len(text) <= 10) or text == _NOTHING
        return "" if right else "a length"
    if kind in (Kind.INTEGER, Kind.BIG_NUMBER):
        return "" if text.removeprefix(b"-").removeprefix(b"+").isdigit() else "an integer"
    if kind is Kind.NULL:
        return "" if not text else "nothing"
    if kind is Kind.BOOLEAN:
        return "" if text in (b"t", b"f") else "t or f"
    if kind is Kind.DOUBLE:
        return "" if _is_double(text) else "a number"
    return ""


def _is_double(text: bytes) -> bool:
    if b"_" in text:  # Python's own way to write numbers
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True
