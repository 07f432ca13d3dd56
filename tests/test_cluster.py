"""A cluster: started and stopped as one, recorded as one, and gone with its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid

import psutil
import pytest
import requests

from tests.waiting import eventually
from utils import lab, recording
from utils.capture.rights import Mode
from utils.cluster.cluster import Cluster, Plan
from utils.errors import InputError
from utils.records import Service

TAP = Mode("tap", "for this test")


@pytest.fixture(scope="module")
def cluster():
    found = Cluster.start(Plan("lab_server", servers=2), TAP)
    yield found
    found.stop()


def pids(cluster: Cluster) -> list[int]:
    parts = [*cluster.servers, cluster.queue, cluster.proxy, cluster.database]
    children = [part.child for part in parts if part.child is not None]
    return [number for child in children for number in (child.pid, child.info["pid"])]


def test_it_tells_what_listens(cluster):
    names = [service.name for service in cluster.services.values()]
    assert names == ["server 1", "server 2", "Redis", "nginx"]
    assert [port for port, service in cluster.services.items() if service == Service("Redis", "redis", False)]
    assert cluster.url == cluster.address("nginx") == cluster.address()
    assert cluster.port == cluster.servers[0].port and cluster.address("server 1") == cluster.servers[0].url
    assert "lab_server × 2, mode tap" in repr(cluster) and "Redis" in repr(cluster)
    with pytest.raises(InputError, match=r"it has server 1, server 2"):
        cluster.address("server 3")


def test_the_servers_share_one_database(cluster):
    for name in ("server 1", "server 2"):
        assert requests.get(f"{cluster.address(name)}/lots/1", timeout=30).json()["lot"]["id"] == 1
    assert (cluster.folder / "cluster.sqlite3").exists()


def test_a_killed_server_is_passed_by_and_can_be_revived(cluster):
    assert cluster.serves(cluster.plan, TAP)
    cluster.kill("server 2")
    assert cluster.alive and not cluster.serves(cluster.plan, TAP)
    for _ in range(3):
        assert requests.get(f"{cluster.url}/healthz", timeout=30).status_code == 200
    before = cluster.address("server 2")
    cluster.revive("server 2")
    assert cluster.address("server 2") == before and cluster.serves(cluster.plan, TAP)
    cluster.kill("server 2")
    cluster.kill("server 2")  # it is dead already
    cluster.revive("server 2")


@pytest.mark.parametrize(
    ("wrong", "word"), [({"servers": 0}, "server"), ({"sticky": "glue"}, "glue"), ({"database": "x"}, "'x'")]
)
def test_what_cannot_be_started_is_said_at_once(wrong, word):
    with pytest.raises(InputError, match=word):
        Plan("lab_server", **wrong)


def test_an_application_that_does_not_start_leaves_nothing_running():
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(Exception, match="no_such_module"):
        Cluster.start(Plan("no_such_module"), TAP)
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    eventually(lambda: not [one for one in left if one.is_running()], "the end of what was started")


def test_the_same_call_gives_the_same_cluster_and_a_server_takes_its_place():
    try:
        first = lab.start_cluster("lab_server", servers=1, mode="tap")
        assert lab.start_cluster("lab_server", servers=1, mode="tap") is first
        with pytest.raises(InputError, match="not a cluster"):
            lab.watch()
        second = lab.start_cluster("lab_server", servers=1, sticky="none", mode="tap")
        assert second is not first and not first.alive
        lab.start("lab_server", mode="tap")
        assert not second.alive
    finally:
        lab.stop()


def test_a_recording_of_two_servers_is_whole_and_comes_back_from_its_folder(cluster, tmp_path):
    from utils.run import Run
    from utils.subject.session import record_live

    def play(session):
        alice, bob = session.connect("alice", to="server 1"), session.connect("bob", to="server 2")
        carol = session.connect("carol")
        lots = [one.call("join", {"lot": 2}, timeout=30)["lot"] for one in (alice, bob, carol)]
        bid = {"id": str(uuid.uuid4()), "lot": 2, "bidder": "Alice", "cents": lots[0]["minimum_cents"]}
        alice.call("bid", bid, timeout=30)
        for one in (alice, bob, carol):
            while one.receive(timeout=30)[0] != "bids placed":
                pass

    run = Run(record_live(play, cluster, "play"))
    assert run.check().whole
    assert [trace.process for trace in run.recording.traces] == ["client", "server 1", "server 2"]
    assert {name: len(told) for name, told in run.received("bids placed").items()} == {
        "alice": 1, "bob": 1, "carol": 1,
    }  # fmt: skip
    again = lab.load(recording.save(run.recording, tmp_path / "play"))
    assert again.recording.meta == run.recording.meta
    assert again.messages == run.messages and again.check() == run.check()
    # Through nginx Carol's messages pass twice, and only the half before it is hers.
    ends = set(run.names.values())
    assert {"alice", "bob", "carol", "nginx", "Redis", "server 1", "server 2"} <= ends


_STARTED = """
import json, sys
from tests.test_cluster import TAP, pids
from utils.cluster.cluster import Cluster, Plan
cluster = Cluster.start(Plan("lab_server", servers=2, traced=json.loads(sys.argv[1])), TAP)
print(json.dumps(pids(cluster)), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("traced", [True, False])
def test_when_the_parent_is_killed_nothing_is_left(traced):
    command = [sys.executable, "-c", _STARTED, json.dumps(traced)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ.copy())
    started = json.loads(parent.stdout.readline())
    assert len(started) == 8 and all(map(psutil.pid_exists, started))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    eventually(lambda: not any(map(psutil.pid_exists, started)), "the end of all of it")
    parent.stdin.close()
    parent.stdout.close()
