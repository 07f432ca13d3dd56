"""The ledgers of a recording's messages.

The rule kept here: a byte is explained if exactly one send (one receive) moved
it, a step is known that makes (takes apart) its field and recorded it as it is
on the wire, and no step on the way recorded it otherwise.  A value in a
packet's JSON must also be among what the packet was made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from utils import libraries
from utils.provenance.codecs import ANY, CALLER, EACH, Codec, Form
from utils.provenance.handover import Owners, owners
from utils.provenance.ledger import Entry, Field, Ledger, Part
from utils.provenance.proofs import Case, Evidence, Proof
from utils.provenance.ranges import Ranges, common, once, size, without
from utils.records import Call, Code, Endpoint, Flow, Message, Recording, Transfer
from utils.wire.units import Layer, Span
from utils.wire.websocket import Opcode

#: Labels of what a packet's text says, and the application decided.
_VALUES = frozenset({"Event name", "Name", "String", "Number", "Literal"})

_PACKETS = (Form.PACKET, Form.SOCKET)

#: Forms of which a value must be among what they were made of.
_VALUED = (*_PACKETS, Form.QUEUED)


class Book:
    """The ledgers of one recording, each made when it is asked for.

    ``messages`` are all of the recording's (see :func:`utils.streams.dissection.messages`);
    ``outside`` names the programs that were not traced, by the ports at their ends.
    """

    def __init__(
        self, recording: Recording, messages: Iterable[Message], outside: Mapping[int, str] | None = None
    ) -> None:
        self._outside = outside or {}
        messages = list(messages)
        self._evidence = Evidence(recording, messages)
        self._ledgers: dict[tuple[Flow, int], Ledger] = {}
        self._closed: dict[frozenset[Endpoint], int] = {}  # connection → when the first Close was seen
        for message in messages:
            if is_close(message):
                connection = frozenset(message.flow)
                seen = self._closed.get(connection, message.first_ns)
                self._closed[connection] = min(seen, message.first_ns)

    def ledger(self, message: Message) -> Ledger:
        """The ledger of ``message``, one of the recording's."""
        place = (message.flow, message.start)
        if place not in self._ledgers:
            self._ledgers[place] = self._make(message)
        return self._ledgers[place]

    def _make(self, message: Message) -> Ledger:
        sent = self._evidence.case(message, writing=True)
        received = self._evidence.case(message, writing=False)
        givers, getters = owners(self._evidence, sent), owners(self._evidence, received)
        fields = []
        for span in sent.spans:
            written, unwritten = self._way(sent, givers, span)
            read, unread = self._way(received, getters, span)
            fields.append(Field(span, written, read, unwritten, unread))
        sender, receiver = (self._outside.get(end.port, "") for end in message.flow)
        late = self._closed.get(frozenset(message.flow), message.first_ns) < message.first_ns
        return Ledger(
            message,
            tuple(fields),
            breaks=(*sent.breaks, *received.breaks),
            unreceived=0 if receiver else len(message.unit.raw) - size(_moved(received)),
            late=late,
            sender=sender,
            receiver=receiver,
        )

    def _way(self, case: Case, owned: Owners, span: Span) -> tuple[tuple[Entry, ...], Ranges]:
        """The way of one span, by time, and those of its bytes that are not explained."""
        whole = ((span.start, span.end),)
        if not case.transfers:
            return (), whole
        proofs = [
            proof
            for proof in case.proofs
            if proof.shape.covers(span.start, span.end)
            and (proof.codec.shows or _piece(proof, span) is not None)
        ]
        proofs.sort(key=lambda proof: -proof.shape.form)
        maker = next((proof for proof in proofs if self._deals_with(case, proof, span)), None)
        owner = owned.get(span.start)
        entries = [self._entry(case, proof, span, made=proof is maker) for proof in proofs]
        entries += [_edge(case, transfer) for transfer in case.transfers if _moves(transfer, case, span)]
        if owner is not None:
            entries.append(owner)
        explained = maker is not None
        if case.writing and _in_packet(case, span):
            explained = explained and (owner is not None or span.label not in _VALUES)
        elif case.writing:
            explained = explained or owner is not None
        broken = [piece for one in case.breaks for piece in one.ranges]
        sure = without(common(whole, _moved(case)), broken) if explained else ()
        return _in_order(entries, case.writing), without(whole, sure)

    def _deals_with(self, case: Case, proof: Proof, span: Span) -> bool:
        """Whether the proved step makes (takes apart) this very field."""
        if _piece(proof, span) is None:
            return False
        inner = [
            shape.form
            for shape in case.shapes
            if shape.form in _PACKETS and not shape.block and shape.covers(span.start, span.end)
        ]
        return not inner or proof.shape.form is max(inner)

    # ── entries ──────────────────────────────────────────────────────────────

    def _entry(self, case: Case, proof: Proof, span: Span, *, made: bool) -> Entry:
        call, piece = proof.call, _piece(proof, span)
        part = Part.CARRIED
        if made:
            part = Part.MADE if case.writing else Part.READ
        code, line = call.code, call.left
        if piece == CALLER and call.site is not None:
            code, line = call.site.code, call.site.line
            caller = self._evidence.calls.parent(call)
            call = caller if caller is not None and caller.code == code else call
        elif piece is not None:
            line = self._line(call, piece, proof)
        return Entry(part, call.process, call.thread, code, line, call.enter_ns, call.id)

    def _line(self, call: Call, piece: str, proof: Proof) -> int | None:
        """The line of ``call``'s function in which ``piece`` stands; else the one that it returned from."""
        if piece == CALLER:
            return call.left
        if piece != EACH:
            return libraries.line_with(call.code, piece) or call.left
        text = proof.shape.data.decode("latin-1").rstrip("\r\n")
        lines = (libraries.line_with(call.code, text[:end]) for end in range(len(text), 2, -1))
        return next((line for line in lines if line is not None), call.left)


def is_close(message: Message) -> bool:
    """Whether it is a WebSocket Close frame: nobody has to read what comes behind (RFC 6455 §5.5.1)."""
    unit = message.unit
    return unit.layer is Layer.WEBSOCKET and bool(unit.raw) and unit.raw[0] & 0x0F == Opcode.CLOSE


def _piece(proof: Proof, span: Span) -> str | None:
    """The piece of source by which the codec deals with ``span``; None if it does not."""
    return piece_of(proof.codec, span, in_base64=proof.shape.form is Form.PACKET and _is_base64(proof))


def piece_of(codec: Codec, span: Span, *, in_base64: bool = False) -> str | None:
    """What ``codec`` has for the label of ``span``, the most exact first."""
    label = f"{span.label} in base64" if in_base64 and span.label == "Attachment" else span.label
    layer = span.layer.value
    for name in (f"{layer} {label} {span.value}", f"{layer} {label}", label):
        if name in codec.fields:
            return codec.fields[name]
    return codec.fields.get(ANY)


def _is_base64(proof: Proof) -> bool:
    packet = proof.shape.packet
    return packet is not None and packet.attachment and proof.shape.data != packet.data


def _in_packet(case: Case, span: Span) -> bool:
    return any(
        shape.form in _VALUED and not shape.block and shape.covers(span.start, span.end)
        for shape in case.shapes
    )


def _edge(case: Case, transfer: Transfer) -> Entry:
    part = Part.SENT if case.writing else Part.RECEIVED
    site = transfer.site
    code, line = (site.code, site.line) if site is not None else (None, None)
    time_ns = transfer.start_ns if case.writing else transfer.end_ns
    return Entry(part, transfer.process, transfer.thread, code, line, time_ns, transfer.call)


def _moves(transfer: Transfer, case: Case, span: Span) -> bool:
    start = case.message.start
    return transfer.offset < start + span.end and start + span.start < transfer.end


def _moved(case: Case) -> Ranges:
    """The message's bytes that exactly one transfer moved."""
    start, end = case.message.start, case.message.end
    return once((max(start, one.offset) - start, min(end, one.end) - start) for one in case.transfers)


def _in_order(entries: Iterable[Entry], writing: bool) -> tuple[Entry, ...]:
    """By time, without repeats; the socket's own step stands at its end of the way."""
    last = (Part.SENT,) if writing else (Part.GIVEN,)
    first = (Part.VALUE,) if writing else (Part.RECEIVED,)
    found: dict[tuple[Part, str, Code | None, int | None], Entry] = {}
    ranked = sorted(entries, key=lambda one: ((one.part in last) - (one.part in first), one.time_ns))
    for one in ranked:
        found.setdefault((one.part, one.process, one.code, one.line), one)
    return tuple(found.values())
