"""Every byte on the wire has its one send and its one recv, and no clock contradicts it."""

from __future__ import annotations

from dataclasses import replace

from tests.test_journey import ALICE, a_bid
from utils.journeys.join import check
from utils.journeys.turns import Turns
from utils.records import Transfer, TransferKind


class TestCheck:
    def test_every_byte_has_one_send_and_one_recv_and_time_agrees(self):
        world, messages = a_bid()
        report = check(Turns(world.traces), messages)
        assert report.whole and report.data_bytes == 8 + 9 + 9 and report.messages == 3

    def test_a_packet_before_its_send_is_told(self):
        world, messages = a_bid()
        early = [replace(messages[0], first_ns=1, last_ns=1), *messages[1:]]
        report = check(Turns(world.traces), early)
        assert not report.whole and report.in_order == 2

    def test_a_byte_that_no_send_wrote_is_told(self):
        world, messages = a_bid()
        client = world.trace("client")
        cut = tuple(
            replace(t, length=t.length - 1) if t.offset == 0 and t.flow == ALICE else t
            for t in client.transfers
        )
        world = replace(world, traces=(replace(client, transfers=cut), world.trace("server")))
        assert check(Turns(world.traces), messages).sent_once == 8 + 9 + 9 - 1

    def test_a_byte_that_its_reader_left_unread_when_it_closed_is_counted_as_such(self):
        world, messages = a_bid()
        server = world.trace("server")
        gone = tuple(t for t in server.transfers if t.kind is not TransferKind.RECV)
        world = replace(world, traces=(world.trace("client"), replace(server, transfers=gone)))
        report = check(Turns(world.traces), messages)
        assert not report.whole and report.unread == 0
        close = Transfer("server", 11, TransferKind.CLOSE, ALICE.reverse, 9, 0, 900, 901)
        closed = replace(server, transfers=(*gone, close))
        report = check(Turns((world.trace("client"), closed)), messages)
        assert report.whole and (report.received_once, report.unread) == (9 + 9, 8)
