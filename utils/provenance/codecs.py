"""What can be said of a function that writes or reads the bytes of a message.

The rule kept here: a function is listed (see :mod:`.writers` and
:mod:`.readers`) for what its snapshot can prove, which of its values equals
which form of the message, and for the fields that it makes or takes apart,
each with a piece of the source that does it.  No line number is written down:
the piece is looked for in the installed function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Form(IntEnum):
    """What a message is on its way, from the wire inwards."""

    HEAD = 0  # the start line and the fields of an HTTP message
    LINE = 1  # one line of them, without its end
    FRAME = 2  # a WebSocket frame
    MASKED = 3  # its payload, as it stands on the wire
    UNMASKED = 4  # the same without its mask
    CHUNKS = 5  # an HTTP body with the framing of its chunks
    BODY = 6  # an HTTP body without it
    CONTENT = 7  # the same, decompressed
    MESSAGE = 8  # what the frames of a message carry, inflated
    PACKET = 9  # an Engine.IO packet
    SOCKET = 10  # the Socket.IO packet in it
    RESP = 11  # a command to Redis
    STRING = 12  # a string in what Redis says, with the end of its line
    QUEUED = 13  # what python-socketio puts into a message queue


@dataclass(frozen=True)
class Codec:
    """One function, and what its snapshot proves.

    ``shows`` says what of the snapshot is the form: ``result``, an argument's
    name, or a template of both (``{keyword}: {value}``).  Empty: nothing; such
    a step is proved by one that happened inside it, around it or beside it.
    ``fields`` maps the label of a span to a piece of the line that deals with
    it; a label may begin with its layer, and end in its value.  ``EACH`` as the piece stands for the
    line that holds the longest beginning of the field's own text, ``CALLER``
    for the line from which the function was called, and ``ANY`` as the label
    for all that are not listed.  ``less`` is what the form has behind what is
    shown.
    """

    path: str  # as the lists of utils.tracing.catalog tell it
    name: str  # qualified
    form: Form
    shows: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    less: bytes = b""


EACH, CALLER = "<each>", "<caller>"
ANY = "<any>"

#: The labels of JSON's tokens, of a start line, of a header field, and of the ends of lines.
JSON = (
    "Event name",
    "Array begins",
    "Array ends",
    "Object begins",
    "Object ends",
    "Name separator",
    "Value separator",
    "Name",
    "String",
    "Number",
    "Literal",
    "White space",
    "More JSON",
    "No JSON",
)
START = ("Version", "Status code", "Reason", "Method", "Path", "Separator", "Parameter", "Value")
FIELD = ("Field name", "Field value")
ENDS = ("Line end", "End of head")


def all_of(labels: tuple[str, ...], piece: str) -> dict[str, str]:
    """The same piece for each of ``labels``."""
    return dict.fromkeys(labels, piece)
