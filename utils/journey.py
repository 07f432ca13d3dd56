"""One message's journey: from the line that asked for it to the last that felt it.

The rule kept here: calls and packets are joined by stream offset and by the
object handed on, never by nearness in time; and the steps come in the order of
cause, so that they are the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from utils import libraries
from utils.errors import InputError
from utils.records import Call, HandOff, Journey, Level, Message, Recording, Step, Transfer
from utils.steps import StepMaker
from utils.turns import Turn, Turns, starts_thread

#: The modules by which one thread hands work to another.
_HANDING = ("queue.py", "threading.py")


def journey(
    recording: Recording,
    messages: Sequence[Message],
    of: Message,
    *,
    name: str = "",
    clients: Mapping[int, str] | None = None,
) -> Journey:
    """The journey that ``of`` belongs to, from its first cause to its last effect.

    ``messages`` are all messages of the recording (see
    :func:`utils.reassembly.messages`); ``clients`` maps a client's port to the
    name that it goes by.  Raises InputError if no traced process sent ``of``.
    """
    turns = Turns(recording.traces)
    origin = _origin(turns, of)
    maker = StepMaker(recording, turns, messages, clients or {}, origin.begin_ns)
    steps = tuple(_Teller(turns, maker).tell(origin))
    return Journey(
        name=name or of.unit.summary,
        start_ns=origin.begin_ns,
        steps=steps,
        mode=recording.meta.mode,
    )


# ── where it began ───────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a turn that belongs to the journey."""

    turn: Turn
    begin_ns: int
    end_ns: int


def _origin(turns: Turns, message: Message) -> _Part:
    """Climb from the bytes of ``message`` to the outermost call that led to them."""
    sends = turns.senders(message.flow, message.end - 1, message.end)
    if not sends:
        raise InputError(
            f"no traced process sent {message.unit.summary!r}",
            why="its bytes belong to no recorded send: that process was not traced, or not yet",
            next_step="choose a message that a traced process sent",
        )
    effect: Transfer | HandOff = sends[0]
    while True:
        process, thread = turns.thread_of(effect)
        at = effect.given_ns if isinstance(effect, HandOff) else effect.start_ns
        turn = turns.at(process, thread, at)
        root = _outermost(turns, turn, effect)
        # A call that nothing recorded encloses was asked for by the user's own
        # code: the journey begins with it, whatever woke the thread before.
        fresh = root is not None and root.parent is None and not starts_thread(turn.cause)
        if root is not None and (fresh or turn.cause is None):
            return _Part(turn, root.enter_ns, turn.end_ns if root.leave_ns is None else root.leave_ns + 1)
        if turn.cause is None:
            return _Part(turn, at, at + 1)
        if isinstance(turn.cause, HandOff):
            effect = turn.cause
            continue
        # Woken by bytes: climb on into the process that sent them, if traced.
        senders = turns.senders(turn.cause.flow, turn.cause.offset, turn.cause.end)
        if not senders:
            return _Part(turn, turn.begin_ns, turn.end_ns)
        effect = senders[0]


def _outermost(turns: Turns, turn: Turn, effect: Transfer | HandOff) -> Call | None:
    """The outermost call around ``effect`` that was entered within ``turn``."""
    number = effect.given if isinstance(effect, HandOff) else effect.call
    call = turns.call(effect.process, number)
    outermost = None
    while call is not None and call.enter_ns >= turn.begin_ns:
        outermost = call
        call = turns.call(call.process, call.parent)
    return outermost


# ── telling it ───────────────────────────────────────────────────────────────


@dataclass
class _Teller:
    """Walks the turns in the order of cause and makes the steps."""

    turns: Turns
    maker: StepMaker
    told: set[int] = field(default_factory=set)  # ids of causes whose turn is told

    def tell(self, origin: _Part) -> Iterator[Step]:
        # Depth first, by a stack of our own: a long journey must not meet
        # Python's limit on recursion.
        stack: list[tuple[_Part, Message | None]] = [(origin, None)]
        while stack:
            part, incoming = stack.pop()
            self.maker.turn += 1
            yield from self._turn(part, incoming)
            children: list[tuple[_Part, Message | None]] = []
            for effect in self._effects(part):
                carried = self.maker.message(effect) if isinstance(effect, Transfer) else incoming
                for woken in self._woken(effect):
                    if id(woken.turn.cause) not in self.told:
                        self.told.add(id(woken.turn.cause))
                        children.append((woken, carried))
            stack.extend(reversed(children))

    def _woken(self, effect: Transfer | HandOff) -> Iterator[_Part]:
        """The turns that ``effect`` caused and in which the journey goes on.

        A thread that was woken only to return to the user's own code, which
        had waited for it, is the journey's end, not a part of it; whether it
        had to wait at all is chance.
        """
        for turn in self.turns.woken_by(effect):
            part = _Part(turn, turn.begin_ns, turn.end_ns)
            if isinstance(effect, Transfer) or self._calls(part):
                yield part

    def _belongs(self, part: _Part, call: Call) -> bool:
        """Whether ``call`` continues the journey, or was begun anew by the user's own code."""
        if part.begin_ns != part.turn.begin_ns or starts_thread(part.turn.cause):
            return True
        outermost = call
        for around in self.turns.ancestors(call):
            outermost = around
        return outermost.enter_ns < part.begin_ns

    def _calls(self, part: _Part) -> list[Call]:
        calls = self.turns.calls(part.turn, part.begin_ns, part.end_ns)
        return [call for call in calls if self._belongs(part, call)]

    def _effects(self, part: _Part) -> list[Transfer | HandOff]:
        found = []
        for effect in self.turns.effects(part.turn, part.begin_ns, part.end_ns):
            number = effect.given if isinstance(effect, HandOff) else effect.call
            call = self.turns.call(effect.process, number)
            if call is None or self._belongs(part, call):
                found.append(effect)
        return found

    def _turn(self, part: _Part, incoming: Message | None) -> Iterator[Step]:
        """The steps of one turn: what woke it, its calls and sends by time."""
        calls = self._calls(part)
        effects = self._effects(part)
        sends = [effect for effect in effects if isinstance(effect, Transfer)]
        cause = part.turn.cause if part.begin_ns == part.turn.begin_ns else None
        if isinstance(cause, Transfer):
            incoming = self.maker.message(cause) or incoming
            yield self.maker.transfer(cause)
        elif isinstance(cause, HandOff):
            yield self.maker.handoff(cause, incoming)
        outgoing = self.maker.message(sends[-1]) if sends else None
        in_play = incoming or outgoing
        shown = {call.id for call in calls}
        children: dict[int, Call] = {}
        for call in calls:
            if call.parent in shown and call.parent is not None:
                children.setdefault(call.parent, call)
        base = min((call.depth for call in calls), default=0)
        entries: list[tuple[int, Call | Transfer]] = [(call.enter_ns, call) for call in calls]
        entries += [(send.start_ns, send) for send in sends]
        for _, entry in sorted(entries, key=lambda pair: pair[0]):
            if isinstance(entry, Call):
                level = self._level(part, entry)
                step = self.maker.call(entry, level, entry.depth - base, children.get(entry.id), in_play)
                yield replace(step, onward=self._leads_on(entry))
                continue
            in_play = self.maker.message(entry) or in_play
            yield self.maker.transfer(entry)
            yield from self.maker.wire(entry)

    def _leads_on(self, call: Call) -> bool:
        """Whether ``call`` hands work on to a thread in which the journey goes on."""
        return any(any(self._woken(given)) for given in self.turns.given_by(call))

    def _level(self, part: _Part, call: Call) -> Level:
        """How deep one must look to see ``call``."""
        # The tracer takes snapshots of the functions that do the work.
        # Whether a thread came to wait once more before its next turn is chance.
        if call.arguments is None or self.turns.waits(call):
            return Level.ALL
        parent = self.turns.call(call.process, call.parent)
        library = self.maker.library(call.code)
        crosses = parent is None or self.maker.library(parent.code) != library
        where = libraries.place(call.code.filename)
        if where is None or where.library != libraries.python_library():
            return Level.LIBRARY if crosses else Level.ESSENTIAL
        # Everybody calls Python's own library; it is told where it moves the work on.
        if where.path in _HANDING:
            return Level.LIBRARY if self._leads_on(call) else Level.ALL
        effects = self.turns.effects(part.turn, call.enter_ns, call.leave_ns)
        return Level.LIBRARY if crosses and effects else Level.ESSENTIAL
