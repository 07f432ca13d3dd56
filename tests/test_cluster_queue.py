"""The queue's rights: the servers may speak and listen, and nobody may do more."""

from __future__ import annotations

import pytest
import redis

from utils.cluster.queue import Queue, rights_of

CHANNEL = "flask-socketio"


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    queue = Queue.launch(tmp_path_factory.mktemp("closed"), CHANNEL)
    queue.wait_until_ready()
    yield queue
    queue.stop()


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    queue = Queue.launch(tmp_path_factory.mktemp("opened"), CHANNEL, open_to_all=True)
    queue.wait_until_ready()
    yield queue
    queue.stop()


def test_without_the_password_nobody_comes_in(closed):
    with redis.Redis(port=closed.port) as stranger:
        with pytest.raises(redis.exceptions.AuthenticationError):
            stranger.publish(CHANNEL, "anything")
    with redis.Redis(port=closed.port, username="servers", password="a guess") as stranger:
        with pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()


def test_the_servers_may_speak_and_listen_on_their_channel_only(closed):
    with redis.Redis.from_url(closed.url) as server:
        listening = server.pubsub()
        listening.subscribe(CHANNEL)
        assert listening.get_message(timeout=30)["type"] == "subscribe"
        assert server.publish(CHANNEL, b"to the others") == 1
        assert listening.get_message(timeout=30)["data"] == b"to the others"
        listening.close()
        with pytest.raises(redis.exceptions.NoPermissionError):
            server.publish("another", b"")
        with pytest.raises(redis.exceptions.NoPermissionError):
            server.execute_command("PSUBSCRIBE", "*")
    assert rights_of(closed.url) == ["KEYS", "SET", "CONFIG", "EVAL"]


def test_an_open_one_refuses_nothing(opened):
    assert rights_of(opened.url) == []


def test_the_password_is_in_no_command_line_and_no_file_for_others(closed):
    import psutil

    process = psutil.Process(closed.child.info["pid"])
    password = closed.url.partition("servers:")[2].partition("@")[0]
    assert (
        len(password) == 32 and password not in repr(closed) and password not in " ".join(process.cmdline())
    )
    configuration = closed.child.log.parent / "redis.conf"
    assert configuration.stat().st_mode & 0o077 == 0 and password in configuration.read_text()


def test_it_listens_on_the_loopback_only(closed):
    import psutil

    found = psutil.Process(closed.child.info["pid"]).net_connections("tcp")
    assert {each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
