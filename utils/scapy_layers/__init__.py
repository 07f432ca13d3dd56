"""WebSocket, Engine.IO and Socket.IO for scapy's users: layers to build and dissect, a session to sniff with.

The rule kept here: nothing is parsed twice.  The layers are fields over what
:mod:`utils.wire` decodes, and the session puts streams together as
:mod:`utils.streams` does.
"""

from utils.scapy_layers.layers import (
    EngineIO,
    EngineIOPart,
    EngineIOPayload,
    SocketIO,
    WebSocket,
    WebSocketClose,
)
from utils.scapy_layers.session import SocketIOSession

__all__ = [
    "EngineIO",
    "EngineIOPart",
    "EngineIOPayload",
    "SocketIO",
    "SocketIOSession",
    "WebSocket",
    "WebSocketClose",
]
