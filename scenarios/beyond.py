"""The scenarios beyond one process: what several servers do together, and what goes wrong between them.

The rule kept here: they are played on a cluster (see :mod:`utils.cluster`), and
wait for what they asked for, never for a length of time.
"""

from __future__ import annotations

import json
import pickle
import uuid
from typing import TYPE_CHECKING, Any, cast

import redis

from utils.cluster.cluster import CHANNEL
from utils.cluster.proxy import COOKIE
from utils.subject import clients

if TYPE_CHECKING:
    from utils.cluster.cluster import Cluster
    from utils.subject.session import Session

#: How long an answer may take, in seconds: a slow machine is no error.
PATIENCE = 30

#: The lots that are bid for.
LOT, OTHER_LOT = 1, 2

#: What was never bid.
FORGED = {"lot": LOT, "bids": [{"number": 1, "bidder": "Nobody", "cents": 1, "placed_at": 0}]}


def two_servers(session: Session) -> None:
    """Alice is with one server and Bob with another; a bid is told to both, by way of the message queue."""
    alice = session.connect("alice", to="server 1", in_order=True)
    bob = session.connect("bob", to="server 2", in_order=True)
    for client in (alice, bob):
        lot = client.call("join", {"lot": LOT}, timeout=PATIENCE)["lot"]
        client.receive(timeout=PATIENCE)
    bidder = "Alice" if not lot["highest"] or lot["highest"]["bidder"] != "Alice" else "Carol"
    bid = {"id": str(uuid.uuid4()), "lot": LOT, "bidder": bidder, "cents": lot["minimum_cents"]}
    alice.call("bid", bid, timeout=PATIENCE)
    for client in (alice, bob):
        client.receive(timeout=PATIENCE)


def lost_session(session: Session) -> None:
    """Nothing leads Alice's requests to the server that knows her; Bob's one connection needs no leading."""
    address = f"{session.server.url}/socket.io/?EIO=4&transport=polling"
    with session.connecting("alice"), clients.http() as http:
        opened = http.get(address, timeout=PATIENCE).text
        sid = json.loads(opened[1:])["sid"]
        for _ in range(2):  # they take turns: a stranger to the one, known to the other
            http.post(f"{address}&sid={sid}", data="40", timeout=PATIENCE)
    session.connect("bob", transports=["websocket"])


class Harmless:
    """Its pickle asks whoever loads it to call a function: here one that only counts in its head."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sum, ((1, 2, 3),)


def forged_news(session: Session) -> None:
    """Mallory has no account anywhere; all that she needs is a way to the message queue."""
    cluster = cast("Cluster", session.server)
    assert cluster.queue is not None
    alice = session.connect("alice", to="server 1", in_order=True)
    bob = session.connect("bob", to="server 2", in_order=True)
    for client in (alice, bob):
        client.call("join", {"lot": LOT, "after": 1}, timeout=PATIENCE)  # without the picture
    forged = {
        "method": "emit",
        "event": "bids placed",
        "data": [FORGED],
        "namespace": "/",
        "room": f"lot {LOT}",
        "host_id": "mallory",
    }
    with redis.Redis.from_url(cluster.queue.url) as mallory:
        with session.connecting("mallory"):
            mallory.ping()
        mallory.publish(CHANNEL, json.dumps(forged))
        # Both servers have read it before the next comes: each is a read of its own, in every run.
        for client in (alice, bob):
            client.receive(timeout=PATIENCE)
        mallory.publish(CHANNEL, pickle.dumps(Harmless()))


def killed_server(session: Session) -> None:
    """Alice's server is killed behind her bid; she comes back to the other one, and nothing is lost."""
    cluster = cast("Cluster", session.server)
    alice = session.connect("alice")
    lot = alice.call("join", {"lot": OTHER_LOT, "after": 1}, timeout=PATIENCE)["lot"]
    # Nobody may outbid herself, should it be played again.
    bidder = "Alice" if not lot["highest"] or lot["highest"]["bidder"] != "Alice" else "Carol"
    bid = {"id": str(uuid.uuid4()), "lot": OTHER_LOT, "bidder": bidder, "cents": lot["minimum_cents"]}
    alice.call("bid", bid, timeout=PATIENCE)
    before = alice.client.eio.sid
    cluster.kill(cluster.serving(alice.client.eio.http.cookies[COOKIE].strip('"')))
    with session.connecting("alice"):  # her client does it by itself, and asks again
        # Until it has noticed, it would ask a server that is no more, and hear nothing.
        def is_back() -> bool:
            return alice.connected_event.is_set() and alice.client.eio.sid not in (None, before)

        assert clients.until(is_back, PATIENCE), "Alice did not come back"
        alice.call("join", {"lot": OTHER_LOT, "after": 1}, timeout=PATIENCE)
    # The same bid, as whoever got no answer would send it: it stays one bid.
    alice.call("bid", bid, timeout=PATIENCE)
