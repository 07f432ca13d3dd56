"""Clients that leave in order, and that handle what they read in order."""

from __future__ import annotations

import threading

import pytest

from tests.test_lab import AUCTION
from utils import lab
from utils.subject import clients
from utils.wire.units import Layer, Side


@pytest.fixture(autouse=True)
def _stopped():
    yield
    lab.stop()


def said(run, side):
    """The packets of one side, in order: of Engine.IO, or of Socket.IO in it."""
    return [
        packet.socketio.type.name if packet.socketio is not None else packet.type.name
        for message in run.messages
        if message.side is side and message.unit.layer is not Layer.UNKNOWN
        for packet in message.unit.packets
    ]


@pytest.mark.parametrize("transports", [["polling", "websocket"], ["websocket"], ["polling"]])
def test_a_client_says_that_it_goes_and_leaves_nothing_unread(transports):
    lab.start(*AUCTION, mode="tap")
    run = lab.record(lambda session: session.connect("alice", transports=transports), name="leaving")
    assert said(run, Side.CLIENT)[-2:] == ["DISCONNECT", "CLOSE"]
    assert run.check().whole


def test_whoever_disconnected_by_itself_has_left():
    lab.start(*AUCTION, mode="tap")

    def abrupt(session):
        session.connect("alice").disconnect()

    run = lab.record(abrupt)
    assert said(run, Side.CLIENT).count("DISCONNECT") <= 1


def test_a_connection_that_was_cut_is_no_fault_of_leaving():
    lab.start(*AUCTION, mode="tap")

    def cut(session):
        alice = session.connect("alice")
        lab.stop()
        assert clients.until(lambda: not alice.connected, 30)

    run = lab.record(cut)
    assert "server" not in {trace.process for trace in run.recording.traces}  # it left none
    assert run.messages  # its packets are there


def test_an_attachment_cannot_overtake_its_event_in_a_client_that_is_in_order():
    lab.start("scenarios.smallest", mode="tap")
    seen: list[str] = []

    def pictures(session):
        alice = session.connect("alice", in_order=True)
        handle = alice.client._handle_eio_message
        alice.client.eio.on(
            "message", lambda data: seen.append(threading.current_thread().name) or handle(data)
        )
        for number in range(20):
            alice.emit("picture", bytes([number]))
        # In which order the server's threads answer is chance; that nothing is lost or mixed is not.
        received = [alice.receive(timeout=30)[1] for _ in range(20)]
        assert sorted(received) == [bytes([number]) for number in range(20)]

    lab.record(pictures)
    assert len(set(seen)) == 1


def test_to_wait_for_what_never_comes_ends():
    assert not clients.until(lambda: False, 0.01)
    assert clients.until(lambda: True, 0)
