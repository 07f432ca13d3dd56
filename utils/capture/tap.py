"""Segments made from what the sockets were handed: a capture that needs no rights.

The rule kept here: every payload byte, its connection, its place in the stream
and its time are the program's own; the TCP headers around them are made up,
and each segment says so (``synthetic``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from utils.records import Flag, Flow, Segment, Trace, Transfer, TransferKind

#: The most that one made-up segment carries: what a loopback's MTU leaves for TCP over IPv4.
LARGEST = 65_483


class Tap:
    """Makes segments of transfers as they come."""

    def __init__(self) -> None:
        self._starts: dict[Flow, int] = {}
        self._numbers = count(1)

    def segments(self, transfers: Iterable[Transfer]) -> Iterator[Segment]:
        """The segments of ``transfers``; those of a flow come in the order of its bytes.

        A flow of which the beginning was not heard begins with the first byte that was.
        """
        for transfer in transfers:
            flow = transfer.flow
            if not transfer.offset or flow not in self._starts:
                # Any start will do, if it is plainly made up and differs between connections.
                self._starts[flow] = next(self._numbers) * 1_000_000
            if not transfer.offset:
                yield Segment(transfer.start_ns - 1, flow, self._starts[flow], 0, Flag.SYN, b"", True)
            yield from _data([transfer], self._starts[flow] + 1)


def segments_from(traces: Sequence[Trace]) -> tuple[Segment, ...]:
    """The segments of every connection that a traced process took part in, by time.

    Each stream's bytes come from its sender, if that was traced, and else from
    its receiver.  Stamps lie within the transfer that they are made from.
    """
    sent = _by_flow(traces, TransferKind.SEND)
    received = _by_flow(traces, TransferKind.RECV)
    chosen = {flow: sent.get(flow) or received[flow] for flow in {**received, **sent}}
    numbers = dict(zip(sorted({_connection(flow) for flow in chosen}), count(1), strict=False))
    made: list[Segment] = []
    for flow, transfers in chosen.items():
        # Any start will do, if it is plainly made up and differs between connections.
        start = numbers[_connection(flow)] * 1_000_000
        made.append(Segment(transfers[0].start_ns - 1, flow, start, 0, Flag.SYN, b"", True))
        made.extend(_data(transfers, start + 1))
    made.sort(key=lambda segment: segment.time_ns)
    return tuple(made)


def _data(transfers: Iterable[Transfer], first: int) -> Iterator[Segment]:
    for transfer in transfers:
        assert transfer.data is not None
        # The bytes are on the wire at some time after a send starts, and before
        # the recv returns; these two stamps can contradict nobody's.
        time_ns = transfer.start_ns if transfer.kind is TransferKind.SEND else transfer.end_ns
        for at in range(0, len(transfer.data), LARGEST):
            sequence = (first + transfer.offset + at) % (1 << 32)
            part = transfer.data[at : at + LARGEST]
            yield Segment(time_ns, transfer.flow, sequence, 0, Flag.PSH, part, True)


def _by_flow(traces: Iterable[Trace], kind: TransferKind) -> dict[Flow, list[Transfer]]:
    found: dict[Flow, list[Transfer]] = {}
    for trace in traces:
        for transfer in trace.transfers:
            if transfer.kind is kind and transfer.data:
                found.setdefault(transfer.flow, []).append(transfer)
    for transfers in found.values():
        transfers.sort(key=lambda transfer: transfer.offset)
    return found


def _connection(flow: Flow) -> Flow:
    return min(flow, flow.reverse)
