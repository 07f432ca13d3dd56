"""No child outlives its parent, however the parent ends; and each fault has a name."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from utils.errors import ProcessError
from utils.supervision import Child

KID = "tests.apps.kid"

#: A parent that starts a child, tells of it, and then does nothing any more.
PARENT = """
import sys, time
from pathlib import Path
from utils.supervision import Child
child = Child.start("tests.apps.kid", ["works"], name="kid", log=Path(sys.argv[1]))
print(child.pid, flush=True)
while True:
    time.sleep(1)
"""


def until(condition, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return bool(condition())


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def start(tmp_path):
    children = []

    def starter(how: str = "works", **options) -> Child:
        child = Child.start(KID, [how], name="the kid", log=tmp_path / "kid.log", **options)
        children.append(child)
        return child

    yield starter
    for child in children:
        child.stop()


class TestChannel:
    def test_a_child_is_ready_answers_and_stops(self, start):
        child = start()
        assert child.info["pid"] == child.pid
        assert child.request("add", a=2, b=3)["sum"] == 5
        child.stop()
        assert not child.alive and gone(child.pid)

    def test_what_the_program_prints_goes_into_the_log_and_it_reads_nothing(self, start):
        child = start()
        assert child.request("stdin")["read"] == ""
        assert "printed by the program" in child.log.read_text()

    def test_a_failing_command_is_an_answer_and_the_child_goes_on(self, start):
        child = start()
        with pytest.raises(ProcessError, match="ZeroDivisionError"):
            child.request("break")
        with pytest.raises(ProcessError, match="not a command"):
            child.request("no such thing")
        assert child.request("add", a=1, b=1)["sum"] == 2

    def test_stopping_twice_is_stopping_once(self, start):
        child = start()
        child.stop()
        child.stop()

    def test_a_child_that_died_says_so_at_the_next_request(self, start):
        child = start()
        with pytest.raises(ProcessError, match="ended before it could exit"):
            child.request("exit")
        with pytest.raises(ProcessError):
            child.request("add", a=1, b=1)


class TestStart:
    def test_a_child_that_dies_at_once_is_named_with_the_end_of_its_log(self, start):
        with pytest.raises(ProcessError, match=r"(?s)the kid.*ended before.*this is why"):
            start("dies")

    def test_a_child_that_cannot_start_says_why(self, start):
        with pytest.raises(ProcessError, match="no luck today"):
            start("fails")

    def test_a_child_that_never_gets_ready_is_ended_at_the_deadline(self, start, tmp_path):
        before = {child.pid for child in psutil.Process().children()}
        with pytest.raises(ProcessError, match="did not become ready"):
            start("silent", deadline=1.0)
        assert {child.pid for child in psutil.Process().children()} <= before

    def test_a_module_that_does_not_exist_is_named(self, tmp_path):
        with pytest.raises(ProcessError, match="no_such_module"):
            Child.start("no_such_module", [], name="nothing", log=tmp_path / "log")


class TestEnd:
    def test_a_stubborn_child_is_killed(self, start):
        child = start("stubborn")
        child.stop(deadline=0.2)
        assert gone(child.pid)

    @pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")
    def test_what_the_child_started_goes_with_it(self, start):
        child = start("has a child")
        other = child.request("child")["pid"]
        child.stop()
        assert until(lambda: gone(other))

    @pytest.mark.skipif(sys.platform == "win32", reason="signals to a group are POSIX")
    def test_an_interrupt_of_the_parents_group_does_not_touch_it(self, start, tmp_path):
        """As a notebook's cell is interrupted: the signal goes to the kernel's process group."""
        parent = parent_of_a_kid(tmp_path)
        kid = int(parent.stdout.readline())
        try:
            for _ in range(20):
                os.killpg(parent.pid, signal.SIGURG)  # a group signal that the parent itself survives
            os.killpg(parent.pid, signal.SIGSTOP)
            assert psutil.Process(kid).status() != psutil.STATUS_STOPPED
            os.killpg(parent.pid, signal.SIGCONT)
            assert psutil.Process(kid).is_running()
        finally:
            parent.kill()
            parent.communicate()
        assert until(lambda: gone(kid))

    def test_no_child_outlives_a_killed_parent(self, tmp_path):
        """Twenty kills at random phases: before, while and after the child gets ready."""
        chance = random.Random(7)
        for _ in range(20):
            parent = parent_of_a_kid(tmp_path)
            time.sleep(chance.uniform(0.0, 0.3))  # the phase is meant to vary, nothing waits for it
            started = [child.pid for child in psutil.Process(parent.pid).children()]
            parent.kill()
            parent.communicate()
            for pid in started:
                assert until(lambda pid=pid: gone(pid)), f"{pid} outlived its parent"


def parent_of_a_kid(tmp_path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "kid.log")],
        stdout=subprocess.PIPE,
        start_new_session=sys.platform != "win32",
    )


def test_the_channel_survives_lines_that_are_no_json(start):
    child = start()
    child._process.stdin.write(b"\xff\xfe garbage\n" + json.dumps([1, 2]).encode() + b"\n")
    child._process.stdin.flush()
    for _ in range(2):
        assert child._answer(10, "answer")["ok"] is False
    assert child.request("add", a=4, b=4)["sum"] == 8
