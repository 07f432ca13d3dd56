"""The ways of a message's bytes, as plain JSON values for the stepper's page.

The rule kept here: each line of code stands once and is pointed to by its
index; a line leads to the step of the journey that it belongs to, if that has
one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from utils import libraries
from utils.provenance.ledger import Entry, Field, Ledger, Part
from utils.provenance.origin import is_application
from utils.provenance.ranges import size
from utils.records import Journey, Message, StepKind
from utils.views import wording
from utils.views.ledger import Linker, line_of, outsider

Json = dict[str, Any]

#: What stands before a line, in the order of the way.
_WORDS = {
    Part.VALUE: "value from",
    Part.MADE: "written by",
    Part.CARRIED: "carried by",
    Part.SENT: "sent by",
    Part.RECEIVED: "received by",
    Part.READ: "read by",
    Part.GIVEN: "value to",
}


class Ways:
    """Makes the ways of the messages of one journey; ``lines`` collects the lines of code."""

    def __init__(self, journey: Journey, ledger: Callable[[Message], Ledger], linker: Linker) -> None:
        self.lines: list[Json] = []
        self._ledger = ledger
        self._linker = linker
        self._known: dict[tuple[object, ...], int] = {}
        self._steps: dict[tuple[object, ...], int] = {}
        for number, step in enumerate(journey.steps):
            if step.kind is StepKind.CALL and step.call is not None:
                self._steps[step.process, step.call] = number
            elif step.kind in (StepKind.SEND, StepKind.RECV):
                self._steps[step.process, step.kind, step.since_ns + journey.start_ns] = number

    def of(self, message: Message) -> Json:
        """For each span of ``message``, its way; and how many bytes have none."""
        ledger = self._ledger(message)
        return {
            "unexplained": ledger.unexplained,
            "fields": [self._way(ledger, field) for field in ledger.fields],
        }

    def _way(self, ledger: Ledger, field: Field) -> Json:
        lacking = []
        if field.unwritten and not ledger.sender:
            lacking.append(f"{wording.count(size(field.unwritten), 'byte')} without a writer")
        if field.unread and not ledger.receiver:
            lacking.append(f"{wording.count(size(field.unread), 'byte')} without a reader")
        return {
            "steps": [[_WORDS[entry.part], self._line(entry)] for entry in (*field.written, *field.read)],
            "lacking": ", ".join(lacking),
            "outside": [
                f"{word} by {outsider(name)}"
                for word, name in (("written", ledger.sender), ("read", ledger.receiver))
                if name
            ],
        }

    def _line(self, entry: Entry) -> int:
        key = (
            entry.process,
            entry.call,
            entry.code,
            entry.line,
            entry.part in (Part.SENT, Part.RECEIVED),
            entry.time_ns,
        )
        if key not in self._known:
            told = line_of(entry, self._linker)
            self._known[key] = len(self.lines)
            self.lines.append(
                {
                    "name": told.name,
                    "process": wording.visible(entry.process),
                    "link": wording.web_link(told.address),
                    "code": self._code(entry, told.address),
                    "step": self._step(entry),
                }
            )
        return self._known[key]

    def _step(self, entry: Entry) -> int | None:
        if entry.part is Part.SENT:
            return self._steps.get((entry.process, StepKind.SEND, entry.time_ns))
        if entry.part is Part.RECEIVED:
            return self._steps.get((entry.process, StepKind.RECV, entry.time_ns))
        return self._steps.get((entry.process, entry.call))

    def _code(self, entry: Entry, address: str | None) -> str:
        """The line itself; nothing where the file that can be read is not the one that ran."""
        if entry.code is None or entry.line is None:
            return ""
        if address is None and not is_application(entry.code):
            return ""
        return wording.visible(libraries.line_text(entry.code.filename, entry.line).strip())
