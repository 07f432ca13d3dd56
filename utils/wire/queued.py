"""What python-socketio puts into a message queue, so that other servers pass it on.

The rule kept here: it is read, never carried out.  Today it is a JSON object
whose ``method`` says what the servers are to do (socketio/pubsub_manager.py);
until python-socketio 5.13 it was a pickle, which a server loaded, and of a
pickle nothing but the names of its instructions is told.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from utils.redaction import scrub
from utils.wire import pickled
from utils.wire.jsontext import lay_json
from utils.wire.tiling import Tiler, shown

#: Longer texts are not parsed to be told in one line.
LONGEST = 1 << 20

#: A session's id, as python-engineio makes it: it differs from run to run.
_SESSION = re.compile(r"[A-Za-z0-9_-]{20}")


class Queued(NamedTuple):
    """A message to the other servers, as far as it is a JSON object."""

    method: str  # "emit", "disconnect", "enter_room", "leave_room", "close_room" or "callback"
    event: str = ""
    room: str = ""  # whom it is for; empty for everybody
    host: str = ""  # which server sent it


def decode(payload: bytes) -> Queued | None:
    """The message; None if it is none of python-socketio's in JSON."""
    if not payload.startswith(b"{") or len(payload) > LONGEST:
        return None
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("method"), str):
        return None

    def text(name: str) -> str:
        value = found.get(name)
        return value if isinstance(value, str) else ""

    return Queued(found["method"], text("event"), text("room") or text("sid"), text("host_id"))


def told(payload: bytes) -> str:
    """What a payload says, in a few words."""
    if pickled.looks_pickled(payload):
        return pickled.told(payload)
    message = decode(payload)
    if message is None:
        return shown(scrub(shown(payload, 400)))
    event = f' "{shown(message.event, 40)}"' if message.event else ""
    whom = f"to {shown(message.room, 40)}" if message.room else "to everybody"
    if _SESSION.fullmatch(message.room):
        whom = "to one client"
    return f"{shown(message.method, 20)}{event} {whom}"


def lay(tiler: Tiler, payload: bytes) -> None:
    """Lay the tokens of the JSON, or the instructions of the pickle."""
    if pickled.looks_pickled(payload):
        pickled.lay(tiler, payload)
    elif payload.startswith(b"{"):
        lay_json(tiler, payload.decode("utf-8", "surrogateescape"))
