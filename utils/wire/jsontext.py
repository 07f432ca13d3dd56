"""JSON text, token by token, with the event's name and its arguments told apart.

The rule kept here: tokens are cut from the text itself (RFC 8259, section 2),
so each span is exactly the bytes that stand there, whatever the parser makes
of them.  Text that is no JSON is one span.  What goes by a secret's name is
not shown.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from utils.redaction import REDACTED, is_secret, scrub
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


def lay_json(tiler: Tiler, text: str, *, named: bool = False, auth: bool = False) -> None:
    """Lay the tokens of ``text``.

    ``named``: the first string is the event's name.  ``auth``: whatever it
    holds may open a door, but for a session's id.
    """
    at = 0
    places: list[_Place] = []  # the open brackets around the token
    name = ""  # of the value that comes next, if it has one
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
                places.append(_Place(token, bool(places) and _hidden(places[-1], name, auth)))
                name = ""
            elif token in "]}" and places:
                places.pop()
            expecting_name = bool(places) and places[-1].bracket == "{" and token in "{,"
        elif kind == "space":
            tiler.lay(size, Layer.PAYLOAD, "White space", "", "Means nothing between tokens.", _CLAUSE)
        elif kind == "string" and not seen_event:
            seen_event = True
            what = "The event's name: it chooses the handler."
            tiler.lay(size, Layer.SOCKETIO, "Event name", shown(token), what, "socket.io-protocol: EVENT")
        elif kind == "string" and expecting_name:
            name = token
            what = "The name of a value in its object."
            tiler.lay(size, Layer.PAYLOAD, "Name", shown(token), what, _CLAUSE)
        else:
            label = {"string": "String", "number": "Number", "word": "Literal"}[kind or "word"]
            told = REDACTED if _hidden(places[-1] if places else _NOWHERE, name, auth) else shown(token)
            tiler.lay(size, Layer.PAYLOAD, label, told, "A value, as the application gave it.", _CLAUSE)
        at = match.end()
    rest = text[at:]
    tiler.lay(
        byte_length(rest),
        Layer.PAYLOAD if at else Layer.UNKNOWN,
        "More JSON" if at else "No JSON",
        REDACTED if auth else shown(scrub(rest[:1000])),
        "The rest of the text, not cut into tokens.",
        _CLAUSE,
    )


class _Place(NamedTuple):
    """An open bracket."""

    bracket: str
    hidden: bool  # whether what stands inside is kept back


_NOWHERE = _Place("", False)


def _hidden(place: _Place, name: str, auth: bool) -> bool:
    """Whether a value at ``place`` is kept back; ``name`` is its own, as a token, in an object."""
    if place.hidden:
        return True
    if place.bracket == "{":
        return name != '"sid"' if auth else is_secret(name)
    return auth
