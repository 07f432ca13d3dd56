"""A copy of all that passes this process's sockets, for whoever listens just now.

The rule kept here: it is bounded, and what found no room is counted; to add to
it is an append, and nothing of it can wait for anybody.
"""

from __future__ import annotations

import os
import platform
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from utils.records import Flow, Trace, Transfer, TransferKind

#: Bytes that may wait to be taken.
ROOM = 1 << 26


class Heard(NamedTuple):
    """Bytes that one call on a socket moved."""

    flow: Flow
    sent: bool  # by this process; else received
    offset: int
    time_ns: int  # before they were sent, or after they were received
    data: bytes


class Overhearing:
    """What was heard and not yet taken."""

    def __init__(self) -> None:
        self._heard: deque[Heard] = deque()
        self._added = 0  # bytes, by whoever moves them
        self._taken = 0  # bytes, by whoever listens
        self._dropped = 0

    def hear(self, heard: Heard) -> None:
        """Keep a copy, if there is room."""
        if self._added - self._taken + len(heard.data) > ROOM:
            self._dropped += 1
            return
        self._added += len(heard.data)
        self._heard.append(heard)

    def take(self) -> tuple[list[Heard], int]:
        """What was heard since the last time, and how often there was no room for it."""
        found = [self._heard.popleft() for _ in range(len(self._heard))]
        self._taken += sum(len(heard.data) for heard in found)
        dropped, self._dropped = self._dropped, 0
        return found, dropped


def overheard(process: str, heard: Iterable[Heard]) -> Trace:
    """The transfers alone, as a trace: it says neither by which call nor in which thread."""
    transfers = (
        Transfer(
            process=process,
            thread=0,
            kind=TransferKind.SEND if one.sent else TransferKind.RECV,
            flow=one.flow,
            offset=one.offset,
            length=len(one.data),
            start_ns=one.time_ns,
            end_ns=one.time_ns,
            data=one.data,
        )
        for one in heard
    )
    return Trace(process, os.getpid(), platform.python_version(), {}, (), tuple(transfers), ())
