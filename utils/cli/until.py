"""``--until``: what ends a recording that no scenario ends, so much time or an event on the wire.

The rule kept here: of several the first counts; and what an event sets off is
waited for, so that the recording holds its handlers, but never for long.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from utils.records import Message
    from utils.subject.server import Server

    _ParamType = click.ParamType["float | str"]
else:  # older ones are not generic
    _ParamType = click.ParamType

#: How often it is looked whether it is enough, in seconds.
_POLL = 0.1

#: An event has done its work once the wire is silent for so long; for how long that is waited for (seconds).
QUIET, PATIENCE = 0.5, 5.0

_TIME = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|m|h|)")

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class WhenType(_ParamType):
    """A time (seconds, as a number) or an event's name."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """``30``, ``30s``, ``1.5m`` or ``2h`` are times; everything else is an event."""
        if isinstance(value, float):
            return value
        found = _TIME.fullmatch(value)
        if found is None:
            return str(value) or self.fail("it names neither a time nor an event", param, ctx)
        seconds = float(found["number"]) * _SECONDS[found["unit"]]
        return seconds or self.fail("there is nothing to record in no time", param, ctx)


@dataclass
class Until:
    """What was asked for, and whether it has come; without anything, it never does."""

    whens: Sequence[float | str] = ()
    _began: float = field(default_factory=time.monotonic)
    _seen: str = ""
    _last: float = 0.0  # when the wire was last heard of

    @property
    def events(self) -> frozenset[str]:
        """The events that are looked for."""
        return frozenset(when for when in self.whens if isinstance(when, str))

    @property
    def seconds(self) -> float:
        """The time that is given, in seconds."""
        return min((when for when in self.whens if isinstance(when, float)), default=float("inf"))

    def __str__(self) -> str:
        """What ends the recording, in words."""
        times = [f"{self.seconds:g} s"] if self.seconds < float("inf") else []
        named = ["Ctrl-C", *times, *(f"the event {event!r}" for event in sorted(self.events))]
        return " or ".join(filter(None, (", ".join(named[:-1]), named[-1])))

    def watch(self, server: Server) -> Callable[[], None]:
        """Look for the events on the wire of ``server`` from here on; what ends that.

        Raises CaptureRightsError if packets may not be read.
        """
        if not self.events:
            return lambda: None
        from utils.subject.watching import Watch

        watching = Watch(server, self)
        watching.start()
        return watching.stop

    def wait(self, ended: Callable[[float], object]) -> str:
        """Wait until it is enough, and say what was; or, empty, until ``ended(seconds)`` tells of an end."""
        self._began = time.monotonic()
        while ended(_POLL) is None:
            if time.monotonic() - self._began >= self.seconds:
                return f"{self.seconds:g} s are over"
            if self._seen:
                self._let_it_act(ended)
                return f"the event {self._seen!r} was seen"
        return ""

    def _let_it_act(self, ended: Callable[[float], object]) -> None:
        """Wait until the wire is quiet: then its handlers have done what they do."""
        seen = time.monotonic()
        while time.monotonic() - seen < PATIENCE and time.monotonic() - self._last < QUIET:
            if ended(_POLL) is not None:
                return

    # ── what the watch shows ─────────────────────────────────────────────────

    def show(self, messages: Sequence[Message], dropped: int, missing: int) -> None:
        """These came."""
        self._last = time.monotonic()
        for message in messages:
            for packet in message.unit.packets:
                event = None if packet.socketio is None else packet.socketio.event
                if event in self.events:
                    self._seen = self._seen or str(event)

    def end(self, why: str) -> None:
        """No more will come: the server's end is seen by whoever waits, and a stop was asked for."""
