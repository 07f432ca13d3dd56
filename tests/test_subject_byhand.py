"""A client whose bytes are its owner's own, right or wrong."""

from __future__ import annotations

import socket
import threading

import pytest

from scenarios.handwriting import KEY, bid_of, frame
from tests.test_lab import AUCTION
from utils import lab
from utils.errors import InputError, ProcessError
from utils.subject.byhand import ByHand
from utils.wire import websocket
from utils.wire.units import Side
from utils.wire.websocket import Opcode


@pytest.fixture(autouse=True)
def _stopped():
    yield
    lab.stop()


def recorded(scenario):
    lab.start(*AUCTION, mode="tap")
    return lab.record(scenario, name="by hand")


def test_what_is_sent_is_what_was_written_to_the_byte():
    written = [bytes(frame("40")), bytes(frame(bid_of(126)))]

    def two(session):
        hand = session.by_hand("hand")
        for one in written:
            hand.ask(one)

    run = recorded(two)
    sent = [message.unit.raw for message in run.messages_of("hand") if message.side is Side.CLIENT]
    assert sent[1:] == written
    assert run.check().whole


def test_each_answer_is_one_frame_and_the_end_is_empty():
    answers = []

    def leaves(session):
        hand = session.by_hand("hand")
        answers.append(hand.ask(frame("40")))
        answers.append(hand.ask(frame((1000).to_bytes(2, "big"), opcode="CLOSE")))
        answers.append(hand.receive())

    recorded(leaves)
    assert [websocket.parse(raw).opcode for raw in answers[:2]] == [Opcode.TEXT, Opcode.CLOSE]
    assert answers[0][2:4] == b"40" and answers[2] == b""


def test_it_goes_by_its_name_and_the_name_is_taken():
    def twice(session):
        session.by_hand("hand")
        with pytest.raises(InputError, match="already"):
            session.connect("hand")

    assert set(recorded(twice).clients.values()) == {"hand"}


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"HTTP/1.1 400 Bad", b""])
def test_a_server_that_does_not_agree_is_told_of(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(ProcessError, match="did not agree"):
            ByHand(f"http://127.0.0.1:{server.getsockname()[1]}", 30)
        thread.join()


class TestHandwriting:
    def test_a_frame_is_masked_with_the_rfcs_key(self):
        assert bytes(frame("Hello")) == bytes.fromhex("818537fa213d7f9f4d5158")  # RFC 6455, section 5.7
        assert frame("Hello").key == KEY

    @pytest.mark.parametrize("size", [26, 125, 126, 65536])
    def test_a_bid_has_the_size_that_was_asked_for(self, size):
        assert len(bid_of(size)) == size
        parsed = websocket.parse(bytes(frame(bid_of(size))))
        assert parsed.length == size
