"""From nothing to a WebSocket: Engine.IO's transports as a table of states and signs.

The rule kept here: the transitions are data (engine.io-protocol, "Transport
upgrading"), so that what is drawn is what is walked.  Messages that are no
sign, a NOOP or an event, change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from utils.wire import http
from utils.wire.units import EngineType, Layer, Side, SocketType, Unit
from utils.wire.websocket import Opcode


class State(Enum):
    """How far a client's connection has come."""

    NOTHING = "nothing yet"
    ASKED = "asked for a session"
    POLLING = "polling"
    UPGRADING = "asked for the upgrade"
    OPENED = "WebSocket open, unproved"
    PROBED = "probe sent"
    PROVED = "probe answered"
    WEBSOCKET = "WebSocket in use"
    STRAIGHT = "asked for a WebSocket"
    BARE = "WebSocket without a session"


class Sign(Enum):
    """What one side says that moves the connection on."""

    ASK = "GET transport=polling"
    OPEN = "0 OPEN"
    ASK_WEBSOCKET = "GET transport=websocket, no sid"
    ASK_UPGRADE = "GET transport=websocket, with the sid"
    SWITCH = "101"
    REFUSE = "4xx"
    PROBE = "2probe"
    PROOF = "3probe"
    UPGRADE = "5 UPGRADE"
    CLOSE = "Close frame"


#: Where a sign leads from a state.
TRANSITIONS = {
    (State.NOTHING, Sign.ASK): State.ASKED,
    (State.ASKED, Sign.OPEN): State.POLLING,
    (State.POLLING, Sign.ASK_UPGRADE): State.UPGRADING,
    (State.UPGRADING, Sign.SWITCH): State.OPENED,
    (State.UPGRADING, Sign.REFUSE): State.POLLING,
    (State.OPENED, Sign.PROBE): State.PROBED,
    (State.PROBED, Sign.PROOF): State.PROVED,
    (State.PROBED, Sign.CLOSE): State.POLLING,
    (State.PROVED, Sign.UPGRADE): State.WEBSOCKET,
    (State.NOTHING, Sign.ASK_WEBSOCKET): State.STRAIGHT,
    (State.STRAIGHT, Sign.SWITCH): State.BARE,
    (State.STRAIGHT, Sign.REFUSE): State.NOTHING,
    (State.BARE, Sign.OPEN): State.WEBSOCKET,
}

#: The server's signs; all others are the client's.
FROM_SERVER = frozenset({Sign.OPEN, Sign.SWITCH, Sign.REFUSE, Sign.PROOF})


class Move(NamedTuple):
    """One transition that was made: ``place`` is the message's, among those that were walked."""

    place: int
    before: State
    sign: Sign
    after: State


def walk(units: Iterable[Unit]) -> Iterator[Move]:
    """The transitions that one client's messages, in the order of time, make."""
    state = State.NOTHING
    for place, unit in enumerate(units):
        for sign in signs(unit):
            after = TRANSITIONS.get((state, sign))
            if after is not None:
                yield Move(place, state, sign, after)
                state = after


def signs(unit: Unit) -> Iterator[Sign]:
    """What ``unit`` may be a sign of: a response's status, and then the packets in its body."""
    if unit.layer is Layer.HTTP:
        head = http.parse_head(unit.raw)
        if isinstance(head, http.Head):
            yield from _of_head(head)
    elif unit.layer is Layer.WEBSOCKET and unit.raw and unit.raw[0] & 0x0F == Opcode.CLOSE:
        yield Sign.CLOSE
    for packet in unit.packets:
        match packet.type, packet.data:
            case EngineType.OPEN, _:
                yield Sign.OPEN
            case EngineType.PING, "probe":
                yield Sign.PROBE
            case EngineType.PONG, "probe":
                yield Sign.PROOF
            case EngineType.UPGRADE, _:
                yield Sign.UPGRADE


def _of_head(head: http.Head) -> Iterator[Sign]:
    transport = head.query.get("transport")
    if head.status == 101:
        yield Sign.SWITCH
    elif 400 <= head.status < 500:
        yield Sign.REFUSE
    elif head.method == "GET" and transport == "websocket":
        yield Sign.ASK_UPGRADE if "sid" in head.query else Sign.ASK_WEBSOCKET
    elif head.method == "GET" and transport == "polling" and "sid" not in head.query:
        yield Sign.ASK


def round_trips(units: Iterable[Unit]) -> int:
    """How often a client had to wait for the server until it was connected to a namespace.

    Counted is each answer that the client needs before it can go on; what comes
    with it, and what it need not wait for (a POST's ``ok``, a NOOP), costs nothing more.
    """
    count, asked = 0, False
    for unit in units:
        if unit.side is Side.CLIENT:
            asked = True
            continue
        connected = any(
            packet.socketio is not None and packet.socketio.type is SocketType.CONNECT
            for packet in unit.packets
        )
        if asked and (connected or not FROM_SERVER.isdisjoint(signs(unit))):
            count, asked = count + 1, False
        if connected:
            break
    return count
