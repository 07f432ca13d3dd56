"""What an application did in a recording, each kind of thing once, with the first time that it happened.

The rule kept here: a deed is found by the calls at the application's border and
by the wire, and each is counted; which line of the application it is, is read
off the calls.  What the wire shows and no call explains is a deed, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from utils.deeds import border
from utils.deeds.border import Way
from utils.deeds.registered import ROOT, Handler, Registered, Route, registered
from utils.journeys.causes import Causes
from utils.journeys.journey import Cause, Journeys
from utils.provenance.origin import is_application
from utils.records import Call, Code, HandOff, Message, Recording, Site, Transfer
from utils.streams.dissection import Messages
from utils.wire.units import Side

#: Of each kind so many different deeds are told; the rest is counted.
MOST = 100


class Kind(Enum):
    """What a deed is about, in the order in which they are told."""

    BUILT = "built"
    CONNECTION = "connection"
    PAGE = "page"
    EVENT = "event"
    EMIT = "emit"
    TASK = "task"


#: The kinds of causes that are told as deeds; the application's own things are found otherwise.
_BUILT = ("construct", "route", "on", "serve")
_CONNECTION = ("open", "upgrade", "connect", "heartbeat", "disconnect", "close")
_LIFE = frozenset({"connect", "disconnect"})


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that the application did, as often as it did it.

    ``name`` is its own within the recording; ``cause`` is what the journey of
    its first time begins with, or is found from.  ``functions`` are the
    application's, ``site`` is its line; both are empty where it had no part.
    """

    kind: Kind
    name: str
    cause: Cause
    times: int = 1
    event: str = ""
    namespace: str = ""
    handler: str = ""  # what the handler was registered for: the event, or "*"
    functions: tuple[Code, ...] = ()
    site: Site | None = None
    call: Call | None = None  # the application's function, or the library's that it called


@dataclass(frozen=True, slots=True)
class Deeds:
    """All deeds of a recording, by kind and by their first time; and what was registered for others."""

    told: tuple[Deed, ...]
    left_out: int  # deeds beyond the bound
    registered: Registered
    asked: frozenset[Route]  # the routes of which a page was asked for

    def named(self, name: str) -> Deed | None:
        return next((deed for deed in self.told if deed.name == name), None)

    def handled(self, handler: Handler) -> bool:
        """Whether ``handler`` was called; in whichever namespace, if its own is not known."""
        return any(
            _is_of(deed, handler) and handler.namespace in (None, deed.namespace)
            for deed in self.told
            if deed.functions and deed.kind in (Kind.EVENT, Kind.CONNECTION)
        )


def _is_of(deed: Deed, handler: Handler) -> bool:
    """Whether a deed is a call of ``handler``: by its event, or, if it is for any event, by its name."""
    name = deed.functions[0].name.rpartition(".")[2]
    return deed.handler == handler.event or (handler.event == "*" and name == handler.function)


def deeds(recording: Recording, messages: Messages, causes: Causes, journeys: Journeys) -> Deeds:
    """What the application of ``recording`` did."""
    return _Finder(recording, messages, causes, journeys).find()


class _Finder:
    def __init__(self, recording: Recording, messages: Messages, causes: Causes, journeys: Journeys) -> None:
        self._recording = recording
        self._messages = messages
        self._causes = causes
        self._journeys = journeys
        self._turns = journeys.turns
        self._found: dict[tuple[object, ...], Deed] = {}
        self._asked: set[Route] = set()

    def find(self) -> Deeds:
        known = registered(self._turns, self._recording.traces)
        for name in _BUILT:
            self._of_kind(Kind.BUILT, name)
        for name in _CONNECTION:
            self._of_kind(Kind.CONNECTION, name)
        calls = [call for trace in self._recording.traces for call in trace.calls]
        viewed: dict[tuple[object, int], Call] = {}
        for call in calls:
            if border.sends(call):
                self._sent(call)
            elif is_application(call.code) and (entry := border.entered_by(self._turns, call)) is not None:
                self._entered(call, *entry, viewed)
        self._pages(known, viewed)
        self._unasked()
        return self._in_order(known)

    def _in_order(self, known: Registered) -> Deeds:
        told: list[Deed] = []
        left_out = 0
        names: dict[str, int] = {}
        for kind in Kind:
            of_kind = [deed for deed in self._found.values() if deed.kind is kind and not self._is_told(deed)]
            left_out += max(0, len(of_kind) - MOST)
            for deed in of_kind[:MOST]:
                names[deed.name] = names.get(deed.name, 0) + 1
                again = names[deed.name]
                told.append(deed if again == 1 else replace(deed, name=f"{deed.name} ({again})"))
        return Deeds(tuple(told), left_out, known, frozenset(self._asked))

    def _is_told(self, deed: Deed) -> bool:
        """Whether it is only the protocol's side of what a handler was called for."""
        return deed.name in _LIFE and any(
            other.cause == deed.cause and other.functions for other in self._found.values()
        )

    def _add(self, key: tuple[object, ...], deed: Deed) -> None:
        """One more of the same, or the first."""
        first = self._found.get(key)
        self._found[key] = deed if first is None else replace(first, times=first.times + 1)

    # ── what the protocols and the libraries' lines tell ─────────────────────

    def _of_kind(self, kind: Kind, name: str) -> None:
        cause = self._causes.find(name)
        if cause is None:
            return
        site = border.asked_at(self._turns, cause) if isinstance(cause, Call) else None
        times = self._causes.count(name)
        self._found[kind, name] = Deed(kind, name, cause, times, site=site)

    # ── what the application's calls tell ────────────────────────────────────

    def _sent(self, call: Call) -> None:
        site = call.site
        assert site is not None  # else it is nobody's line
        event = border.text_argument(call, "event") or ("message" if call.code.name.endswith("send") else "?")
        namespace = border.text_argument(call, "namespace") or ""
        name = f'emit "{event}" in {site.code.name}'
        key = (Kind.EMIT, call.process, site.code.filename, site.line, event)
        deed = Deed(Kind.EMIT, name, call, 1, event, namespace, "", (site.code,), site, call)
        before = self._found.get(key)
        if before is not None and before.call is not None and not self._turns.effects_of(before.call):
            # Nobody was there to be told: the first time that somebody was tells more.
            self._found[key] = replace(deed, times=before.times)
        self._add(key, deed)

    def _entered(self, call: Call, caller: Call, way: Way, viewed: dict[tuple[object, int], Call]) -> None:
        if way is Way.VIEW:
            for message in self.origin(call)[-1:]:
                viewed[message.flow, message.start] = call
        elif way is Way.EVENT:
            self._handled(call, caller)
        elif way is Way.ACK:
            name = f"acknowledgement to {call.code.name}"
            cause = next(iter(self.origin(call)[-1:]), call)
            self._add(
                (Kind.EVENT, way, call.code), Deed(Kind.EVENT, name, cause, functions=(call.code,), call=call)
            )
        elif self._own_thread(call):
            name = f"thread {call.code.name}"
            self._add((Kind.TASK, call.code), Deed(Kind.TASK, name, call, functions=(call.code,), call=call))

    def _own_thread(self, call: Call) -> bool:
        """Whether the application asked for the thread: a library may run its function in one of its own."""
        root = list(self._turns.ancestors(call))
        return len(root) == 1

    def _handled(self, call: Call, caller: Call) -> None:
        """A handler was called for an event of the wire, or for a connection's beginning or end."""
        outermost = [*border.around(self._turns, caller, border.EVENT_CALLERS)][-1]
        sent = border.text_argument(outermost, "event", "message") or "?"
        event = border.text_argument(caller, "event", "message") or sent
        namespace = border.text_argument(outermost, "namespace") or (
            border.text_argument(caller, "namespace") or ROOT
        )
        message = self._carrying(call, sent, namespace)
        life = sent in _LIFE and (message is None or not _carries(message, sent, namespace))
        kind = Kind.CONNECTION if life else Kind.EVENT
        what = sent if life else f'event "{sent}"'
        name = what if namespace == ROOT and not life else f"{what} in {namespace}"
        key = (kind, sent, namespace, call.code)
        self._add(key, Deed(kind, name, message or call, 1, sent, namespace, event, (call.code,), None, call))

    def _carrying(self, call: Call, event: str, namespace: str) -> Message | None:
        """Of the messages that led to ``call``, the one that carries the event, or else the last."""
        found = self.origin(call)
        carriers = [message for message in found if _carries(message, event, namespace)]
        return next(iter([*carriers[-1:], *found[-1:]]), None)

    def origin(self, call: Call) -> Sequence[Message]:
        """The messages whose coming led to ``call``, from thread to thread within its process."""
        process, thread, at = call.process, call.thread, call.enter_ns
        turn = self._turns.at(process, thread, at)
        seen = set()
        while isinstance(turn.cause, HandOff) and id(turn) not in seen:
            seen.add(id(turn))
            process, thread = self._turns.thread_of(turn.cause)
            at = turn.cause.given_ns
            turn = self._turns.at(process, thread, at)
        return self._journeys.brought(turn, at)

    # ── what the wire tells beside ───────────────────────────────────────────

    def _pages(self, known: Registered, viewed: dict[tuple[object, int], Call]) -> None:
        for message, name in self._causes.pages():
            call = viewed.get((message.flow, message.start))
            method, _, path = name.partition(" ")
            route = next((route for route in known.routes if route.matches(method, path)), None)
            if route is not None:
                self._asked.add(route)
            told = f"{method} {route.rule}" if route is not None else name
            functions = () if call is None else (call.code,)
            key = (Kind.PAGE, told if call is None else (method, call.code))
            self._add(key, Deed(Kind.PAGE, told, message, functions=functions, call=call))

    def _unasked(self) -> None:
        """Events that came in and had no handler; and events that went out and no line here asked for."""
        handled = {(deed.event, deed.namespace) for deed in self._found.values() if deed.kind is Kind.EVENT}
        traced = bool(self._recording.traces)
        for place, packet in self._messages.socketio():
            event = packet.event
            if event is None:
                continue
            message = self._messages[place]
            if message.side is Side.CLIENT:
                if (event, packet.namespace) in handled:
                    continue
                kind, told = Kind.EVENT, f'event "{event}"'
                told += " without a handler" if traced else ""
            else:
                if self._asked_for(message):
                    continue
                kind, told = Kind.EMIT, f'emit "{event}"'
                told += " from elsewhere" if traced else ""
            name = told if packet.namespace == ROOT else f"{told} in {packet.namespace}"
            key = (kind, "wire", event, packet.namespace)
            deed = Deed(kind, name, message, 1, event, packet.namespace)
            before = self._found.get(key)
            if before is not None and self._is_seen(message) and not self._is_seen(before.cause):
                # It passed between two others first: the first time that a traced process met it tells more.
                self._found[key] = replace(deed, times=before.times)
            self._add(key, deed)

    def _is_seen(self, cause: Cause) -> bool:
        """Whether a traced process sent or received the message ``cause``."""
        assert isinstance(cause, Message)  # what the wire tells is about one
        place = cause.flow, cause.end - 1, cause.end
        return bool(self._turns.senders(*place) or self._turns.readers(*place))

    def _asked_for(self, message: Message) -> bool:
        """Whether a line of the application asked for ``message``, from thread to thread of its process."""
        sends = self._turns.senders(message.flow, message.end - 1, message.end)
        effect: Transfer | HandOff | None = sends[0] if sends else None
        seen = set()
        while effect is not None and id(effect) not in seen:
            seen.add(id(effect))
            number = effect.given if isinstance(effect, HandOff) else effect.call
            call = self._turns.call(effect.process, number)
            if call is not None and any(map(border.sends, (call, *self._turns.ancestors(call)))):
                return True
            process, thread = self._turns.thread_of(effect)
            at = effect.given_ns if isinstance(effect, HandOff) else effect.start_ns
            cause = self._turns.at(process, thread, at).cause
            effect = cause if isinstance(cause, HandOff) else None
        return False


def _carries(message: Message, event: str, namespace: str) -> bool:
    return any(
        packet.socketio is not None
        and packet.socketio.event == event
        and packet.socketio.namespace == namespace
        for packet in message.unit.packets
    )
