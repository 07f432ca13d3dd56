"""Plans: made once, from what the code object tells."""

from __future__ import annotations

import queue
import sys
import threading
from pathlib import Path

import pytest
import simple_websocket
import wsproto.frame_protocol

from tests.apps import traced
from utils.tracing.buffer import Buffer, Kind
from utils.tracing.hooks import (
    Entered,
    Left,
    argument_names,
    make_plan,
    note_running,
    read_enter,
    read_leave,
)
from utils.tracing.scope import Detail, Scope
from utils.tracing.snapshots import freeze

SCOPE = Scope([Path(traced.__file__)])


def example(first, /, second, *rest, third=1, **named):
    local = first
    return local


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (traced.outer, ("value",)),
        (traced.Worker.ask, ("question",)),
        (traced.Worker.__init__, ()),
        (traced.lines, ()),
        (example, ("first", "second", "third", "rest", "named")),
        (lambda *rest: rest, ("rest",)),
        (lambda **named: named, ("named",)),
    ],
)
def test_the_names_of_arguments(function, names):
    assert argument_names(function.__code__) == names


def test_a_plan_says_what_is_noted():
    close = make_plan(SCOPE, traced.outer.__code__)
    assert close.freeze is freeze
    assert not close.plain
    assert (close.role, close.generator, close.birth) == (None, False, False)
    plain = make_plan(SCOPE, wsproto.frame_protocol.Buffer.feed.__code__)
    assert plain.plain
    assert plain.names == ()
    assert make_plan(SCOPE, traced.numbers.__code__).generator
    assert make_plan(SCOPE, traced.waits.__code__).generator
    assert make_plan(SCOPE, queue.Queue.put.__code__).role.gives
    assert make_plan(SCOPE, simple_websocket.ws.Base.receive.__code__).role.attribute == "event"
    assert make_plan(SCOPE, threading.Thread._bootstrap_inner.__code__).birth
    assert make_plan(SCOPE, test_a_plan_says_what_is_noted.__code__) is None


def test_roles_are_noted_however_little_is_recorded():
    for detail in Detail:
        plan = make_plan(Scope(detail=detail), queue.Queue.put.__code__)
        assert plan.role is not None
        assert (plan.freeze is not None) == (detail is not Detail.PLAIN)


def test_what_a_call_with_a_role_touches():
    plan = make_plan(SCOPE, queue.Queue.put.__code__)
    noted = []

    def put(self, item, block=True, timeout=None):
        noted.append(read_enter(plan, plan.enter(sys._getframe())))

    box, item = queue.Queue(), object()
    put(box, item)
    assert noted == [Entered((freeze(item), True, None), (id(box), id(item)), 0, 0)]


def test_what_a_receive_touches_is_its_event():
    plan = make_plan(SCOPE, simple_websocket.ws.Base.receive.__code__)

    class Receiver:
        def __init__(self):
            self.event = threading.Event()

        def receive(self, timeout=None):
            return read_enter(plan, plan.enter(sys._getframe()))

    receiver = Receiver()
    assert receiver.receive().identities == (id(receiver.event), 0)


@pytest.mark.parametrize(
    ("function", "result", "takes"),
    [
        (threading.Event.wait, True, True),
        (threading.Event.wait, False, False),  # it timed out
        (simple_websocket.ws.Base.receive, "", True),
        (simple_websocket.ws.Base.receive, None, False),
        (queue.Queue.get, 0, True),
        (queue.Queue.get, None, True),  # a thread is told to end
    ],
)
def test_what_a_call_with_a_role_returns(function, result, takes):
    plan = make_plan(SCOPE, function.__code__)
    assert read_leave(plan, plan.leave(result)) == Left(result, id(result), takes, 0)


def test_the_running_calls_of_every_thread_are_noted():
    inside, leave = threading.Event(), threading.Lock()
    leave.acquire()
    thread = threading.Thread(target=traced.blocks, args=(inside, leave), name="blocked")
    thread.start()
    try:
        assert inside.wait(30)
        buffer = Buffer(1000, lambda: 0)
        note_running(buffer, lambda code: make_plan(SCOPE, code))
    finally:
        leave.release()
        thread.join(30)
    facts = buffer.copy()
    rows = [row for batch in facts.batches for row in batch.rows() if row[0] == thread.ident]
    assert rows[0][2] == Kind.THREAD
    assert rows[0][6][1] == "blocked"
    running = [(facts.codes[row[3]].co_qualname, facts.codes[row[4]].co_qualname) for row in rows[1:]]
    assert running == [("Thread.run", "Thread._bootstrap_inner"), ("blocks", "Thread.run")]
    assert all(row[2] == Kind.RUNNING and row[6][0] == () for row in rows[1:])
