"""The wire held against the calls: every byte, then every time.

The rule kept here: each byte seen belongs to exactly one send and one recv,
by its offset in its stream.  Time is only the check: a send starts before its
packet is seen, and the packet is seen before its recv returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from utils.records import Message, Transfer
from utils.turns import Turns


@dataclass(frozen=True, slots=True)
class JoinReport:
    """How well calls and packets agree: counts of bytes and of messages."""

    data_bytes: int = 0  # seen on the wire
    sent_once: int = 0  # of them, bytes that belong to exactly one send
    received_once: int = 0  # of them, bytes that belong to exactly one recv
    messages: int = 0
    in_order: int = 0  # messages with send start ≤ packet ≤ recv return

    @property
    def whole(self) -> bool:
        """Every byte has its one send and one recv, and no time contradicts."""
        return self.sent_once == self.data_bytes == self.received_once and self.in_order == self.messages


def check(turns: Turns, messages: Iterable[Message]) -> JoinReport:
    """Hold the wire against the calls: every byte, then every time."""
    report = JoinReport()
    for message in messages:
        sends = turns.senders(message.flow, message.start, message.end)
        recvs = turns.readers(message.flow, message.start, message.end)
        in_order = (
            bool(sends)
            and bool(recvs)
            and min(send.start_ns for send in sends) <= message.first_ns
            and message.last_ns <= max(recv.end_ns for recv in recvs)
        )
        report = replace(
            report,
            data_bytes=report.data_bytes + message.end - message.start,
            sent_once=report.sent_once + _covered_once(sends, message.start, message.end),
            received_once=report.received_once + _covered_once(recvs, message.start, message.end),
            messages=report.messages + 1,
            in_order=report.in_order + in_order,
        )
    return report


def _covered_once(transfers: Sequence[Transfer], start: int, end: int) -> int:
    """How many of the bytes ``start`` to ``end`` lie in exactly one transfer."""
    edges = sorted(
        edge
        for transfer in transfers
        for edge in ((max(start, transfer.offset), 1), (min(end, transfer.end), -1))
    )
    covered = depth = 0
    before = start
    for at, change in edges:
        if depth == 1:
            covered += at - before
        depth += change
        before = at
    return covered
