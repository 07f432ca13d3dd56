"""The values in a message: who handed them over, and who gets them.

The rule kept here: a value is the application's own if the packet was made of
it: what the constructor was handed is compared, value by value, with the JSON
on the wire.  From there on, the calls lead to the line that had it first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from utils.provenance import values
from utils.provenance.codecs import Form
from utils.provenance.forms import Path, Shape, paths
from utils.provenance.ledger import Break, Entry, Part
from utils.provenance.proofs import NEVER, Case, Evidence
from utils.provenance.witnesses import ENGINE_PACKET, ORDER_GIVEN, ORDER_TAKEN, SOCKET_PACKET
from utils.records import Call
from utils.wire.units import EnginePacket, EngineType, Span

#: Where a span of the message's raw bytes starts → whose value it is.
Owners = dict[int, Entry]

#: What an Engine.IO packet carries that is no JSON.
_DATA = ("Data", "Probe")


def owners(evidence: Evidence, case: Case) -> Owners:
    """Who handed the values of a message over or, when it was read, who got them.

    A value that the packet was not made of is noted as a break of the case.
    """
    found: Owners = {}
    if not case.transfers:
        return found  # whoever sent it, or got it, was not traced
    for shape in case.shapes:
        if shape.is_part:
            continue  # whose a value is, of which a part stands elsewhere, nobody has to know
        if shape.form is Form.SOCKET or (shape.form is Form.PACKET and not _is_socket(shape.packet)):
            found |= _of_packet(evidence, case, shape)
        elif shape.form is Form.QUEUED:
            found |= _of_queued(evidence, case, shape)
        elif shape.form in (Form.BODY, Form.MESSAGE) and not case.message.unit.packets and case.writing:
            found |= _of_bytes(evidence, case, shape)
    return found


def _is_socket(packet: EnginePacket | None) -> bool:
    return packet is not None and packet.socketio is not None


# ── values in packets ────────────────────────────────────────────────────────


def _of_packet(evidence: Evidence, case: Case, shape: Shape) -> Owners:
    packet = shape.packet
    if packet is None:
        return {}
    if packet.attachment:
        return _of_attachment(evidence, case, shape, packet)
    data = _data(packet)
    if data is None or data == "":
        return {}
    found = list(_values(shape, case.spans, data))
    if not case.writing:
        return _arrivals(evidence, case, shape, data, found)
    name = SOCKET_PACKET if packet.socketio is not None else ENGINE_PACKET
    wanted = values.canonical(data)
    call = evidence.witnesses.built(name, wanted, case.bounds) if wanted is not None else None
    whole = call is not None
    if call is None:
        call = evidence.witnesses.builder(name, lambda known: _resembles(known, data), case.bounds)
    recorded = values.read((call.arguments or {}).get("data", "None")) if call is not None else None
    owned: Owners = {}
    origins: dict[Any, Entry] = {}
    for span, path, value in found:
        if call is None or not (whole or _stands(recorded, path, value, span)):
            why = f"{span.label.lower()} {span.value} is not among what the packet was made of"
            code = call.code if call is not None else None
            line = call.left if call is not None else None
            case.breaks.append(Break(True, code, line, ((span.start, span.end),), why))
            continue
        element = path[0] if path else None
        if element not in origins:
            origins[element] = _origin(evidence, call, _inside(_element(data, element)))
        owned[span.start] = origins[element]
    return owned


def _of_queued(evidence: Evidence, case: Case, shape: Shape) -> Owners:
    """An order to the other servers: whose its values are, or which of them carries it out."""
    try:
        data = json.loads(shape.data)
    except ValueError:
        data = None
    wanted = values.canonical(data) if isinstance(data, dict) else None
    if not case.writing:
        bounds = evidence.past.after(case.thread, case.transfers[0].end_ns)
        call = evidence.witnesses.taken(ORDER_TAKEN, wanted, bounds) if wanted is not None else None
        if call is None:
            return {}  # its sender hears it, too, and does nothing
        return _everywhere(case, shape, entry(Part.GIVEN, call, call.code.first_line))
    call = evidence.witnesses.built(ORDER_GIVEN, wanted, case.bounds) if wanted is not None else None
    if call is None:
        return _of_bytes(evidence, case, shape)  # somebody else publishes on the same channel
    origins: dict[Any, Entry] = {}
    owned: Owners = {}
    for span, path, _ in paths(shape, case.spans):
        element = path[0] if path else None
        if element not in origins:
            origins[element] = _origin(evidence, call, _inside(_element(data, element)))
        owned[span.start] = origins[element]
    return owned


def _data(packet: EnginePacket) -> Any:
    """What the packet was made of: parsed JSON, or a text."""
    if packet.socketio is not None:
        return packet.socketio.data
    if packet.type is EngineType.OPEN:
        try:
            return json.loads(packet.data)
        except ValueError:
            return packet.data
    return packet.data


def _values(shape: Shape, spans: Any, data: Any) -> Iterator[tuple[Span, Path, Any]]:
    yield from paths(shape, spans)
    for span in spans:
        if span.label in _DATA and shape.covers(span.start, span.end):
            yield span, (), data


def _element(data: Any, element: Any) -> Any:
    return data if element is None else data[element]


def _inside(value: Any) -> Callable[[Any], bool]:
    """Whether a recorded value is this one, or holds it.

    Of an application's own functions only so much is recorded: what is known
    must be there, and nothing may contradict it.
    """
    wanted = values.canonical(value)
    if not isinstance(value, (list, dict)):
        return lambda known: wanted is not None and values.inside(known, wanted)
    return lambda known: (
        (wanted is not None and values.inside(known, wanted)) or values.resembles(known, value)
    )


def _resembles(recorded: Any, data: Any) -> bool:
    """Whether a packet made of ``recorded`` may be the one: the same event, or the same kind of value."""
    if isinstance(data, list) and data:
        return isinstance(recorded, (list, tuple)) and bool(recorded) and recorded[0] == data[0]
    return type(recorded) is type(data)


def _stands(recorded: Any, path: Path, value: Any, span: Span) -> bool:
    """Whether ``recorded`` has ``value`` at ``path``; of a name, whether it is there."""
    try:
        for step in path:
            recorded = recorded[step]
    except (LookupError, TypeError):
        return False
    if span.label == "Name":
        return isinstance(recorded, dict) and value in recorded
    wanted = values.canonical(value)
    return wanted is not None and values.canonical(recorded) == wanted


def _arrivals(
    evidence: Evidence, case: Case, shape: Shape, data: Any, found: list[tuple[Span, Path, Any]]
) -> Owners:
    """Who got the values: the application's function that was handed them, if there is one."""
    decoded = next((proof.call for proof in case.of(shape) if proof.codec.shows), None)
    if decoded is None or not isinstance(data, list):
        return {}
    bounds = evidence.past.after((decoded.process, decoded.thread), decoded.enter_ns)
    arrived: dict[Any, Entry | None] = {}
    owned: Owners = {}
    for span, path, _ in found:
        element = path[0] if path else None
        if element not in arrived:
            call = evidence.calls.first_handed(_inside(_element(data, element)), bounds)
            arrived[element] = None if call is None else entry(Part.GIVEN, call, call.code.first_line)
        got = arrived[element]
        if got is not None:
            owned[span.start] = got
    return owned


# ── bytes that are no packet's text ──────────────────────────────────────────


def _of_attachment(evidence: Evidence, case: Case, shape: Shape, packet: EnginePacket) -> Owners:
    if not case.writing or not isinstance(packet.data, bytes):
        return {}
    holds = _holding(packet.data)
    call = evidence.witnesses.builder(SOCKET_PACKET, holds, case.bounds)
    if call is None:
        return {}
    return _everywhere(case, shape, _origin(evidence, call, holds))


def _of_bytes(evidence: Evidence, case: Case, shape: Shape) -> Owners:
    """A body, or a control frame's payload: the call that returned it first, or that handed it over."""
    holds = _holding(shape.data)
    proofs = [proof for proof in case.of(shape) if proof.codec.shows]
    if shape.form is Form.BODY:
        call = evidence.calls.first_returned(holds, case.thread, case.limit_ns, case.transfers[-1].start_ns)
        if call is not None:
            return _everywhere(case, shape, entry(Part.VALUE, call, call.left))
    elif proofs:
        outermost = min((proof.call for proof in proofs), key=lambda call: call.enter_ns)
        return _everywhere(case, shape, _origin(evidence, outermost, holds))
    return {}


def _holding(data: bytes) -> Callable[[Any], bool]:
    key = values.key(data)
    return lambda known: values.holds(known, key)


def _everywhere(case: Case, shape: Shape, owner: Entry) -> Owners:
    return {span.start: owner for span in case.spans if shape.covers(span.start, span.end)}


# ── entries ──────────────────────────────────────────────────────────────────


def entry(part: Part, call: Call, line: int | None) -> Entry:
    """The line of the ledger for ``call``, at ``line`` of its function."""
    return Entry(part, call.process, call.thread, call.code, line, call.enter_ns, call.id)


def _origin(evidence: Evidence, call: Call, holds: Callable[[Any], bool]) -> Entry:
    origin = evidence.calls.origin(call, holds)
    shown = origin.call
    if origin.site is None:
        return entry(Part.VALUE, shown, shown.code.first_line)
    time_ns = shown.enter_ns if not origin.returned else shown.leave_ns or NEVER
    caller = evidence.calls.parent(shown)
    if caller is not None and caller.code == origin.site.code:
        shown = caller
    return Entry(
        Part.VALUE, shown.process, shown.thread, origin.site.code, origin.site.line, time_ns, shown.id
    )
