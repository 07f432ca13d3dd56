"""The wire held against the calls: every byte, then every time.

The rule kept here: each byte seen belongs to exactly one send and one recv,
by its offset in its stream; or to no recv, if its reader closed the socket and
left it there.  Time is only the check: a send starts before its packet is seen,
and the packet is seen before its recv returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from utils.journeys.turns import Turns
from utils.records import Message, Transfer


@dataclass(frozen=True, slots=True)
class JoinReport:
    """How well calls and packets agree: counts of bytes and of messages."""

    data_bytes: int = 0  # seen on the wire
    sent_once: int = 0  # of them, bytes that belong to exactly one send
    received_once: int = 0  # of them, bytes that belong to exactly one recv
    unread: int = 0  # of them, bytes that nobody read before the reader closed its socket
    messages: int = 0
    in_order: int = 0  # messages with send start ≤ packet ≤ recv return
    sent_elsewhere: int = 0  # bytes that a process sent which was not traced
    received_elsewhere: int = 0  # and that one received

    @property
    def whole(self) -> bool:
        """Every byte has its one send, and its one recv if it was read at all; no time contradicts.

        Of what was not traced (a browser, a message queue, a proxy) neither is
        asked; where nothing was traced at all, nothing is whole.
        """
        sent = self.sent_once + self.sent_elsewhere
        received = self.received_once + self.unread + self.received_elsewhere
        asked = 2 * self.data_bytes > self.sent_elsewhere + self.received_elsewhere or not self.data_bytes
        return asked and sent == self.data_bytes == received and self.in_order == self.messages

    def __str__(self) -> str:
        """What is whole, what is not, and what was not traced, in one sentence each."""
        sent, received = self.data_bytes - self.sent_elsewhere, self.data_bytes - self.received_elsewhere
        told = [
            f"{self.data_bytes:,} bytes in {self.messages:,} messages",
            f"{self.sent_once:,} of {sent:,} bytes that traced processes sent have their one send",
            f"{self.received_once:,} of {received:,} that came to them have their one recv",
        ]
        if self.unread:
            told.append(f"{self.unread:,} were left unread when their reader closed")
        told.append(f"{self.in_order:,} messages agree with every clock")
        if self.sent_elsewhere or self.received_elsewhere:
            told.append(f"not traced: who sent {self.sent_elsewhere:,}, who got {self.received_elsewhere:,}")
        return "; ".join(told)


def check(
    turns: Turns, messages: Iterable[Message], is_elsewhere: Callable[[int], bool] = lambda _: False
) -> JoinReport:
    """Hold the wire against the calls: every byte, then every time.

    ``is_elsewhere`` tells of a port whether what is there was not traced.
    """
    report = JoinReport()
    for message in messages:
        size = message.end - message.start
        from_elsewhere, to_elsewhere = map(
            is_elsewhere, (message.flow.source.port, message.flow.destination.port)
        )
        sends = turns.senders(message.flow, message.start, message.end)
        recvs = turns.readers(message.flow, message.start, message.end)
        until = turns.unread_from(message.flow)
        unread = 0 if until is None else max(0, message.end - max(message.start, until))
        arrived = (
            to_elsewhere
            or unread > 0
            or (bool(recvs) and message.last_ns <= max(recv.end_ns for recv in recvs))
        )
        left = from_elsewhere or (bool(sends) and min(send.start_ns for send in sends) <= message.first_ns)
        report = replace(
            report,
            data_bytes=report.data_bytes + size,
            sent_once=report.sent_once + _covered_once(sends, message.start, message.end),
            received_once=report.received_once + _covered_once(recvs, message.start, message.end),
            unread=report.unread + unread,
            messages=report.messages + 1,
            in_order=report.in_order + (left and arrived),
            sent_elsewhere=report.sent_elsewhere + size * from_elsewhere,
            received_elsewhere=report.received_elsewhere + size * to_elsewhere,
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
