"""Small recorded worlds, built by hand, for tests that need a known truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from utils.records import (
    Call,
    Code,
    Endpoint,
    Flow,
    HandOff,
    HandOffKind,
    Meta,
    Recording,
    Site,
    Trace,
    Transfer,
    TransferKind,
)

SERVER = Endpoint("127.0.0.1", 5000)


def flow(port: int) -> Flow:
    """From the client at ``port`` to the server."""
    return Flow(Endpoint("127.0.0.1", port), SERVER)


@dataclass
class Process:
    """A process under construction: time is given in plain small numbers."""

    name: str
    calls: list[Call] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    handoffs: list[HandOff] = field(default_factory=list)
    threads: dict[int, str] = field(default_factory=dict)

    def call(
        self, thread: int, name: str, enter: int, leave: int | None, parent: int | None = None, **facts
    ) -> int:
        self.threads.setdefault(thread, f"Thread-{thread} (work)")
        number = len(self.calls)
        depth = 0 if parent is None else self.calls[parent].depth + 1
        known = (call.code for call in self.calls if call.code.name == name)
        code = next(known, Code("/nowhere/app.py", name, 10 * number + 1))
        self.calls.append(
            Call(number, self.name, thread, code, parent, depth, enter, leave, arguments={}, **facts)
        )
        return number

    def moves(
        self,
        kind: TransferKind,
        thread: int,
        way: Flow,
        offset: int,
        length: int,
        start: int,
        end: int,
        call=None,
    ) -> Transfer:
        site = Site(self.calls[call].code, 3) if call is not None else None
        transfer = Transfer(self.name, thread, kind, way, offset, length, start, end, call, site)
        self.transfers.append(transfer)
        return transfer

    def send(self, *place, **facts) -> Transfer:
        return self.moves(TransferKind.SEND, *place, **facts)

    def recv(self, *place, **facts) -> Transfer:
        return self.moves(TransferKind.RECV, *place, **facts)

    def hands(self, kind: HandOffKind, given: int, taken: int, at: int, until: int) -> HandOff:
        handoff = HandOff(self.name, kind, given, taken, at, until)
        self.handoffs.append(handoff)
        return handoff

    @property
    def trace(self) -> Trace:
        return Trace(
            self.name,
            1,
            "3",
            dict(self.threads),
            tuple(sorted(self.calls, key=lambda call: call.enter_ns)),
            tuple(sorted(self.transfers, key=lambda transfer: transfer.start_ns)),
            tuple(sorted(self.handoffs, key=lambda handoff: handoff.taken_ns)),
        )


def recording(*processes: Process, **facts) -> Recording:
    meta = Meta("world", "live", "", "2000-01-01T00:00:00Z", "3", "test", {}, SERVER.port, **facts)
    return Recording(meta, (), tuple(process.trace for process in processes))
