"""The scenarios of what goes wrong: each is played on a server that has the fault, and on a cured one.

The rule kept here: both times the very same is sent, by hand where a library
would not send it; what differs is the server's doing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from engineio.payload import Payload

from scenarios.handwriting import frame
from utils.subject import clients

if TYPE_CHECKING:
    import requests

    from utils.subject.session import Session

#: How long an answer may take, in seconds: a slow machine is no error.
PATIENCE = 30

#: As many packets as python-engineio takes out of one request, unless it is told otherwise.
MOST_PACKETS = Payload.max_decode_packets

#: What no honest client sends: an event without a name, a number of more digits than Python
#: reads, and what is no packet at all.
HOSTILE = ("42[]", '42["lots",' + "9" * 5000 + "]", "x")

#: A Close frame that says "normal closure" (RFC 6455, section 7.4.1).
CLOSE = bytes(frame((1000).to_bytes(2, "big"), opcode="CLOSE"))


def lost_events(session: Session) -> None:
    """Three requests hold as many questions as one may, one more than that, and one."""
    first, second, third = _numbers(MOST_PACKETS, MOST_PACKETS + 1, 1)
    with session.connecting("alice"), clients.http() as http:
        alice = _Polling(session, http)
        alice.ask(first)
        alice.wait_for(first)
        alice.ask(second)
        alice.ask(third)
        alice.wait_for(third)
        if alice.answered & {*second}:
            alice.wait_for(second)


def broken_close(session: Session) -> None:
    """Both sides have sent their Close, and then the client sends one more, as its library does."""
    alice = session.by_hand("alice")
    alice.ask(CLOSE)
    alice.send(CLOSE)


def hostile_input(session: Session) -> None:
    """Each hostile packet has a connection of its own, and comes with an honest question behind it."""
    for number, packet in enumerate(HOSTILE, 1):
        mallory = session.by_hand(f"mallory {number}")
        mallory.ask(frame("40"))
        mallory.ask(bytes(frame(packet)) + bytes(frame('421["lots",{}]')))


def trusting(session: Session) -> None:
    """Alice sends a number that JSON does not have; Bob hears of it, or does not."""
    alice, bob = session.connect("alice", in_order=True), session.connect("bob", in_order=True)
    alice.call("replace old value", {"lot": 1, "cents": float("nan")}, timeout=PATIENCE)
    # Whatever was sent on to Bob comes before this answer.
    bob.call("lots", {}, timeout=PATIENCE)


class _Polling:
    """A client that polls, and chooses how many packets go into one request."""

    def __init__(self, session: Session, http: requests.Session) -> None:
        self._http = http
        self._address = f"{session.server.url}/socket.io/?EIO=4&transport=polling"
        opened = self._poll()
        self._address += f"&sid={json.loads(opened[1:])['sid']}"
        self._post("40")
        self._poll()
        self.answered: set[int] = set()

    def ask(self, ids: Iterable[int]) -> None:
        """One question for each of ``ids``, all in one request."""
        self._post("\x1e".join(f'42{id}["lots",{{}}]' for id in ids))

    def wait_for(self, ids: Iterable[int]) -> None:
        """Poll until each of these questions is answered."""
        while not self.answered.issuperset(ids):
            for packet in self._poll().split("\x1e"):
                if packet.startswith("43"):
                    self.answered.add(int(packet[2 : packet.index("[")]))

    def _poll(self) -> str:
        return self._http.get(self._address, timeout=PATIENCE).text

    def _post(self, body: str) -> None:
        self._http.post(self._address, body, timeout=PATIENCE)


def _numbers(*counts: int) -> list[range]:
    """So many numbers, and so many more, without a gap."""
    starts = [sum(counts[:place]) for place in range(len(counts))]
    return [range(start, start + count) for start, count in zip(starts, counts, strict=True)]


def small_packets(session: Session) -> None:
    """A bidder who watches, too, is told of each bid, and answered: two small packets, close together."""
    alice = session.connect("alice", in_order=True, transports=["websocket"])
    lot = alice.call("join", {"lot": 1}, timeout=PATIENCE)["lot"]
    alice.receive(timeout=PATIENCE)  # the picture
    for number in range(6):
        cents = lot["minimum_cents"] + number * lot["increment_cents"]
        bid = {"id": str(uuid.uuid4()), "lot": 1, "bidder": f"Alice {number}", "cents": cents}
        alice.call("bid", bid, timeout=PATIENCE)
        alice.receive(timeout=PATIENCE)
