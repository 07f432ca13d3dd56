"""A recorded run, and everything that a notebook can ask of it.

The rule kept here: a run answers from its recording alone, so it says the same
live, through the tap, and replayed from a folder years later.  Here it is
shown; what it knows stands in :mod:`utils.recording.facts`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from utils import libraries, recording
from utils.errors import InputError
from utils.journeys import levels
from utils.latency.hops import hops
from utils.recording.facts import Facts
from utils.records import Flow, Journey, Level
from utils.wire.units import Side

if TYPE_CHECKING:
    from utils.views.inspector import Inspector
    from utils.views.plots import Plot
    from utils.views.stepper import Stepper
    from utils.views.view import View
    from utils.views.ways import Ways


#: So many round trips of one kind are attributed, at most: each is a journey.
_MOST_ROUNDS = 12


class Run(Facts):
    """What happened, and how it is shown: packets, messages, frames and journeys of one recording."""

    def packets(self, *, event: str | None = None, start: int = 1, most: int = 500) -> View:
        """The messages on the wire as a table; with ``event``, of its journey only.

        From the one with the number ``start`` on, and at most so many of them.
        Raises InputError if ``start`` or ``most`` is too small to be one.
        """
        from utils.views import tables, wording

        if start < 1 or most < 0:
            raise InputError(
                f"there are no {most:,} messages from number {start:,} on",
                next_step="count messages from 1, and ask for none or more of them",
            )
        meta, chosen = self.recording.meta, self._chosen(event)
        lost = wording.lost(meta.packets_dropped, meta.bytes_lost)
        # In the order of cause the first is not always the first on the wire.
        begin = None if event is None else min((message.first_ns for message in chosen), default=None)
        return tables.packets(
            chosen,
            self.names,
            start_ns=begin,
            whole=event is None,
            lost=lost,
            start=start,
            most=most,
        )

    def frames(self, event: str) -> View:
        """How many calls of which library took part in a journey, thread by thread."""
        from utils.views import tables

        return tables.frames(self.journey(event))

    def calls(self, function: str, event: str | None = None) -> View:
        """Each call of ``function`` (its qualified name, or the end of it): what it got, and who asked.

        With ``event``, those of its journey only.  Raises InputError if there is none.
        """
        from utils.views import calls

        found = self.called(function, event)
        if not found:
            where = "this recording" if event is None else f"the journey {event!r}"
            raise self._missing(f"{function} was not called in {where}", function)
        return calls.calls(found[0].code.name, found, libraries.link)

    def exceptions(self, function: str) -> View:
        """Each exception that left ``function`` (as for :meth:`calls`): who raised it, and who caught it.

        Raises InputError if it was not called.
        """
        from utils.journeys.escapes import escapes
        from utils.views.escapes import exceptions

        called = self.called(function)
        if not called:
            raise self._missing(f"{function} was not called in this recording", function)
        found = escapes(self._every_call(), of=called)
        return exceptions(found, libraries.link, function)

    def upgrade(self, client: str) -> View:
        """How ``client`` was connected: the states of Engine.IO's upgrade, and the way that it went."""
        from utils.views import diagrams
        from utils.wire.upgrade import walk

        return diagrams.upgrade(list(walk(message.unit for message in self.messages_of(client))), client)

    def threads(self, event: str) -> View:
        """The threads that a journey ran through, and what woke each of them."""
        from utils.views.threads import threads

        return threads(self.journey(event))

    def findings(self) -> View:
        """Where the traffic departs from its protocols, with the clause; and how much of it is explained."""
        from utils.views import tables

        return tables.findings(self.messages, self.departures())

    def bytes(self, which: str | int) -> View:
        """The bytes of one message, each explained: by its number, or the first that carries an event."""
        from utils.views import html

        return html.message(self._message(which))

    def bits(self, which: str | int) -> View:
        """The header of one WebSocket frame, bit by bit.  Raises InputError if the message is none."""
        from utils.views.bits import bits

        return bits(self._message(which))

    def inspect(self, which: str | int) -> Inspector:
        """The same message with its layers on one axis of bytes; hover or focus explains."""
        from utils.views.inspector import inspector

        return inspector(self._message(which))

    def provenance(self, which: str | int) -> View:
        """Each byte of one message: the line that wrote it, the line that read it, and how many lack one.

        By its number in :meth:`packets`; or the first that carries an event,
        with the count of all the messages of its journey.
        """
        from utils.views.ledger import provenance

        message = self._message(which)
        others = self.carried(which) if isinstance(which, str) else [message]
        ledgers = {id(one): self.book.ledger(one) for one in [message, *others]}
        name = f"Provenance of {which!r}" if isinstance(which, str) else f"Provenance of message {which}"
        return provenance(
            ledgers[id(message)],
            [ledgers[id(one)] for one in others],
            self.link,
            self.names,
            name,
        )

    def application(self) -> View:
        """What the application registered and what it did, each kind of thing once; see :attr:`deeds`."""
        from utils.views.deeds import deeds

        return deeds(self.deeds)

    def licences(self) -> View:
        """The licences of the libraries that ran: what they permit, ask and forbid, and their texts."""
        from utils.libraries.licences import used
        from utils.views.licences import licences

        return licences(used(self.recording))

    def stepper(self, event: str, *, level: Level = Level.LIBRARY, at: int = 1) -> Stepper:
        """The stepper through the journey of ``event``, at step ``at`` (from 1) of those of ``level``.

        Raises InputError if there is no such journey, level or step.
        """
        from utils.libraries.opening import opener
        from utils.views import wording
        from utils.views.stepper import stepper

        shown = levels.level(level)
        journey, ways = self._followed(event)
        steps = len(journey.at(shown))
        if not 1 <= at <= max(steps, 1):
            raise InputError(
                f"there is no step {at} in the journey {event!r} at Level.{shown.name}",
                why=f"it has {wording.count(steps, 'step')} there",
                next_step="count them from 1, or look deeper",
            )
        reference = f"run.stepper({event!r}, level={{level}}, at={{at}})"
        return stepper(journey, shown, at=at, opener=opener(), ways=ways, reference=reference)

    def page(self, event: str, path: str | Path, *, level: Level = Level.LIBRARY) -> Path:
        """Write the stepper through the journey of ``event`` to ``path``, as one HTML file for anybody.

        Raises InputError if there is no such journey or level.
        """
        from utils.views.page import page

        shown = levels.level(level)
        journey, ways = self._followed(event)
        path = Path(path)
        path.write_text(page(journey, shown, ways=ways), encoding="utf-8")
        return path

    def _followed(self, event: str) -> tuple[Journey, Ways]:
        """The journey, its steps told which bytes they touched, and the ways of its bytes."""
        from utils.provenance.touched import with_touches
        from utils.views.ways import Ways

        journey = with_touches(self.journey(event), self.book.ledger)
        return journey, Ways(journey, self.book.ledger, self.link)

    def waterfall(self, event: str) -> Plot:
        """Where the time of the journey of ``event`` went, hop by hop."""
        from utils.views.plots import waterfall

        journey = self.journey(event)
        return waterfall(hops(journey), journey)

    def stalls(self) -> View:
        """Packets that their sender's kernel kept back until an acknowledgement came (Nagle's algorithm)."""
        from utils.streams.stalls import stalls
        from utils.views.stalls import stalls as view

        transfers = [transfer for trace in self.recording.traces for transfer in trace.transfers]
        return view(stalls(self.recording.segments, transfers), self._way)

    def _way(self, flow: Flow) -> str:
        ports = flow.source.port, flow.destination.port
        names = (self.names.get(port, "client") for port in ports)
        return " → ".join(names)

    def attribution(self, event: str, untraced_ns: float, *, skip: int = 2) -> Plot:
        """The hops of ``event``'s round trips without the tracer's cost, held against an untraced total.

        The quietest quarter of the round trips counts, so ``untraced_ns`` is
        best taken from such a quarter, too (:meth:`Comparison.quiet
        <utils.load.shown.Comparison.quiet>`).  The first ``skip`` warm up.
        Raises InputError if there are no others.
        """
        from utils.latency.attribution import attribute
        from utils.load.calibration import calibrate
        from utils.views.plots_latency import attributed

        asked = self.events(event, Side.CLIENT)[skip : skip + _MOST_ROUNDS]
        if not asked:
            raise InputError(
                f"there are no {skip + 1} round trips of {event!r} in this recording",
                next_step="record a scenario that asks more often",
            )
        journeys = [self._journeys.of(message, event) for message in asked]
        return attributed(attribute(journeys, self.recording.traces, untraced_ns, calibrate()), event)

    def ladder(self, event: str | None = None) -> View:
        """The messages between clients and server, drawn; with ``event``, of its journey only."""
        from utils.views.ladder import ladder

        return ladder(self._chosen(event), self.names)

    def mermaid(self, event: str | None = None) -> View:
        """The same ladder as a Mermaid sequence diagram, which JupyterLab draws and anybody can edit."""
        from utils.views.ladder import mermaid

        return mermaid(self._chosen(event), self.names)

    def report(self, path: str | Path, *, form: str | None = None, deep: bool = False) -> Path:
        """Write the open-source report of this recording into ``path``.

        The form is ``md``, ``html`` or ``ipynb``: what ``path`` ends in, if it
        is left out.  ``deep`` tells every step that does the work, with its
        lines; else those where one library calls into another.  Raises
        InputError for another form, or for a notebook of a run that was not saved.
        """
        from utils.report import write

        path = Path(path)
        made = write.pieces(self, form or write.form_of(path), deep=deep, beside=path.parent)
        return write.write(path, made)

    def trace_events(self, path: str | Path) -> Path:
        """Write calls, hand-offs and packets to ``path``, in the format that Perfetto opens.

        A name that ends in .gz is packed; ui.perfetto.dev opens either, and
        keeps the file on this machine.
        """
        from utils.views import traceevents

        return traceevents.write(Path(path), self.recording, self.messages, self.names)

    def save(self, folder: str | Path, *, keep_secrets: bool = False) -> Path:
        """Save the recording into ``folder``; :func:`utils.lab.load` reads it again.

        A folder is made to be handed on.  So it is saved without secrets, as
        ``socketio-lab record`` does it (see :mod:`utils.recording.redacting`): in the
        packets as many other bytes stand in their place.  ``keep_secrets`` keeps
        them; either way the recording says so.
        """
        from utils.recording import redacting

        return recording.save(redacting.to_hand_on(self.recording, keep_secrets=keep_secrets), Path(folder))
