"""One journey: from the line that asked for something to the last that felt it.

The rule kept here: calls and packets are joined by stream offset and by the
object handed on, never by nearness in time; and the steps come in the order of
cause, so that they are the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from utils.errors import InputError
from utils.journeys import origins
from utils.journeys.belonging import Belonging
from utils.journeys.levels import Levels
from utils.journeys.origins import Part, Ways
from utils.journeys.placement import Placement
from utils.journeys.relays import Relays
from utils.journeys.shares import Shares
from utils.journeys.steps import StepMaker
from utils.journeys.turns import Turn, Turns
from utils.journeys.walk import Walk
from utils.records import Call, HandOff, Journey, Message, Recording, Step, Transfer, TransferKind

#: What a journey can be about: a call, something asked of a socket, a message, or several
#: messages that are one thing.
Cause = Call | Transfer | Message | Sequence[Message]


def journey(
    recording: Recording,
    messages: Sequence[Message],
    of: Cause,
    *,
    name: str = "",
    clients: Mapping[int, str] | None = None,
) -> Journey:
    """The journey that ``of`` belongs to, from its first cause to its last effect.

    ``messages`` are all messages of the recording (see
    :func:`utils.streams.dissection.messages`); ``clients`` maps a client's port to the
    name that it goes by.  Raises InputError if no traced process sent or received ``of``.
    """
    return Journeys(recording, messages, clients or {}).of(of, name)


class Journeys:
    """All journeys of one recording: what they have in common is worked out once."""

    def __init__(self, recording: Recording, messages: Sequence[Message], clients: Mapping[int, str]) -> None:
        self.relays = Relays(messages) if _has_queue(recording) else Relays(())
        self.turns = Turns(recording.traces, self.relays)
        self._recording = recording
        self._messages = messages
        self._clients = clients
        self._placement = Placement(messages)

    @cached_property
    def _ways(self) -> Ways:
        return Ways(self._placement, Belonging(self._messages), Shares(self.turns, self._placement))

    @cached_property
    def _maker(self) -> StepMaker:
        return StepMaker(self._recording, self.turns, self._placement, self._clients)

    def of(self, cause: Cause, name: str = "") -> Journey:
        """The journey that ``cause`` belongs to.  Raises InputError if no traced process had part in it."""
        walk = self.walk(cause)
        start_ns = walk.origin.part.begin_ns
        self._maker.begin(start_ns)
        teller = _Teller(self.turns, walk, self._maker)
        return Journey(
            name=name or _title(cause),
            start_ns=start_ns,
            steps=tuple(teller.tell()),
            mode=self._recording.meta.mode,
            wakers=teller.wakers,
        )

    def carried(self, cause: Cause) -> list[Message]:
        """The messages on the wire that the journey consists of, in the order of cause.

        They are had without the journey's steps, which take a while: their
        sources are looked up.
        """
        walk = self.walk(cause)
        sends = (effect for part in walk for effect in walk.effects(part) if isinstance(effect, Transfer))
        found = (message for send in sends for message in self._completed(send))
        return list({(message.flow, message.start): message for message in found}.values())

    def brought(self, turn: Turn, time_ns: int) -> Sequence[Message]:
        """The messages whose coming led to what ``turn`` did at ``time_ns``, with all that belongs to them.

        That is what woke it; of several messages that one read brought, the one
        that was worked on then.  None, if it was not woken by bytes.
        """
        if not isinstance(turn.cause, Transfer):
            return ()
        share = self._ways.shares.at(turn, time_ns)
        return self._ways.moved(turn.cause if share is None else share.read)

    def _completed(self, send: Transfer) -> Iterator[Message]:
        """The messages whose last byte ``send`` wrote, and what a message queue made of them."""
        yield from self._placement.completed(send)
        yield from self.relays.onward(send.flow, send.offset, send.end)

    def walk(self, cause: Cause) -> Walk:
        """The way of the journey.  Raises InputError if no traced process had part in it."""
        if isinstance(cause, Transfer):
            call = self.turns.call(cause.process, cause.call)
            if call is None:
                raise InputError(
                    f"nobody asked for the {cause.kind.value}",
                    why="no recorded call was around it",
                    next_step="choose a call or a message",
                )
            cause = call
        if isinstance(cause, Call):
            origin = origins.of_call(self.turns, cause)
        else:
            followed = self._ways.belonging.of(cause) if isinstance(cause, Message) else cause
            origin = origins.of_messages(self.turns, followed, self._ways)
        return Walk(self.turns, self._ways.shares, origin)


def _has_queue(recording: Recording) -> bool:
    return any(service.protocol == "redis" for service in recording.meta.listening.values())


def _title(cause: Cause) -> str:
    if isinstance(cause, Call):
        return cause.code.name
    if isinstance(cause, Transfer):
        return cause.kind.value
    return (cause if isinstance(cause, Message) else cause[0]).unit.summary


@dataclass
class _Teller:
    """Makes the steps of a walk."""

    turns: Turns
    walk: Walk
    maker: StepMaker
    wakers: dict[int, int] = field(default_factory=dict)

    def tell(self) -> Iterator[Step]:
        levels = Levels(self.turns, self.walk)
        for part, waker in self.walk.ways():
            self.maker.turn += 1
            if waker is not None:
                self.wakers[self.maker.turn] = waker
            yield from self._part(part, levels)

    def _part(self, part: Part, levels: Levels) -> Iterator[Step]:
        """The steps of one turn: what woke it, its calls and transfers by time."""
        calls = self.walk.calls(part)
        moves = [effect for effect in self.walk.effects(part) if isinstance(effect, Transfer)]
        incoming = self.maker.message(part.incoming)
        outgoing = next((message for move in reversed(moves) if (message := self.maker.message(move))), None)
        if isinstance(part.cause, Transfer):
            incoming = self.maker.message(part.cause) or incoming
            if part.cause.kind is TransferKind.ACCEPT:
                moves.append(part.cause)  # it has its place among the calls: see Turns
            else:
                yield from self.maker.relayed(part.cause)
                yield self.maker.transfer(part.cause)
        elif isinstance(part.cause, HandOff):
            yield replace(self.maker.handoff(part.cause, incoming), level=levels.of_handoff(part))
        elif part.cause is not None:
            yield self.maker.alarm(part.cause)
        in_play = incoming or outgoing
        shown = {call.id for call in calls}
        children: dict[int, Call] = {}
        for call in calls:
            if call.parent in shown and call.parent is not None:
                children.setdefault(call.parent, call)
        base = min((call.depth for call in calls), default=0)
        entries: list[tuple[int, Call | Transfer]] = [(call.enter_ns, call) for call in calls]
        entries += [(move.start_ns, move) for move in moves]
        for _, entry in sorted(entries, key=lambda pair: pair[0]):
            if isinstance(entry, Call):
                level = levels.of(part, entry)
                step = self.maker.call(entry, level, entry.depth - base, children.get(entry.id), in_play)
                yield replace(step, onward=self.walk.goes_on_from(entry))
                continue
            in_play = self.maker.message(entry) or in_play
            yield self.maker.transfer(entry)
            yield from self.maker.wire(entry)
