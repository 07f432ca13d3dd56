"""What a shared message queue trusts: whoever can write to it speaks for the servers.

Until python-socketio 5.13 it was worse: what was published was unpickled, so that whoever could
write to the queue ran code in every server (the advisory of 2025).  Both are shown here, with a
pickle that makes an empty file, and both cures are held.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from bidders import ask, connect, hear

from tests.waiting import eventually
from utils.capture.rights import Mode
from utils.cluster.cluster import CHANNEL, Cluster, Plan
from utils.cluster.queue import Queue

FORGED = {
    "method": "emit",
    "event": "bids placed",
    "data": [{"lot": 1, "bids": [{"number": 1, "bidder": "Nobody", "cents": 1, "placed_at": 0}]}],
    "namespace": "/",
    "room": "lot 1",
    "host_id": "a stranger",
}


class Touches:
    """A pickle that makes an empty file wherever it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mknod, (str(self.path),)


@pytest.fixture(params=[True, False], ids=["open", "closed"])
def cluster(request):
    found = Cluster.start(
        Plan("lab_server", servers=2, traced=False, open_queue=request.param), Mode("tap", "")
    )
    yield found
    found.stop()


def stranger(cluster: Cluster) -> redis.Redis:
    """Somebody on this machine who knows the port, and nothing else."""
    assert cluster.queue is not None
    return redis.Redis(port=cluster.queue.port)


def test_a_stranger_speaks_for_the_servers_only_where_the_queue_is_open(
    cluster: Cluster, tmp_path: Path
) -> None:
    client = connect(cluster.address("server 2"))
    ask(client, "join", {"lot": 1, "after": 1})
    marker = tmp_path / "it was loaded"
    with stranger(cluster) as mallory:
        if not cluster.plan.open_queue:
            with pytest.raises(redis.exceptions.AuthenticationError):
                mallory.publish(CHANNEL, json.dumps(FORGED))
        else:
            mallory.publish(CHANNEL, pickle.dumps(Touches(marker)))
            mallory.publish(CHANNEL, json.dumps(FORGED))
            assert hear(client, "bids placed") == FORGED["data"][0]
    # The listeners live, and what they were sent before was read as JSON, or not at all.
    ask(
        client,
        "bid",
        {"id": "6a1f0f3e-7f0b-4d55-9a41-0d4d4c7a1b11", "lot": 1, "bidder": "Ada", "cents": 12_000},
    )
    assert hear(client, "bids placed")["bids"][0]["bidder"] == "Ada"
    assert not marker.exists()
    client.disconnect()


LISTENER = """
import socketio, sys, threading
server = socketio.Server(async_mode="threading", client_manager=socketio.RedisManager(sys.argv[1], channel=sys.argv[2]))
server.manager_initialized = True
server.manager.initialize()
threading.Event().wait()
"""


@pytest.mark.network
def test_before_the_advisory_what_was_published_was_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "then"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*install, "python-socketio==5.13.0", "redis"], check=True, timeout=300)
    queue = Queue.launch(tmp_path, CHANNEL, open_to_all=True)
    queue.wait_until_ready()
    marker = tmp_path / "it was loaded"
    try:
        listener = subprocess.Popen([python, "-c", LISTENER, queue.url, CHANNEL])
        try:
            with redis.Redis.from_url(queue.url) as mallory:
                eventually(lambda: mallory.publish(CHANNEL, pickle.dumps(Touches(marker))), "a listener")
            eventually(marker.exists, "what the pickle was to make")
        finally:
            listener.kill()
            listener.wait()
    finally:
        queue.stop()
