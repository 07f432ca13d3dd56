"""A recorded run's facts: its messages, calls, journeys and deeds, as values.

The rule kept here: everything is answered from the recording alone, worked out
when it is first asked for, and shown elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from utils import libraries
from utils.errors import InputError
from utils.journeys import naming
from utils.journeys.causes import Causes
from utils.journeys.join import JoinReport, check
from utils.journeys.journey import Cause, Journeys
from utils.records import (
    Call,
    Code,
    Excerpt,
    Journey,
    Link,
    Message,
    Recording,
    StepKind,
    Transfer,
    TransferKind,
)
from utils.streams import dissection
from utils.streams.ports import Ports
from utils.versions import drift
from utils.wire.units import Side

if TYPE_CHECKING:
    from utils.deeds.finding import Deed, Deeds
    from utils.provenance.book import Book
    from utils.provenance.ledger import Entry
    from utils.wire.conformance import Finding


class Facts:
    """What happened: the messages, calls and journeys of one recording."""

    def __init__(self, recorded: Recording, folder: Path | None = None) -> None:
        self.recording = recorded
        self.folder = folder  # where it was loaded from
        self._told: dict[str, Journey] = {}

    def __repr__(self) -> str:
        """Where it comes from, and what the capture lacks."""
        meta = self.recording.meta
        lost = f"; {meta.bytes_lost:,} bytes missing" if meta.bytes_lost else ""
        return f"{meta.name}, {meta.mode}: {meta.why}{lost}"

    @cached_property
    def messages(self) -> dissection.Messages:
        """Every decoded message, by time."""
        return dissection.messages(
            self.recording.segments, server_port=Ports.listening(self.recording.meta.listening)
        )

    @cached_property
    def book(self) -> Book:
        """The ledgers of the messages: who wrote and who read each byte."""
        from utils.provenance.book import Book

        traced = {trace.process for trace in self.recording.traces}
        silent = {service.name for service in self.recording.meta.services.values()} - traced
        outside = {port: name for port, name in self.names.items() if name in silent}
        return Book(self.recording, self.messages, outside)

    @cached_property
    def clients(self) -> dict[int, str]:
        """Client port → the name that the client goes by."""
        named: dict[str, str] = self.recording.meta.extra.get("clients", {})
        known = {int(port): name for port, name in named.items()}
        # In a capture without calls nobody has a name, and there is nothing to look for.
        return naming.named(self.messages, known) if known else known

    @cached_property
    def names(self) -> dict[int, str]:
        """The name of each end, by its port: the clients', and those of what they speak to."""
        return self.clients | {port: one.name for port, one in self.recording.meta.listening.items()}

    def events(self, name: str, side: Side | None = None) -> list[Message]:
        """The messages that carry the Socket.IO event ``name``, by time."""
        found = [self.messages[place] for place, packet in self.messages.socketio() if packet.event == name]
        return [message for message in found if side in (None, message.side)]

    def first_event(self) -> str:
        """The name of the first event that was sent.  Raises InputError if there was none."""
        for message in self.messages:
            for packet in message.unit.packets:
                if packet.socketio is not None and packet.socketio.event is not None:
                    return packet.socketio.event
        raise InputError("there is no event in this recording", next_step="record a scenario that emits one")

    def received(self, name: str) -> dict[str, list[Any]]:
        """For each client, what the event ``name`` brought it, as the wire tells."""
        # What stands between is no client: it passes on what it is told.
        between = {one.name for one in self.recording.meta.listening.values()}
        found: dict[str, list[Any]] = {one: [] for one in sorted(set(self.clients.values()) - between)}
        for message in self.events(name, Side.SERVER):
            client = self.clients.get(message.flow.destination.port, str(message.flow.destination))
            if client in between:
                continue
            for packet in message.unit.packets:
                if packet.socketio is not None and packet.socketio.event == name:
                    found.setdefault(client, []).append(packet.socketio.data[1:])
        return found

    @cached_property
    def journeys(self) -> tuple[str, ...]:
        """What :meth:`journey` can be asked for by name: what this recording holds.

        First the steps of the protocols ("open", "upgrade", "heartbeat", ...) and
        of the application ("construct", "route", ...), then the pages that were
        asked for ("GET /auctions"), then the events.
        """
        return self._causes.names()

    def journey(self, name: str) -> Journey:
        """The whole journey of the first thing that goes by ``name``.

        That is one of :attr:`journeys`, or the qualified name of a recorded
        function.  Raises InputError if there is none, naming those that are there.
        """
        if name not in self._told:
            self._told[name] = self._journeys.of(self._cause(name), name)
        return self._told[name]

    @cached_property
    def deeds(self) -> Deeds:
        """What the application did, each kind of thing once; :meth:`journey` takes their names, too."""
        from utils.deeds.finding import deeds

        return deeds(self.recording, self.messages, self._causes, self._journeys)

    def told(self, deed: Deed) -> Journey:
        """The journey of ``deed``, made afresh: a report asks for each once."""
        return self._journeys.of(deed.cause, deed.name)

    def carried(self, name: str) -> list[Message]:
        """The messages on the wire that the journey called ``name`` is made of."""
        return self._journeys.carried(self._cause(name))

    def messages_of(self, client: str) -> list[Message]:
        """The messages to and from the client that goes by that name, by time.

        Raises InputError if there is none, naming those that are there.
        """
        ports = {port for port, name in self.clients.items() if name == client}
        if not ports:
            known = sorted(set(self.clients.values()))
            raise InputError(
                f"there is no client {client!r} in this recording",
                why="" if known else "it was not traced, so that nobody in it has a name",
                next_step=f"choose one of {', '.join(known)}" if known else "look at packets()",
            )
        return [
            message
            for message in self.messages
            if ports & {message.flow.source.port, message.flow.destination.port}
        ]

    def called(self, function: str, event: str | None = None) -> list[Call]:
        """The recorded calls of ``function``, by time; with ``event``, those of its journey, in its order."""
        if event is not None:
            calls = {(call.process, call.id): call for call in self._every_call()}
            steps = (step for step in self.journey(event).steps if step.kind is StepKind.CALL)
            ordered = [calls[step.process, step.call] for step in steps if step.call is not None]
        else:
            ordered = sorted(self._every_call(), key=lambda call: call.enter_ns)
        return [call for call in ordered if f".{call.code.name}".endswith(f".{function}")]

    def round_trips(self, client: str) -> int:
        """How often ``client`` waited until it was connected; see :mod:`utils.wire.upgrade`."""
        from utils.wire.upgrade import round_trips

        return round_trips(message.unit for message in self.messages_of(client))

    def departures(self) -> list[tuple[int, Finding]]:
        """The same as values: each with its message's place (from 0) in :attr:`messages`, in that order."""
        from utils.streams.departures import departures

        return departures(self.messages)

    def link(self, entry: Entry) -> Link | None:
        """The permalink to a ledger's line, in the version that was recorded."""
        if entry.code is None or entry.line is None:
            return None
        return libraries.link(entry.code.filename, entry.line)

    def excerpt(self, code: Code, current: int | None) -> Excerpt | None:
        """The lines of a function as they were recorded, or as they are installed, if that is the same."""
        place, kept = libraries.place(code.filename), self.recording.sources
        if kept is not None and place is not None:
            return kept.excerpt(place.portable(self.recording.meta.versions), code.name, current)
        return libraries.excerpt(code, current)

    def check(self, event: str | None = None) -> JoinReport:
        """How well calls and packets agree, over every byte of a journey, or else of the recording.

        Asked are the processes that were traced; who was not (a browser, a message
        queue, a proxy) is counted apart.
        """
        chosen = self.messages if event is None else self.carried(event)
        return check(self._journeys.turns, chosen, self._is_elsewhere)

    @cached_property
    def _is_elsewhere(self) -> Callable[[int], bool]:
        """Of a port, whether what is there was not traced: a service, or a client of nobody traced."""
        traced = {trace.process for trace in self.recording.traces}
        listening, names = self.recording.meta.listening, self.names
        untraced = {one.name for one in listening.values()} - traced
        inward = (TransferKind.RECV, TransferKind.ACCEPT)
        own = {
            (one.flow.destination if one.kind in inward else one.flow.source).port
            for trace in self.recording.traces
            for one in trace.transfers
        }
        return lambda port: names.get(port) in untraced or (port not in listening and port not in own)

    def _message(self, which: str | int) -> Message:
        """A message by its number in :meth:`packets`, or the first that carries an event.

        Raises InputError if there is none.
        """
        if isinstance(which, str):
            return self._carrier(which)
        if 1 <= which <= len(self.messages):
            return self.messages[which - 1]
        raise InputError(
            f"there is no message {which}",
            why=f"this recording holds {len(self.messages)}",
            next_step="take a number from the first column of packets()",
        )

    def _chosen(self, event: str | None) -> Sequence[Message]:
        """All messages; or those that an event's journey is made of, or, without calls, that carry it."""
        if event is None:
            return self.messages
        if self.recording.traces:
            return self.carried(event)
        self._carrier(event)
        return self.events(event)

    @cached_property
    def _causes(self) -> Causes:
        return Causes(self.recording, self.messages)

    @cached_property
    def _journeys(self) -> Journeys:
        return Journeys(self.recording, self.messages, self.clients)

    def _cause(self, name: str) -> Cause:
        found = self._causes.find(name)
        if found is None and (deed := self.deeds.named(name)) is not None:
            found = deed.cause
        if found is None:
            raise self._missing(f"there is no journey {name!r} in this recording", name, self.journeys)
        return found

    def _every_call(self) -> Iterator[Call]:
        return (call for trace in self.recording.traces for call in trace.calls)

    def _missing(self, what: str, name: str, known: Sequence[str] = ()) -> InputError:
        return drift.missing(what, name, self._every_call(), self.recording.meta.versions, known)

    def _carrier(self, name: str) -> Message:
        """The first message that the journey called ``name`` is about, or else that it sends."""
        cause = self._cause(name)
        if isinstance(cause, Message):
            return cause
        for message in self.carried(name) if isinstance(cause, Call | Transfer) else cause:
            return message
        raise InputError(
            f"the journey {name!r} sends nothing", next_step=f"look at its calls: run.stepper({name!r})"
        )
