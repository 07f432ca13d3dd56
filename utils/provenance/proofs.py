"""Which recorded steps hold a form of the message, byte for byte.

The rule kept here: each step is held against the wire, alone.  A step that
must have been about this message, and recorded other bytes, is a break: what
differs is not explained by anybody.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from utils.journeys.turns import Turns
from utils.provenance import values
from utils.provenance.codecs import Codec, Form
from utils.provenance.forms import Shape, shapes
from utils.provenance.fragments import Fragments, fragments
from utils.provenance.ledger import Break
from utils.provenance.origin import Calls
from utils.provenance.past import Bounds, Past, Thread
from utils.provenance.ranges import Ranges, joined
from utils.provenance.readers import READERS
from utils.provenance.witnesses import Witnesses, shown, shown_values
from utils.provenance.writers import WRITERS
from utils.records import Call, Flow, Message, Recording, Transfer, TransferKind
from utils.redaction import REDACTED
from utils.wire.units import Layer, Span

NEVER = 1 << 63

#: A step that recorded less than this share of a form's bytes was about another message.
_ALIKE = 0.5

#: The forms that belong together: of HTTP, and of a frame.
_HTTP = frozenset({Form.HEAD, Form.LINE, Form.CHUNKS, Form.BODY, Form.CONTENT})
_FRAME = frozenset({Form.FRAME, Form.MASKED, Form.UNMASKED, Form.MESSAGE})

#: Forms of which one message has several, each with steps of its own.
_SEVERAL = frozenset({Form.LINE})

#: Forms that one function may be given piece by piece.
_IN_PIECES = frozenset({Form.CHUNKS, Form.BODY, Form.CONTENT})


@dataclass(frozen=True, slots=True)
class Proof:
    """A call whose snapshot holds a form of the message; or, if the codec shows nothing, belongs to one."""

    codec: Codec
    shape: Shape
    call: Call


@dataclass(slots=True)
class Case:
    """What is known of one message's writing, or of its reading."""

    writing: bool
    message: Message
    spans: Sequence[Span]
    shapes: Sequence[Shape]
    transfers: Sequence[Transfer]
    bounds: Bounds = field(default_factory=dict)
    limit_ns: int = 0  # the send before, or the receive after it: what is beyond is another message's
    proofs: list[Proof] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)

    @property
    def thread(self) -> tuple[str, int]:
        """Where the message left its process, or came into it."""
        edge = self.transfers[-1] if self.writing else self.transfers[0]
        return edge.process, edge.thread

    def of(self, shape: Shape) -> list[Proof]:
        """What proves ``shape``."""
        return [proof for proof in self.proofs if proof.shape is shape]


class Evidence:
    """The recorded calls of one recording, ready to be asked about its ``messages``."""

    def __init__(self, recording: Recording, messages: Iterable[Message]) -> None:
        self._fragments: Fragments = fragments(messages)
        self.turns = Turns(recording.traces)
        self.past = Past(recording.traces)
        self.calls = Calls(recording.traces)
        self.witnesses = Witnesses(recording.traces)
        self._edges: dict[tuple[bool, Flow | Thread], list[int]] = defaultdict(list)
        for trace in recording.traces:
            for transfer in trace.transfers:
                if transfer.length and transfer.kind in (TransferKind.SEND, TransferKind.RECV):
                    sending = transfer.kind is TransferKind.SEND
                    self._edges[sending, transfer.flow].append(transfer.end_ns)
                    self._edges[sending, (trace.process, transfer.thread)].append(transfer.end_ns)
        for times in self._edges.values():
            times.sort()

    def case(self, message: Message, *, writing: bool) -> Case:
        """All that proves who wrote ``message``, or who read it."""
        spans = message.unit.explain()
        find = self.turns.senders if writing else self.turns.readers
        transfers = find(message.flow, message.start, message.end)
        fragment = self._fragments.get((message.flow, message.start))
        case = Case(writing, message, spans, shapes(message, spans, fragment), transfers)
        if not transfers:
            return case
        first, last = transfers[0], transfers[-1]
        if writing:
            case.bounds = self.past.before(case.thread, last.start_ns)
            case.limit_ns = max(
                self._edge_before(place, first.start_ns) for place in (message.flow, case.thread)
            )
        else:
            case.bounds = self.past.after(case.thread, first.end_ns)
            case.limit_ns = min(self._edge_after(place, last.end_ns) for place in (message.flow, case.thread))
        self._prove(case)
        return case

    def _edge_before(self, place: Flow | Thread, time_ns: int) -> int:
        """When the last send before that ended, on a flow or of a thread."""
        edges = self._edges[True, place]
        before = bisect_right(edges, time_ns) - 1
        return edges[before] if before >= 0 else 0

    def _edge_after(self, place: Flow | Thread, time_ns: int) -> int:
        """When the next receive after that ended."""
        edges = self._edges[False, place]
        after = bisect_right(edges, time_ns)
        return edges[after] if after < len(edges) else NEVER

    # ── the steps that show a form ───────────────────────────────────────────

    def _prove(self, case: Case) -> None:
        codecs = WRITERS if case.writing else READERS
        for shape in case.shapes:
            wanted = [codec for codec in codecs if codec.form is shape.form and codec.shows]
            silent = []
            for codec in wanted:
                found = self._equal(case, codec, shape)
                case.proofs += found
                if not found:
                    silent.append(codec)
            # A Socket.IO packet is made in one place, of several that could; so is a command.
            if shape.form in (Form.SOCKET, Form.RESP) and len(silent) < len(wanted):
                continue
            for codec in silent:
                case.proofs += self._differing(case, codec, shape)
        for codec in codecs:
            if not codec.shows:
                case.proofs += self._beside(case, codec)

    def _equal(self, case: Case, codec: Codec, shape: Shape) -> list[Proof]:
        """The call of ``codec`` that recorded all of the form, or those that recorded it in pieces."""
        shape = shape.shorter(codec.less)
        pick = self.witnesses.latest if case.writing else self.witnesses.first
        key = shape.data if codec.form is Form.LINE else values.key(shape.data)
        call = pick(codec, key, case.bounds)
        if call is not None and (codec.form not in _SEVERAL or _at_this_edge(case, call)):
            return [Proof(codec, shape, call)]
        if case.writing and case.message.unit.layer is Layer.UNKNOWN:
            within = self._within(case, codec, shape)
            if within:
                return within
        if codec.form is Form.RESP:
            return self._composed(case, codec, shape)
        return self._pieces(case, codec, shape) if codec.form in _IN_PIECES else []

    def _within(self, case: Case, codec: Codec, shape: Shape) -> list[Proof]:
        """The call around the send that recorded all that was sent, these bytes among it.

        Where nobody's grammar says what belongs together, it is as much as one send.
        """
        sent = case.transfers[-1]
        inner = self.calls.get(sent.process, sent.call)
        around = [] if inner is None else [inner, *self.calls.around(inner)]
        ids = {call.id for call in around}
        first = case.message.start - sent.offset
        return [
            Proof(codec, shape, call)
            for call in self.witnesses.of_thread(codec, case.thread)
            if call.id in ids
            for data in shown(codec, call)
            if isinstance(data, bytes)
            and len(data) == sent.length
            and first >= 0
            and data[first : first + len(shape.data)] == shape.data
        ]

    def _composed(self, case: Case, codec: Codec, shape: Shape) -> list[Proof]:
        """The last call before the send that gave the form as a list of its parts."""
        until = case.transfers[-1].start_ns
        calls = list(self.witnesses.between(codec, case.thread, case.limit_ns, until))
        return [
            Proof(codec, shape, call)
            for call in reversed(calls)
            for parts in shown_values(codec, call)
            if isinstance(parts, list) and values.composes(parts, shape.data)
        ][:1]

    def _pieces(self, case: Case, codec: Codec, shape: Shape) -> list[Proof]:
        low = case.limit_ns if case.writing else case.transfers[0].start_ns
        high = case.transfers[-1].start_ns if case.writing else NEVER
        at = 0
        found: list[Proof] = []
        for call in self.witnesses.between(codec, case.thread, low, high):
            lengths = [values.length(value) for value in shown_values(codec, call)]
            size = lengths[0] if lengths else 0
            piece = shape.data[at : at + size]
            if size and len(piece) == size and values.key(piece) in shown(codec, call):
                found.append(Proof(codec, shape, call))
                at += size
        return found if at == len(shape.data) else []

    def _differing(self, case: Case, codec: Codec, shape: Shape) -> Iterator[Proof]:
        """The call of ``codec`` that must have been about this message, and recorded it otherwise."""
        anywhere = shape.form is Form.SOCKET
        bounds = case.bounds if anywhere else {case.thread: case.bounds[case.thread]}
        if case.writing:
            call = self.witnesses.latest_of(codec, bounds, 0 if anywhere else case.limit_ns)
        else:
            call = self.witnesses.first_of(codec, bounds, NEVER if anywhere else case.limit_ns)
        if call is None:
            return
        for data in shown(codec, call):
            if not isinstance(data, bytes):
                continue
            start, end, theirs = difference(data, shape.data)
            if len(shape.data) - (end - start) < _ALIKE * max(len(shape.data), len(data)):
                continue
            bad = shape.ranges if shape.block else _raw(shape, start, end)
            why = (
                f"{call.code.name} recorded {_quoted(data[start:theirs])}, "
                f"the wire has {_quoted(shape.data[start:end])}"
            )
            if REDACTED.encode() in data:
                # What differs is the secret itself, or near to it: neither is told.
                why = f"{call.code.name} recorded {REDACTED}: a secret is not compared"
            case.breaks.append(Break(case.writing, call.code, call.left, bad, why))
            yield Proof(codec, shape, call)
            return

    # ── the steps that show nothing themselves ───────────────────────────────

    def _beside(self, case: Case, codec: Codec) -> Iterator[Proof]:
        """The call of ``codec`` around, in or beside one that is proved."""
        family = _HTTP if codec.form in _HTTP else _FRAME
        for shape in case.shapes:
            if shape.form is not codec.form:
                continue
            own = codec.form in _SEVERAL
            sure = [
                proof.call
                for proof in case.proofs
                if proof.codec.shows and (proof.shape is shape if own else proof.shape.form in family)
            ]
            if not (own or case.writing):
                sure += self._receiving(case)
            call = self._related(case, codec, sure)
            if call is None and codec.form is Form.CHUNKS and not case.writing:
                # The bytes may have come out of the socket earlier, into a buffer.
                start = case.transfers[0].end_ns
                call = next(self.witnesses.between(codec, case.thread, start, case.limit_ns), None)
            if call is not None:
                yield Proof(codec, shape, call)

    def _receiving(self, case: Case) -> Iterator[Call]:
        """The calls in which the message came out of the socket."""
        for transfer in case.transfers:
            call = self.calls.get(transfer.process, transfer.call)
            if call is not None:
                yield call

    def _related(self, case: Case, codec: Codec, sure: Iterable[Call]) -> Call | None:
        """The call of ``codec`` that stands to one of ``sure`` as a parent, a child or a sibling.

        Of several, the last before the bytes were sent, or the first that did
        not end before they were received.
        """
        for known in sure:
            holding = {known.id, *(call.id for call in self.calls.around(known))}
            thread = (known.process, known.thread)
            found = [
                call
                for call in self.witnesses.of_thread(codec, thread)
                if call.id in holding
                or call.parent in holding
                or any(outer.id == known.id for outer in self.calls.around(call))
            ]
            if case.writing:
                found = [call for call in found if call.enter_ns <= case.transfers[-1].start_ns][-1:]
            else:
                received = case.transfers[0].end_ns
                found = [call for call in found if (call.leave_ns or NEVER) >= received]
            if found:
                return found[0]
        return None


def _at_this_edge(case: Case, call: Call) -> bool:
    """Whether ``call`` happened where this message left or came in, and not at another's.

    Many messages have the same line: ``Host: ...``, or the empty one that ends a head.
    """
    if (call.process, call.thread) != case.thread:
        return False
    if case.writing:
        return call.leave_ns is None or call.leave_ns >= case.limit_ns
    return call.enter_ns <= case.limit_ns


def difference(one: bytes, other: bytes) -> tuple[int, int, int]:
    """Where two texts differ: from where on, to where in ``other``, and to where in ``one``.

    Where bytes are missing in ``other``, the byte that stands there counts.
    """
    start = 0
    least = min(len(one), len(other))
    while start < least and one[start] == other[start]:
        start += 1
    same = 0
    while same < least - start and one[-1 - same] == other[-1 - same]:
        same += 1
    end = len(other) - same
    if start == end:
        start, end = (start - 1, end) if end == len(other) else (start, end + 1)
    return max(0, start), end, max(len(one) - same, start)


def _raw(shape: Shape, start: int, end: int) -> Ranges:
    """Where the bytes ``start`` to ``end`` of a form stand in the message, as far as they do."""
    found = []
    for place in range(start, end):
        with suppress(IndexError):
            found.append(shape.raw_of(place))
    return joined((at, at + 1) for at in found)


def _quoted(data: bytes, most: int = 24) -> str:
    text = repr(data[:most].decode("utf-8", "backslashreplace"))
    return text if len(data) <= most else f"{text}…"
