"""python-socketio's clients as the scenarios use them: without a proxy, and leaving in order.

The rule kept here: the library's clients are used as they are; where they
would spoil a recording, the way around it is named, and chosen by whoever
records.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests
    import socketio

#: How often is looked whether a condition holds, in seconds.
_POLL = 0.002


def http() -> requests.Session:
    """A session that no proxy comes between: one set for the outside world must not."""
    import requests

    session = requests.Session()
    session.trust_env = False
    return session


def make(
    session: requests.Session, *, in_order: bool, websocket: Mapping[str, Any] | None = None
) -> socketio.SimpleClient:
    """A client that is not connected yet; it polls through ``session``.

    ``websocket`` holds options of websocket-client's ``create_connection``.

    python-socketio's client handles every message in a thread of its own: on a
    busy machine a binary attachment may overtake the event that announces it,
    and both are lost.  One that is ``in_order`` handles each where it was read.
    """
    import engineio
    import socketio

    class InOrderEngine(engineio.Client):
        def _trigger_event(self, event: str, *args: Any, **kwargs: Any) -> Any:
            return super()._trigger_event(event, *args, **{**kwargs, "run_async": False})

    class InOrder(socketio.Client):
        def _engineio_client_class(self) -> type[engineio.Client]:
            return InOrderEngine

    options = {"http_no_proxy": ["127.0.0.1"], **(websocket or {})}
    client = socketio.SimpleClient(http_session=session, websocket_extra_options=options)
    if in_order:
        client.client_class = InOrder
    return client


def leave(client: socketio.SimpleClient, patience: float) -> None:
    """Disconnect ``client``, in order; whatever is not over after ``patience`` seconds is cut off.

    The client says that it goes (DISCONNECT, then CLOSE), and lets the server
    end the connection, so that nothing is left unread.  The library's own
    ``disconnect()`` does not wait: it sends its WebSocket Close before what is
    still queued (RFC 6455, section 5.5.1, forbids data after it), and a second
    Close as the answer to the server's.  A scenario that wants to show this
    calls it.
    """
    if client.connected:
        take_leave(client.client, patience)
        client.disconnect()


def take_leave(client: socketio.Client, patience: float) -> None:
    """The same for a client that is not simple."""
    with contextlib.suppress(AttributeError):  # a version of the library that has other parts
        _take_leave(client, patience)
    client.disconnect()


def _take_leave(client: Any, patience: float) -> None:
    import engineio
    import socketio

    engine = client.eio
    # The connection that the server is about to end is not to be opened again.
    client.reconnection = False
    for namespace in list(client.namespaces):
        client._send_packet(client.packet_class(socketio.packet.DISCONNECT, namespace=namespace))
    # Whatever it has still to say goes out first.
    if until(lambda: not engine.queue.unfinished_tasks, patience):
        reader, websocket = engine.read_loop_task, getattr(engine, "ws", None)
        engine._send_packet(engineio.packet.Packet(engineio.packet.CLOSE))
        reader.join(patience)
        if websocket is not None and not reader.is_alive():
            websocket.shutdown()


def until(condition: Callable[[], object], patience: float) -> bool:
    """Wait until ``condition`` holds, for ``patience`` seconds at most; whether it does."""
    deadline = time.monotonic() + patience
    while not (held := bool(condition())) and time.monotonic() < deadline:
        time.sleep(_POLL)
    return held
