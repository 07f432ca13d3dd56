"""python-socketio's own client as a workload's client: what a user of the library waits for.

The rule kept here: it is used as anybody would, one request at a time; what it
adds to the speakers' figures is its own.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from utils.load import texts
from utils.load.pace import Stamps
from utils.load.values import Workload
from utils.subject import clients

if TYPE_CHECKING:
    import socketio

#: How long an answer may take, in seconds.
PATIENCE = 30


class Group:
    """One client of the library, connected; it gets a WebSocket at once."""

    def __init__(self, port: int, workload: Workload) -> None:
        self._workload = workload
        self._text = texts.payload(workload.size)
        self._number = texts.FIRST
        self._http = clients.http()
        self._client: socketio.SimpleClient = clients.make(self._http, in_order=False)
        self._client.connect(f"http://127.0.0.1:{port}", transports=["websocket"], wait_timeout=PATIENCE)

    def run(self, count: int, seed: int) -> dict[int, Stamps]:
        """So many calls, each when the one before has been answered, and a rest behind it."""
        stamps = {}
        for _ in range(count):
            time.sleep(self._workload.rest)
            number, self._number = self._number, self._number + 1
            said = texts.request(self._workload, number, self._text)
            argument = json.loads(said[10:])[1]
            sent = time.time_ns()
            self._client.call(self._workload.event, argument, timeout=PATIENCE)
            stamps[number] = Stamps(due=sent, sent=sent, answered=time.time_ns())
        return stamps

    def tend(self) -> None:
        """Nothing to do: the library has threads that answer the heartbeats."""

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._http.close()
