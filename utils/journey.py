"""One message's journey: from the line that asked for it to the last that felt it.

The rule kept here: calls and packets are joined by stream offset and by the
object handed on, never by nearness in time; and the steps come in the order of
cause, so that they are the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from utils import libraries
from utils.placement import Placement
from utils.records import Call, HandOff, Journey, Level, Message, Recording, Step, Transfer
from utils.steps import StepMaker
from utils.turns import Turns
from utils.walk import Part, Walk

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
    :func:`utils.dissection.messages`); ``clients`` maps a client's port to the
    name that it goes by.  Raises InputError if no traced process sent ``of``.
    """
    turns = Turns(recording.traces)
    walk = Walk(turns, of)
    start_ns = walk.origin.begin_ns
    maker = StepMaker(recording, turns, Placement(messages), clients or {}, start_ns)
    steps = tuple(_Teller(turns, walk, maker).tell())
    return Journey(
        name=name or of.unit.summary,
        start_ns=start_ns,
        steps=steps,
        mode=recording.meta.mode,
    )


@dataclass
class _Teller:
    """Makes the steps of a walk."""

    turns: Turns
    walk: Walk
    maker: StepMaker

    def tell(self) -> Iterator[Step]:
        for part in self.walk:
            self.maker.turn += 1
            yield from self._part(part)

    def _part(self, part: Part) -> Iterator[Step]:
        """The steps of one turn: what woke it, its calls and sends by time."""
        calls = self.walk.calls(part)
        sends = [effect for effect in self.walk.effects(part) if isinstance(effect, Transfer)]
        cause = part.turn.cause if part.begin_ns == part.turn.begin_ns else None
        incoming = self.maker.message(part.incoming)
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
                yield replace(step, onward=self.walk.goes_on_from(entry))
                continue
            in_play = self.maker.message(entry) or in_play
            yield self.maker.transfer(entry)
            yield from self.maker.wire(entry)

    def _level(self, part: Part, call: Call) -> Level:
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
            return Level.LIBRARY if self.walk.goes_on_from(call) else Level.ALL
        effects = self.turns.effects(part.turn, call.enter_ns, call.leave_ns)
        return Level.LIBRARY if crosses and effects else Level.ESSENTIAL
