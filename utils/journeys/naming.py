"""Which client a connection belongs to.

The rule kept here: a connection that the recording does not know by name goes
by the name of the Engine.IO session that its requests belong to; the session
by that of the connection on which it was opened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from utils.records import Message
from utils.wire.units import EngineType, Layer, Side

_SESSION = re.compile(rb"[?&]sid=([^& ]+)")


def named(messages: Iterable[Message], known: Mapping[int, str]) -> dict[int, str]:
    """Client port → name, of ``known`` and of all connections that belong to the same sessions."""
    found = dict(known)
    sessions: dict[str, str] = {}
    for message in messages:
        if message.side is Side.SERVER:
            name = found.get(message.flow.destination.port)
            for packet in message.unit.packets:
                if name is not None and packet.type is EngineType.OPEN:
                    sessions.setdefault(_opened(packet.data), name)
        elif message.unit.layer is Layer.HTTP and message.flow.source.port not in found:
            asked = _SESSION.search(message.unit.raw.partition(b"\r\n")[0])
            if asked is not None and (name := sessions.get(asked[1].decode("latin-1"))) is not None:
                found[message.flow.source.port] = name
    return found


def _opened(data: str | bytes) -> str:
    """The session id that an OPEN packet tells; empty if it tells none."""
    try:
        told = json.loads(data)
    except ValueError:
        return ""
    return str(told.get("sid", "")) if isinstance(told, dict) else ""
