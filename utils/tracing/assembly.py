"""From flat facts to calls, transfers and hand-offs.

The rule kept here: nothing is invented.  Records of one thread are read in
their order; a call ends with its own record, a generator's many entries from one
call are folded into one, and what was open when a recording ended stays open
(``leave_ns`` is None).  A call whose beginning was dropped at the buffer's
bound begins, for us, with what is kept.
"""

from __future__ import annotations

import os
import platform
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from utils.records import Call, Code, Site, Trace, Transfer
from utils.tracing import handoffs
from utils.tracing.buffer import Facts, Kind, ThreadFacts
from utils.tracing.handoffs import End
from utils.tracing.hooks import Entered, Left, Plan, argument_names, make_plan, read_enter, read_leave
from utils.tracing.scope import Scope
from utils.tracing.snapshots import render, render_arguments
from utils.tracing.transfers import Moved, read_moved

Refine = Callable[[CodeType, Kind, int], Kind | None]

#: What is known of an exception whose type the engine could not see.
UNKNOWN_EXCEPTION = "BaseException"


@dataclass(slots=True, eq=False)
class _Open:
    """A call in the making."""

    thread: int
    code: int  # its id, as in Facts.codes
    enter_ns: int
    parent: _Open | None
    site: tuple[int, int]  # the calling code's id, and the offset in it
    entered: Entered
    order: int = 0  # among calls that began at the same time
    leave_ns: int | None = None
    left: int | None = None  # offset
    result: Left | None = None
    exception: str | None = None
    id: int = -1
    depth: int = 0


@dataclass(slots=True)
class _Thread:
    """One thread's calls while its records are read."""

    stack: list[_Open] = field(default_factory=list)
    waiting: dict[int, _Open] = field(default_factory=dict)  # frame's id → its generator's call
    roots: list[_Open] = field(default_factory=list)  # since the session began


class _Reader:
    """Reads the rows, thread by thread."""

    def __init__(self, facts: Facts, scope: Scope, refine: Refine) -> None:
        self.facts = facts
        self.scope = scope
        self.refine = refine
        self.calls: list[_Open] = []
        self.moved: list[tuple[int, _Open | None, tuple[int, int], Moved]] = []
        self.threads: dict[int, ThreadFacts] = {}  # number → facts, of all threads met
        self.began_ns = 0
        self._bearers = facts.bearers.copy()
        self._stacks: dict[int, _Thread] = defaultdict(_Thread)  # by the thread's number
        self._refined: dict[tuple[int, int, int], Kind | None] = {}
        self._plans: dict[int, Plan | None] = {}

    def read(self) -> None:
        for batch in self.facts.batches:
            for row in batch.rows():
                self._take(*row)

    def _take(
        self, ident: int, time_ns: int, number: int, code: int, caller: int, at: int, extra: Any
    ) -> None:
        kind = Kind(number)
        self.began_ns = self.began_ns or time_ns
        if kind is Kind.SESSION:
            self._stacks.clear()
            self.began_ns = time_ns
            return
        if kind in (Kind.THREAD, Kind.SWITCH):
            self._bearers.take(kind, ident, extra)
            return
        facts = self._bearers.now.get(ident)
        if facts is None:  # a thread that the threading module does not know
            unknown = (-len(self._bearers.now) - 1, f"thread {ident}", 0)
            self._bearers.take(Kind.THREAD, ident, unknown)
            facts = self._bearers.now[ident]
        self.threads[facts.number] = facts
        thread = self._stacks[facts.number]
        if kind is Kind.TRANSFER:
            inside = thread.stack[-1] if thread.stack else None
            self.moved.append((facts.number, inside, (caller, at), read_moved(extra)))
            return
        if kind in (Kind.ENTER, Kind.RUNNING, Kind.RESUME):
            entered = self._entered(code, kind, extra)
            generator = kind is Kind.ENTER and entered.frame
            refined = self._refine(code, kind, entered.at) if generator else kind
            fresh = _Open(facts.number, code, time_ns, None, (caller, at), entered)
            if refined is Kind.RESUME:
                self._resume(thread, entered.frame, fresh)
            elif refined is not None:
                self._enter(thread, fresh)
            return
        refined = self._refine(code, kind, at) if kind is Kind.LEAVE else kind
        if refined is None:
            return
        call = self._leave(thread, facts.number, code)
        call.leave_ns, call.left = time_ns, at
        if refined is Kind.YIELD:
            thread.waiting[extra if kind is Kind.YIELD else self._left(code, extra).frame] = call
        elif refined is Kind.UNWIND:
            call.exception = extra if kind is Kind.UNWIND else UNKNOWN_EXCEPTION
        else:
            call.result = self._left(code, extra)

    def _entered(self, code: int, kind: Kind, extra: Any) -> Entered:
        """What is known of a call's beginning, however little was noted."""
        if kind is Kind.RUNNING and extra is not None:
            return Entered(*extra)
        if kind is Kind.RESUME:
            return self._unseen(code)._replace(frame=extra)
        plan = self._plan(code)
        return self._unseen(code) if plan is None or extra is None else read_enter(plan, extra)

    def _left(self, code: int, extra: Any) -> Left:
        """What is known of a call's end."""
        plan = self._plan(code)
        return Left(None) if plan is None or extra is None else read_leave(plan, extra)

    def _plan(self, number: int) -> Plan | None:
        """How the calls of a code were noted."""
        if number not in self._plans:
            code = self.facts.codes.get(number)
            self._plans[number] = None if code is None else make_plan(self.scope, code)
        return self._plans[number]

    def _refine(self, code: int, kind: Kind, offset: int) -> Kind | None:
        key = (code, kind, offset)
        if key not in self._refined:
            found = self.facts.codes.get(code)
            self._refined[key] = kind if found is None else self.refine(found, kind, offset)
        return self._refined[key]

    def _enter(self, thread: _Thread, call: _Open) -> None:
        if thread.stack:
            call.parent = thread.stack[-1]
        else:
            thread.roots.append(call)
        thread.stack.append(call)
        call.order = len(self.calls)
        self.calls.append(call)

    def _resume(self, thread: _Thread, frame: int, fresh: _Open) -> None:
        """A generator goes on: the same call, as long as the same call asks it.

        A generator that lives long (a parser that is fed) is another call for
        each call that feeds it; otherwise it would outlast what is around it.
        """
        call = thread.waiting.pop(frame, None) or self._waiting_elsewhere(frame)
        if call is not None and call.code == fresh.code:
            fresh.entered = call.entered
            if call.parent is (thread.stack[-1] if thread.stack else None):
                call.leave_ns = call.left = None
                thread.stack.append(call)
                return
        self._enter(thread, fresh)

    def _waiting_elsewhere(self, frame: int) -> _Open | None:
        for thread in self._stacks.values():
            if frame in thread.waiting:
                return thread.waiting.pop(frame)
        return None

    def _leave(self, thread: _Thread, number: int, code: int) -> _Open:
        """The open call that ends now."""
        for depth in range(len(thread.stack) - 1, -1, -1):
            if thread.stack[depth].code == code:
                call = thread.stack[depth]
                del thread.stack[depth:]
                return call
        # Its beginning is not in the records: all that ran here since was inside it.
        call = _Open(number, code, self.began_ns, None, (0, 0), self._unseen(code))
        for root in thread.roots:
            root.parent = call
            call.enter_ns = min(call.enter_ns, root.enter_ns)
        call.order = -len(self.calls)  # before all that it holds
        thread.roots[:] = [call]
        thread.stack.clear()
        self.calls.append(call)
        return call

    def _unseen(self, number: int) -> Entered:
        """What stands for the beginning of a call that was not seen: no argument is known."""
        plan = self._plan(number)
        return Entered(() if plan is not None and plan.freeze is not None else None)


class _Builder:
    """Makes the frozen records, each code and each line looked up once."""

    def __init__(self, process: str, facts: Facts) -> None:
        self.process = process
        self.facts = facts
        self._codes: dict[int, Code] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self._lines: dict[int, tuple[list[int], list[int]]] = {}
        self._sites: dict[tuple[int, int], Site | None] = {}

    def code(self, number: int) -> Code:
        known = self._codes.get(number)
        if known is None:
            code = self.facts.codes.get(number)
            if code is None:
                known = Code("<unknown>", "<unknown>", 0)
            else:
                filename = code.co_filename
                if not filename.startswith("<"):
                    filename = str(Path(filename).absolute())
                known = Code(filename, code.co_qualname, code.co_firstlineno)
            self._codes[number] = known
        return known

    def line(self, number: int, offset: int) -> int:
        """The line that the instruction at ``offset`` belongs to."""
        if number not in self._lines:
            code = self.facts.codes.get(number)
            table = () if code is None else code.co_lines()
            lines = [(at, line) for at, _, line in table if line is not None]
            self._lines[number] = ([at for at, _ in lines], [line for _, line in lines])
        starts, numbers = self._lines[number]
        index = bisect_right(starts, offset) - 1
        return numbers[max(0, index)] if numbers else self.code(number).first_line

    def site(self, number: int, offset: int) -> Site | None:
        if self.facts.codes.get(number) is None:
            return None
        if (number, offset) not in self._sites:
            self._sites[number, offset] = Site(self.code(number), self.line(number, offset))
        return self._sites[number, offset]

    def names(self, number: int) -> tuple[str, ...]:
        if number not in self._names:
            code = self.facts.codes.get(number)
            self._names[number] = () if code is None else argument_names(code)
        return self._names[number]

    def call(self, opened: _Open) -> Call:
        arguments = None
        if opened.entered.arguments is not None:
            arguments = render_arguments(self.names(opened.code), opened.entered.arguments)
        result = None
        if opened.result is not None and arguments is not None and opened.exception is None:
            result = render(opened.result.result)
        return Call(
            id=opened.id,
            process=self.process,
            thread=opened.thread,
            code=self.code(opened.code),
            parent=None if opened.parent is None else opened.parent.id,
            depth=opened.depth,
            enter_ns=opened.enter_ns,
            leave_ns=opened.leave_ns,
            site=self.site(*opened.site),
            left=None if opened.left is None else self.line(opened.code, opened.left),
            arguments=arguments,
            result=result,
            exception=opened.exception,
        )

    def transfer(self, thread: int, inside: _Open | None, site: tuple[int, int], moved: Moved) -> Transfer:
        return Transfer(
            process=self.process,
            thread=thread,
            kind=moved.kind,
            flow=moved.flow,
            offset=moved.offset,
            length=moved.length,
            start_ns=moved.start_ns,
            end_ns=moved.end_ns,
            call=None if inside is None else inside.id,
            site=self.site(*site),
            data=moved.data,
            exception=moved.exception,
        )


def assemble(process: str, facts: Facts, scope: Scope, refine: Refine) -> Trace:
    """The trace that ``facts`` tell."""
    reader = _Reader(facts, scope, refine)
    reader.read()
    # A thread's records stand in order; those of several may be interleaved a
    # little otherwise than their times.  Sorting keeps equal times in order.
    opened = sorted(reader.calls, key=lambda call: (call.enter_ns, call.order))
    for number, call in enumerate(opened):
        call.id = number
    for call in opened:
        call.depth = _depth(call)
    builder = _Builder(process, facts)
    calls = tuple([builder.call(call) for call in opened])
    transfers = [builder.transfer(*found) for found in reader.moved]
    return Trace(
        process=process,
        pid=os.getpid(),
        python=platform.python_version(),
        threads={number: thread.name for number, thread in sorted(reader.threads.items())},
        calls=calls,
        transfers=tuple(sorted(transfers, key=lambda transfer: transfer.start_ns)),
        handoffs=handoffs.join(
            scope,
            _ends(scope, facts, opened, calls),
            calls,
            {number: thread.identity for number, thread in reader.threads.items()},
        ),
        lost=facts.lost,
        faults=facts.faults,
    )


def _depth(call: _Open) -> int:
    """How many calls stand around ``call``; its parent's own depth is known already, or 0."""
    return 0 if call.parent is None else call.parent.depth + 1


def _ends(scope: Scope, facts: Facts, opened: list[_Open], calls: tuple[Call, ...]) -> Iterator[End]:
    """The calls that may be one side of a hand-off."""
    roles: dict[int, handoffs.Role | None] = {}
    for inner, call in zip(opened, calls, strict=True):
        if inner.entered.identities is None:
            continue
        if inner.code not in roles:
            code = facts.codes.get(inner.code)
            roles[inner.code] = None if code is None else handoffs.role_of(scope, code)
        role = roles[inner.code]
        if role is None:
            continue
        medium, item = inner.entered.identities
        if role.gives or role.uses or role.at_enter:
            yield End(call, role, medium, item)
        elif inner.result is not None and inner.result.takes:
            yield End(call, role, medium, inner.result.identity if role.returns else 0)
