"""Clients and servers each on cores of their own, where the system can do that."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import psutil
import pytest

from utils.load import placement

CAN = hasattr(psutil.Process(), "cpu_affinity") and (os.cpu_count() or 1) > 1


@pytest.fixture
def process():
    """A process with two threads, which ends when its input does."""
    program = "import sys, threading; threading.Thread(target=sys.stdin.read).start(); print(flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        child.stdout.readline()
        yield child
        child.stdin.close()


@pytest.mark.skipif(not CAN, reason="this system places no process, or has one core")
class TestApart:
    def test_they_share_no_core_and_leave_none_idle(self, process):
        mine = psutil.Process().cpu_affinity()
        clients = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert placement.apart(clients.pid, [process.pid])
            ours, theirs = (psutil.Process(each.pid).cpu_affinity() for each in (clients, process))
            assert len(ours) == 1 and not set(ours) & set(theirs)
            assert sorted(ours + theirs) == sorted(mine)
        finally:
            clients.communicate(b"\n")
        assert psutil.Process().cpu_affinity() == mine, "whoever places others stays where it was"

    @pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="here a process is placed whole")
    def test_every_thread_is_placed(self, process):
        placement.apart(process.pid, [])
        threads = psutil.Process(process.pid).threads()
        assert len(threads) > 1
        assert all(len(os.sched_getaffinity(thread.id)) == 1 for thread in threads)


def test_a_machine_with_one_core_is_left_alone(monkeypatch):
    monkeypatch.setattr(placement, "_cores", lambda: [0])
    monkeypatch.setattr(placement, "_place", lambda *given: pytest.fail("something was placed"))
    assert not placement.apart(os.getpid(), [threading.get_native_id()])
