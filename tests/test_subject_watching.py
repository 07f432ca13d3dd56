"""Packets decoded as they come: each once, while the server runs, and nothing left when it is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from scenarios.plays import one_bid
from tests.waiting import eventually
from utils import lab
from utils.errors import CaptureRightsError, InputError
from utils.records import Message
from utils.subject.watching import Watch
from utils.wire.units import Side

live_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or sys.platform != "linux",
    reason="reading packets needs a right that this user lacks",
)

AUCTION = ("lab_server", "--port", "0", "--lesson", "seed")


def running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if running(child)}


class Screen:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.missing = self.dropped = 0
        self.why = ""
        self.ended = threading.Event()

    def show(self, messages, dropped, missing) -> None:
        self.messages += messages
        self.dropped, self.missing = dropped, missing

    def end(self, why) -> None:
        self.why = why
        self.ended.set()


@pytest.fixture(autouse=True)
def _stopped():
    before = children()
    yield
    lab.stop()
    assert eventually(lambda: children() <= before), "something was left behind"
    assert not [thread for thread in threading.enumerate() if thread.name == "live view"]


@pytest.fixture(params=[pytest.param("live", marks=live_only), "tap"])
def server(request):
    return lab.start(*AUCTION, mode=request.param)


class TestWatch:
    def test_it_shows_what_a_recording_of_the_same_time_holds(self, server):
        screen = Screen()
        watch = Watch(server, screen)
        watch.start()
        run = lab.record(one_bid)
        watch.stop()
        assert screen.why == "stopped" and not watch.alive
        assert (screen.dropped, screen.missing) == (0, 0)

        def said(messages):
            return {(message.flow, message.start, message.unit.summary) for message in messages}

        assert len(screen.messages) == len(said(screen.messages))
        shown, recorded = said(screen.messages), said(run.messages)
        if server.mode.name == "live":
            assert recorded <= shown
        # A recording ends before the last farewell; and what a client says last the server may
        # never read, so that its sockets cannot tell of it.
        assert all(summary.startswith(("close", "DISCONNECT")) for _, _, summary in shown ^ recorded)

    def test_a_message_is_shown_while_the_connection_is_still_open(self, server):
        screen = Screen()
        watch = Watch(server, screen)
        watch.start()

        def shown() -> bool:
            return any(
                packet.socketio is not None and packet.socketio.event == "replaced values"
                for message in list(screen.messages)
                if message.side is Side.SERVER
                for packet in message.unit.packets
            )

        def bid_and_look(session):
            alice = session.connect("alice")
            alice.emit("replace old value", {"lot": 1})
            alice.receive(timeout=30)
            assert eventually(shown)

        lab.record(bid_and_look)
        watch.stop()

    def test_a_connection_that_began_before_is_read_from_where_it_is(self, server):
        screen = Screen()

        def bid_and_look(session):
            alice = session.connect("alice")
            watch = Watch(server, screen)
            watch.start()
            alice.emit("replace old value", {"lot": 1})
            alice.receive(timeout=30)
            watch.stop()

        lab.record(bid_and_look)
        assert screen.missing == 0
        assert any("replaced values" in message.unit.summary for message in screen.messages)

    def test_stopping_twice_or_before_the_start_is_stopping(self, server):
        watch = Watch(server, Screen())
        watch.stop()
        watch.stop()
        watch = Watch(server, Screen())
        watch.start()
        watch.stop()
        watch.stop()

    @live_only
    @pytest.mark.parametrize("server", ["live"], indirect=True)
    def test_a_sniffer_that_was_killed_is_told_and_not_waited_for(self, server):
        screen = Screen()
        watch = Watch(server, screen)
        watch.start()
        os.kill(watch.feed.capture.pid, signal.SIGKILL)
        assert screen.ended.wait(30)
        assert "could not go on" in screen.why and "sniffer" in screen.why
        watch.stop()

    @live_only
    @pytest.mark.parametrize("server", ["live"], indirect=True)
    def test_where_packets_may_not_be_read_it_says_so_at_once(self, server, monkeypatch):
        def refused(self, port):
            raise CaptureRightsError("packets cannot be captured")

        monkeypatch.setattr("utils.capture.live.LiveCapture.start", refused)
        with pytest.raises(CaptureRightsError):
            Watch(server, Screen()).start()


class TestLabWatch:
    def test_without_a_server_it_says_which_cell_to_run(self):
        with pytest.raises(InputError, match=r"lab\.start"):
            lab.watch()

    def test_rows_come_while_somebody_bids_and_the_same_call_shows_the_same_view(self, server):
        view = lab.watch()
        assert lab.watch() is view
        lab.record(one_bid)
        assert eventually(lambda: sum("replaced values" in row["what"] for row in view.rows) == 2)
        assert view.lost == "" and view.state == "live"
        view.stop()
        assert view.state == "stopped" and view.rows
        assert lab.watch() is not view

    def test_it_ends_with_its_server(self, server):
        view = lab.watch()
        psutil.Process(server.child.pid).kill()
        assert eventually(lambda: view.state != "live")
        assert view.state == "the server has ended"

    def test_another_server_is_watched_anew(self, server):
        first = lab.watch()
        lab.start("lab_server", "--port", "0", mode=server.mode.name)
        second = lab.watch()
        assert second is not first and first.state != "live" and second.state == "live"
        lab.stop()
        assert second.state != "live"

    def test_in_replay_mode_it_says_why_nothing_comes(self):
        lab.start(*AUCTION, mode="replay")
        view = lab.watch()
        assert "nothing comes in mode replay" in view.state and view.rows == []
        view.stop()


KERNEL = """
from utils import lab
lab.start("lab_server", "--port", "0", "--lesson", "seed", mode="live")
lab.watch()
print("watching", flush=True)
import time
time.sleep(600)
"""


@live_only
def test_twenty_killed_kernels_leave_no_sniffer_and_no_server():
    for _ in range(20):
        kernel = subprocess.Popen([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE)
        assert kernel.stdout is not None and kernel.stdout.readline() == b"watching\n"
        started = psutil.Process(kernel.pid).children(recursive=True)
        assert len(started) == 3  # the server, its own sniffer, and the live view's
        kernel.kill()
        kernel.communicate()
        assert eventually(lambda started=started: not any(map(running, started)))
