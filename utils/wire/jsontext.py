"""JSON text, token by token, with the event's name and its arguments told apart.

The rule kept here: tokens are cut from the text itself (RFC 8259, section 2),
so each span is exactly the bytes that stand there, whatever the parser makes
of them.  Text that is no JSON is one span.
"""

from __future__ import annotations

import re

from utils.wire.tiling import Tiler, byte_length, shown
from utils.wire.units import Layer

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]++|\\.)*+")'
    r"|(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
    r"|(?P<word>true|false|null|NaN|-?Infinity)"
    r"|(?P<space>[ \t\r\n]+)"
    r"|(?P<mark>[\[\]{}:,])",
    re.DOTALL,
)

_CLAUSE = "RFC 8259 §2"
_MARKS = {
    "[": ("Array begins", "The values up to the matching ] are its elements."),
    "]": ("Array ends", "Closes the array."),
    "{": ("Object begins", "Names and values up to the matching }."),
    "}": ("Object ends", "Closes the object."),
    ":": ("Name separator", "The value of the name follows."),
    ",": ("Value separator", "Another value follows."),
}

#: Of longer texts, the tokens past this number share one span: nobody reads them one by one.
MOST_TOKENS = 2000


def lay_json(tiler: Tiler, text: str, *, named: bool = False) -> None:
    """Lay the tokens of ``text``; ``named``: the first string is the event's name."""
    at = 0
    stack: list[str] = []  # the open brackets
    expecting_name = False  # the next string is a name of an object
    seen_event = not named
    for _ in range(MOST_TOKENS):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        token, kind = match.group(), match.lastgroup
        size = byte_length(token)
        if kind == "mark":
            label, meaning = _MARKS[token]
            tiler.lay(size, Layer.PAYLOAD, label, token, meaning, _CLAUSE)
            if token in "[{":
                stack.append(token)
            elif token in "]}" and stack:
                stack.pop()
            expecting_name = bool(stack) and stack[-1] == "{" and token in "{,"
        elif kind == "space":
            tiler.lay(size, Layer.PAYLOAD, "White space", "", "Means nothing between tokens.", _CLAUSE)
        elif kind == "string" and not seen_event:
            seen_event = True
            what = "The event's name: it chooses the handler."
            tiler.lay(size, Layer.SOCKETIO, "Event name", shown(token), what, "socket.io-protocol: EVENT")
        elif kind == "string" and expecting_name:
            tiler.lay(
                size, Layer.PAYLOAD, "Name", shown(token), "The name of a value in its object.", _CLAUSE
            )
        else:
            label = {"string": "String", "number": "Number", "word": "Literal"}[kind or "word"]
            tiler.lay(
                size, Layer.PAYLOAD, label, shown(token), "A value, as the application gave it.", _CLAUSE
            )
        at = match.end()
    rest = text[at:]
    tiler.lay(
        byte_length(rest),
        Layer.PAYLOAD if at else Layer.UNKNOWN,
        "More JSON" if at else "No JSON",
        shown(rest),
        "The rest of the text, not cut into tokens.",
        _CLAUSE,
    )
