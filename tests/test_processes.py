"""No child outlives its parent, however the parent ends; and each fault has a name."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.waiting import eventually
from utils.errors import ProcessError
from utils.processes.child import Child

KID = "tests.apps.kid"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sessions and group signals are POSIX")

#: A parent that starts a child, tells of it, and then adds whenever it is asked to.
PARENT = """
import signal, sys
from pathlib import Path
from utils.processes.child import Child
how, log, extra = sys.argv[1:]
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
child = Child.start("tests.apps.kid", [how], name="kid", log=Path(log))
other = child.request("child")["pid"] if "has a child" in extra else 0
if "forks" in extra:
    import os, time
    if (fork := os.fork()) == 0:
        time.sleep(60)  # holds the writing end of the child's pipe
    other = fork
print(child.pid, other, flush=True)
for line in sys.stdin:
    print(child.request("add", a=1, b=int(line))["sum"], flush=True)
"""


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


@pytest.fixture
def parent_of(tmp_path):
    """Starts a parent whose child is as told; after the test it is killed, if it is not already."""
    parents = []

    def starter(how: str = "works", extra: str = "") -> subprocess.Popen:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, how, str(tmp_path / "kid.log"), extra],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=sys.platform != "win32",
        )
        parents.append(parent)
        return parent

    yield starter
    for parent in parents:
        end(parent)


def end(parent: subprocess.Popen) -> None:
    """As the out-of-memory killer does it: no handler runs, nothing is tidied up."""
    parent.kill()
    parent.wait()
    # What it forked may hold these open: nothing more is read.
    parent.stdin.close()
    parent.stdout.close()


def told(parent: subprocess.Popen) -> tuple[int, int]:
    kid, other = parent.stdout.readline().split()
    return int(kid), int(other)


class TestChannel:
    def test_a_child_is_ready_answers_and_stops(self, start):
        child = start()
        assert child.info["pid"] == child.pid
        assert child.request("add", a=2, b=3)["sum"] == 5
        child.stop()
        assert not child.alive and gone(child.pid)

    def test_one_that_was_launched_gets_ready_while_others_work(self, tmp_path):
        with Child.launch("utils.capture.sniffer", [], name="the sniffer", log=tmp_path / "log") as child:
            child.wait_until_ready()
            child.wait_until_ready()
            assert child.request("end")["ok"]

    def test_what_the_program_prints_goes_into_the_log_and_it_reads_nothing(self, start):
        child = start()
        assert child.request("stdin")["read"] == ""
        assert "printed by the program" in child.log.read_text()

    def test_what_was_printed_before_the_channel_was_taken_is_no_answer(self, start):
        child = start("talks early")
        assert child.request("add", a=2, b=3)["sum"] == 5
        assert "printed at once before there was a channel" in child.log.read_text()
        assert "printed before there was a channel" in child.log.read_text()

    def test_a_failing_command_is_an_answer_and_the_child_goes_on(self, start):
        child = start()
        with pytest.raises(ProcessError, match="ZeroDivisionError"):
            child.request("break")
        with pytest.raises(ProcessError, match="not a command"):
            child.request("no such thing")
        with pytest.raises(ProcessError, match="TypeError"):
            child.request("unspeakable")
        assert child.request("add", a=1, b=1)["sum"] == 2

    def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(self, start):
        child = start()
        with pytest.raises(ProcessError, match=r"did not wait.*nothing for 0\.05 seconds"):
            child.request("wait", seconds=0.5, deadline=0.05)
        assert child.request("add", a=20, b=3)["sum"] == 23

    def test_the_channel_survives_lines_that_are_no_commands(self, start):
        child = start()
        for line in (b"\xff\xfe garbage\n", json.dumps([1, 2]).encode() + b"\n", b"7\n"):
            child._process.stdin.write(line)
            child._process.stdin.flush()
            assert child._answer(10, "answer", 10)["ok"] is False
        assert child.request("add", a=4, b=4)["sum"] == 8

    def test_stopping_twice_is_stopping_once(self, start):
        child = start()
        child.stop()
        child.stop()
        with pytest.raises(ProcessError, match="has ended"):
            child.request("add", a=1, b=1)

    def test_a_child_that_died_says_so_at_the_next_request(self, start):
        child = start()
        with pytest.raises(ProcessError, match="ended before it could exit"):
            child.request("exit")
        assert eventually(lambda: not child.alive)
        with pytest.raises(ProcessError):
            child.request("add", a=1, b=1)


class TestStart:
    def test_a_slow_child_is_waited_for(self, start):
        assert start("slow").request("add", a=1, b=1)["sum"] == 2

    def test_a_child_that_dies_at_once_is_named_with_the_end_of_its_log(self, start):
        with pytest.raises(ProcessError, match=r"(?s)the kid.*ended before.*this is why"):
            start("dies")

    def test_a_child_that_cannot_start_says_why(self, start):
        with pytest.raises(ProcessError, match="no luck today"):
            start("fails")

    def test_a_child_that_never_gets_ready_is_ended_at_the_deadline(self, start):
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

    @POSIX
    def test_what_the_child_started_goes_with_it(self, start):
        child = start()
        other = child.request("child")["pid"]
        child.stop()
        assert eventually(lambda: gone(other))

    def test_a_child_that_nobody_holds_any_more_ends_and_leaks_nothing(self, tmp_path):
        child = Child.start(KID, ["works"], name="the kid", log=tmp_path / "kid.log")
        pid = child.pid
        # An unclosed pipe or an unreaped process would be a ResourceWarning, and so an error.
        del child
        gc.collect()
        assert gone(pid)

    def test_an_interpreter_that_exits_ends_its_child_and_leaks_nothing(self, tmp_path):
        code = (
            "import sys; from pathlib import Path; from utils.processes.child import Child;"
            f"child = Child.start({KID!r}, ['works'], name='kid', log=Path(sys.argv[1])); print(child.pid)"
        )
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", code, str(tmp_path / "log")],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert gone(int(done.stdout))


@POSIX
class TestParentsEnd:
    def test_twenty_interrupts_of_the_parents_group_do_not_touch_the_child(self, parent_of):
        """As a notebook's cell is interrupted: the signal goes to the kernel's process group."""
        parent = parent_of()
        told(parent)
        for number in range(20):
            os.killpg(parent.pid, signal.SIGINT)
            assert parent.stdout.readline() == "interrupted\n"
            parent.stdin.write(f"{number}\n")
            parent.stdin.flush()
            assert parent.stdout.readline() == f"{number + 1}\n"

    def test_no_child_outlives_a_killed_parent(self, parent_of):
        """Twenty kills at random phases: before, while and after the child gets ready."""
        chance = random.Random(7)
        for _ in range(20):
            parent = parent_of()
            time.sleep(chance.uniform(0.0, 0.4))  # the phase is meant to vary, nothing waits for it
            started = psutil.Process(parent.pid).children(recursive=True)
            end(parent)
            for kid in started:
                assert eventually(lambda kid=kid: gone(kid.pid)), f"{kid} outlived its parent"

    def test_a_forked_process_that_keeps_the_pipe_does_not_keep_the_child(self, parent_of):
        parent = parent_of(extra="forks")
        kid, fork = told(parent)
        end(parent)
        try:
            assert eventually(lambda: gone(kid))
            assert not gone(fork)  # so it was not the end of the pipe that told
        finally:
            os.kill(fork, signal.SIGKILL)

    def test_a_child_that_fails_to_end_is_ended_by_force_with_what_it_started(self, parent_of):
        parent = parent_of("stubborn", extra="has a child")
        kid, other = told(parent)
        end(parent)
        assert eventually(lambda: gone(kid)) and eventually(lambda: gone(other))
