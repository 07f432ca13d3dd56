"""What the recorded calls show: looked up by the very bytes.

The rule kept here: a snapshot is read once, and found again by what it is
equal to.  Which of several equal calls is meant, the order of cause decides
(see :mod:`utils.provenance.past`): the latest before a send, the first after a
receive.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from utils import libraries
from utils.provenance import values
from utils.provenance.codecs import Codec, Form
from utils.provenance.past import Bounds
from utils.provenance.readers import READERS
from utils.provenance.values import Digest
from utils.provenance.writers import WRITERS
from utils.records import Call, Trace

Key = bytes | Digest
Holds = Callable[[Any], bool]

#: The constructors that are handed what a packet is made of: (path, name).
SOCKET_PACKET = ("socketio/packet.py", "Packet.__init__")
ENGINE_PACKET = ("engineio/packet.py", "Packet.__init__")

#: Who is handed what a message to the other servers is made of; and who is handed what it brought.
ORDER_GIVEN = ("socketio/redis_manager.py", "RedisManager._publish")
ORDER_TAKEN = ("socketio/pubsub_manager.py", "PubSubManager._handle_emit")

#: Of each, the argument by which it is handed that.
_HANDED = {SOCKET_PACKET: "data", ENGINE_PACKET: "data", ORDER_GIVEN: "data", ORDER_TAKEN: "message"}

_PLACE = re.compile(r"\{(\w+)(?:\[(\w+)\])?\}")


class Witness(NamedTuple):
    """A call, and when it showed its value: at its beginning, or with its result."""

    time_ns: int
    call: Call


class Witnesses:
    """The calls of one recording that prove something, by codec and by what they show."""

    def __init__(self, traces: Iterable[Trace]) -> None:
        self._by_key: dict[tuple[int, Key], list[Witness]] = defaultdict(list)
        self._by_codec: dict[int, list[Witness]] = defaultdict(list)
        self._by_thread: dict[tuple[int, tuple[str, int]], list[Call]] = defaultdict(list)
        self._built: dict[tuple[tuple[str, str], str], list[Witness]] = defaultdict(list)
        self._builders: dict[tuple[str, str], list[Witness]] = defaultdict(list)
        self._wanted: dict[tuple[str, str], list[Codec]] = defaultdict(list)
        for codec in (*WRITERS, *READERS):
            self._wanted[codec.path, codec.name].append(codec)
        for trace in traces:
            for call in trace.calls:
                self._add(call)
        for found in (self._by_key, self._by_codec, self._built, self._builders):
            for witnesses in found.values():
                witnesses.sort(key=lambda witness: (witness.time_ns, witness.call.id))

    def _add(self, call: Call) -> None:
        place = libraries.place(call.code.filename)
        if place is None:
            return
        name = (place.path, call.code.name)
        for codec in self._wanted.get(name, ()):
            witness = Witness(_time(codec, call), call)
            self._by_codec[id(codec)].append(witness)
            self._by_thread[id(codec), (call.process, call.thread)].append(call)
            for key in shown(codec, call):
                self._by_key[id(codec), key].append(witness)
        if name in _HANDED and call.arguments is not None:
            witness = Witness(call.enter_ns, call)
            self._builders[name].append(witness)
            data = values.canonical(values.read(call.arguments.get(_HANDED[name], "None")))
            if data is not None:
                self._built[name, data].append(witness)

    # ── what is asked ────────────────────────────────────────────────────────

    def all(self, codec: Codec) -> Sequence[Witness]:
        """Every call of that codec, by time."""
        return self._by_codec.get(id(codec), ())

    def latest(self, codec: Codec, key: Key, bounds: Bounds) -> Call | None:
        """The last call that showed these bytes within ``bounds`` (see :class:`Past`)."""
        return _latest(self._by_key.get((id(codec), key), ()), bounds)

    def first(self, codec: Codec, key: Key, bounds: Bounds) -> Call | None:
        """The first call that showed these bytes from ``bounds`` on."""
        return _first(self._by_key.get((id(codec), key), ()), bounds)

    def built(self, name: tuple[str, str], data: str, bounds: Bounds) -> Call | None:
        """The last packet that was made of ``data`` (canonical JSON)."""
        return _latest(self._built.get((name, data), ()), bounds)

    def taken(self, name: tuple[str, str], data: str, bounds: Bounds) -> Call | None:
        """The first call, from ``bounds`` on, that was handed ``data`` (canonical JSON)."""
        return _first(self._built.get((name, data), ()), bounds)

    def builder(self, name: tuple[str, str], holds: Holds, bounds: Bounds) -> Call | None:
        """The last packet that was made of data of which ``holds`` is true."""
        made = [
            witness
            for witness in self._builders.get(name, ())
            if holds(values.read((witness.call.arguments or {}).get("data", "None")))
        ]
        return _latest(made, bounds)

    def latest_of(self, codec: Codec, bounds: Bounds, since_ns: int) -> Call | None:
        """The last call of that codec within ``bounds``, and not before ``since_ns``."""
        call = _latest(self.all(codec), bounds)
        return call if call is not None and _time(codec, call) >= since_ns else None

    def first_of(self, codec: Codec, bounds: Bounds, until_ns: int) -> Call | None:
        """The first call of that codec from ``bounds`` on, and before ``until_ns``."""
        call = _first(self.all(codec), bounds)
        return call if call is not None and _time(codec, call) <= until_ns else None

    def of_thread(self, codec: Codec, thread: tuple[str, int]) -> Sequence[Call]:
        """The calls of that codec in one thread, by their beginning."""
        return self._by_thread.get((id(codec), thread), ())

    def between(self, codec: Codec, thread: tuple[str, int], start_ns: int, end_ns: int) -> Iterator[Call]:
        """The calls of that codec in one thread and time, in order."""
        witnesses = self.all(codec)
        first = bisect_left(witnesses, start_ns, key=lambda one: one.time_ns)
        last = bisect_right(witnesses, end_ns, key=lambda one: one.time_ns)
        for _, call in witnesses[first:last]:
            if (call.process, call.thread) == thread:
                yield call


def _latest(witnesses: Sequence[Witness], bounds: Bounds) -> Call | None:
    for time_ns, call in reversed(witnesses):
        bound = bounds.get((call.process, call.thread))
        if bound is not None and time_ns <= bound:
            return call
    return None


def _first(witnesses: Sequence[Witness], bounds: Bounds) -> Call | None:
    for time_ns, call in witnesses:
        bound = bounds.get((call.process, call.thread))
        if bound is not None and time_ns >= bound:
            return call
    return None


def _time(codec: Codec, call: Call) -> int:
    with_result = any("{result" in template for template in codec.shows)
    return call.leave_ns if with_result and call.leave_ns is not None else call.enter_ns


# ── templates ────────────────────────────────────────────────────────────────


def shown(codec: Codec, call: Call) -> Iterator[Key]:
    """What the snapshot of ``call`` shows of the codec's form."""
    for value in shown_values(codec, call):
        if codec.form is Form.LINE:
            if isinstance(value, str):
                value = value.encode("latin-1", "replace")
            if isinstance(value, bytes):
                yield value if value.endswith(b"\n") else value + b"\r\n"
        else:
            yield from values.keys(value)


def shown_values(codec: Codec, call: Call) -> Iterator[Any]:
    """The same, as values."""
    for template in codec.shows:
        whole = _PLACE.fullmatch(template)
        if whole is None:
            text = _filled(template, call)
            if text is not None:
                yield text
            continue
        value = _looked_up(call, whole[1], whole[2])
        if isinstance(value, list) and all(isinstance(item, (str, bytes)) for item in value):
            lines = [item.encode("latin-1", "replace") if isinstance(item, str) else item for item in value]
            if codec.form is Form.LINE:
                yield from lines
            elif codec.form is Form.HEAD:
                yield b"\r\n".join(lines)
            elif codec.form is Form.RESP:
                yield value
        elif value is not None:
            yield value


def _looked_up(call: Call, name: str, item: str | None) -> Any:
    text = call.result if name == "result" else (call.arguments or {}).get(name)
    if text is None:
        return None
    value = values.read(text)
    if item is None:
        return value
    if isinstance(value, dict):
        return value.get(item)
    if isinstance(value, (list, tuple)):
        return value[int(item)] if item.isdigit() and int(item) < len(value) else None
    return None


def _filled(template: str, call: Call) -> str | None:
    """The template with its places filled; None if one is not known."""
    known = True

    def fill(place: re.Match[str]) -> str:
        nonlocal known
        value = _looked_up(call, place[1], place[2])
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        known = known and isinstance(value, (str, int))
        return str(value)

    text = _PLACE.sub(fill, template)
    return text if known else None
