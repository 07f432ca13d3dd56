"""Both directions of one TCP connection, from HTTP to Socket.IO.

The rule kept here: the units of a side tile its bytes exactly, in order.  What
cannot be decoded is a unit too, of layer UNKNOWN, with the fault that ended
the decoding; it is resumed at the next place that can hardly be anything but a
beginning (:mod:`utils.wire.resync`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial

from utils.redaction import scrub
from utils.wire import body as bodies
from utils.wire import deflate, engineio, explain, frames, http, websocket
from utils.wire.half import Half, Mode
from utils.wire.resync import Found, Seeker
from utils.wire.tiling import shown
from utils.wire.units import EnginePacket, Fault, Layer, Side, Unit

#: The most requests that wait for their answers; older ones are forgotten.
MOST_ASKED = 1024

_OTHER = {Side.CLIENT: Side.SERVER, Side.SERVER: Side.CLIENT}
_FOREVER = 1 << 62

_TEXT = websocket.Opcode.TEXT


class Connection:
    """Feed it both sides' bytes as they come; it gives the units that they complete."""

    def __init__(self) -> None:
        self._halves = {side: Half(side, Seeker(side)) for side in Side}
        self._asked: deque[http.Head] = deque(maxlen=MOST_ASKED)  # requests without their responses yet
        self._switched = False  # to WebSocket
        self._decided = False  # it has become known what the client's waiting bytes are

    def feed(self, side: Side, data: bytes | memoryview) -> list[Unit]:
        """The units that ``data``, the next bytes of ``side``, completes."""
        half = self._halves[side]
        half.buffer += data
        found: list[Unit] = []
        self._decode(half, found)
        return found

    def gap(self, side: Side, length: int) -> list[Unit]:
        """``length`` bytes of ``side`` are missing; what stood before them is given as it is."""
        half = self._halves[side]
        # Of a message whose length is known, what is left of it behind the gap is passed over.
        left = (half.skip or half.ends_at - len(half.buffer)) - length
        mode, head = half.mode, half.head
        found = self._flush(half, Fault(len(half.buffer), "the next byte", f"{length} bytes missing"))
        half.start += length
        half.seek(Fault(0, "the bytes before it", f"{length} bytes missing"))
        half.skip = 0
        if left >= 0 and mode in (Mode.HTTP, Mode.WEBSOCKET):
            half.mode, half.skip = mode, left
            if head is not None:
                self._settle(half, head, [])
        else:
            while len(self._asked) > 1:  # which of them were answered in the lost bytes is not known
                self._asked.popleft()
        return found

    def finish(self) -> list[Unit]:
        """What is left at the end of the capture."""
        found: list[Unit] = []
        for half in self._halves.values():
            half.final, half.enough = True, 0
            if half.mode is Mode.WAITING:
                half.seek(Fault(0, "the answer to the upgrade", "no answer"))
            self._decode(half, found)
            if half.head is not None and half.body is not None and half.body.until_close:
                half.body.close(len(half.buffer))
                found.append(self._message(half, half.head, half.body, []))
            found += self._flush(half, Fault(len(half.buffer), "the rest of it", "the end of the capture"))
        return found

    @property
    def framing(self) -> bool:
        """Whether both sides speak WebSocket, and of neither anything is under way.

        The next frame of either side then tells all by itself, or is
        compressed: it may be passed over here with :meth:`skip`.
        """
        return all(half.framing for half in self._halves.values())

    def inflater(self, side: Side) -> deflate.Inflater | None:
        """What inflates the messages of ``side``; None if the handshake agreed on nothing of the kind."""
        return self._halves[side].assembler.inflater

    def cut(self, side: Side, data: bytes) -> list[frames.Cut]:
        """The frames in ``data``, the next bytes of ``side``; :meth:`feed` would make units of them."""
        half = self._halves[side]
        found, at = [], 0
        while at < len(data):
            frame = websocket.parse(data, at)
            assert isinstance(frame, websocket.Frame)
            raw = data[at : at + frame.end]
            found.append(_cut(half, half.start, raw, frame))
            half.start += len(raw)
            at += len(raw)
        return found

    def skip(self, side: Side, length: int) -> None:
        """The next ``length`` bytes of ``side``, whole frames, are decoded by somebody else."""
        self._halves[side].start += length

    # ── cutting ──────────────────────────────────────────────────────────────

    def _decode(self, half: Half, found: list[Unit]) -> None:
        buffer = half.buffer
        while buffer and len(buffer) >= half.enough:
            mode = half.mode
            unit: Unit | Fault | None = None
            if half.skip:
                taken = min(half.skip, len(buffer))
                half.skip -= taken
                unit = self._unknown(half, taken, half.trouble)
            elif mode is Mode.WEBSOCKET:
                unit = self._frame(half)
            elif mode is Mode.HTTP:
                unit = self._http(half)
            elif mode is Mode.SEEKING:
                unit = self._seek(half)
            elif len(buffer) > websocket.LONGEST:
                unit = Fault(0, "the answer to the upgrade", "no answer")
            if unit is None:
                if half.mode is mode:
                    return
            elif isinstance(unit, Fault):
                half.seek(unit, after=1)
            else:
                found.append(unit)
                if self._decided:
                    # Before anything more of this side: the bytes of the other came earlier.
                    self._decided = False
                    self._decode(self._halves[_OTHER[half.side]], found)

    def _seek(self, half: Half) -> Unit | None:
        """What precedes the next beginning, if anything does."""
        place = half.seeker.find(half.buffer, half.after, fresh=half.fresh, final=half.final)
        if place.at or place.found is not Found.NOTHING:
            half.fresh, half.after = False, 0
        unit = self._unknown(half, place.at, half.trouble) if place.at else None
        half.enough = place.need
        if place.found is Found.HTTP:
            half.mode = Mode.HTTP
        elif place.found is Found.FRAME:
            half.mode = Mode.WEBSOCKET
            self._unseen_handshake(half)
        return unit

    def _take(self, half: Half, size: int) -> tuple[int, bytes]:
        start, raw = half.start, bytes(half.buffer[:size])
        del half.buffer[:size]
        half.start = start + size
        return start, raw

    def _unknown(self, half: Half, size: int, fault: Fault) -> Unit:
        start, raw = self._take(half, size)
        if fault.offset > size:  # it was in what came before
            fault = replace(fault, offset=0)
        told = shown(scrub(raw[:400].decode("utf-8", "backslashreplace")))
        return Unit(half.side, Layer.UNKNOWN, start, raw, raw, summary=f"? {told}", faults=(fault,))

    def _flush(self, half: Half, fault: Fault) -> list[Unit]:
        return [self._unknown(half, len(half.buffer), fault)] if half.buffer else []

    # ── HTTP ─────────────────────────────────────────────────────────────────

    def _http(self, half: Half) -> Unit | Fault | None:
        if half.head is None:
            head = http.parse_head(half.buffer, half.scanned)
            if not isinstance(head, http.Head):
                half.scanned = len(half.buffer)
                return head
            asked = self._asked[0] if half.side is Side.SERVER and self._asked else None
            body = bodies.begin(head, asked.method if asked else "")
            if isinstance(body, Fault):
                unit = self._message(half, head, bodies.Body(head), [body])
                half.seek(body)
                return unit
            if body.length is not None and body.length > bodies.LONGEST:
                most = f"a body of at most {bodies.LONGEST} bytes"
                long = Fault(0, most, str(body.length), "RFC 9110 §8.6")
                unit = self._message(half, head, bodies.Body(head), [long])
                half.skip, half.trouble = body.length, long
                return unit
            half.head, half.body = head, body
        assert half.head is not None and half.body is not None
        complete = half.body.advance(half.buffer)
        if isinstance(complete, Fault):
            until_close = half.body.until_close
            unit = self._message(half, half.head, half.body, [complete])
            half.seek(replace(complete, offset=0))
            half.skip = _FOREVER if until_close else 0
            return unit
        if complete:
            return self._message(half, half.head, half.body, [])
        half.enough = half.body.need
        half.ends_at = 0 if half.body.length is None else half.enough
        return None

    def _message(self, half: Half, head: http.Head, body: bodies.Body, faults: list[Fault]) -> Unit:
        start, raw = self._take(half, body.end)
        half.forget()
        payload = bodies.content(raw, body, head)
        faults = [*head.faults, *faults]
        packets: tuple[EnginePacket, ...] = ()
        if payload is None:
            faults.append(Fault(head.size, "a body that can be inflated", "another thing", "RFC 9110 §8.4"))
        if half.upgraded:
            faults.append(Fault(0, "a WebSocket frame", "HTTP", "RFC 6455 §5"))
        if bool(head.status) != (half.side is Side.SERVER):
            expected, got = "a request", "a response"
            if not head.status:
                expected, got = got, expected
            faults.append(Fault(0, f"{expected} from the {half.side.value}", got, "RFC 9112 §2.1"))
        request = self._settle(half, head, faults)
        told = [http.summary(head)]
        polling = request is not None and request.query.get("transport") == "polling"
        if polling and payload and head.status in (0, 200) and payload.lower() != b"ok":
            found = engineio.decode_payload(payload)
            packets = found.packets
            told.append(found.told)
            faults += frames.placed(
                found.faults, partial(body.place, coded=bool(head.get("content-encoding")))
            )
        return Unit(
            half.side,
            Layer.HTTP,
            start,
            raw,
            payload or b"",
            packets,
            shown(" · ".join(told), 120),
            tuple(faults),
            partial(explain.http_message, raw, head, body.runs, payload or b"", bool(packets)),
        )

    def _settle(self, half: Half, head: http.Head, faults: list[Fault]) -> http.Head | None:
        """Note a request, or what a response decides; the request that ``head`` is or answers."""
        if not head.status:
            self._asked.append(head)
            if head.upgrades and half.side is Side.CLIENT and not half.upgraded:
                half.mode = Mode.WEBSOCKET if self._switched else Mode.WAITING
            return head
        asked = self._asked[0] if self._asked else None
        if head.status >= 200 or head.status == 101:
            if asked is not None:
                self._asked.popleft()
            if not half.upgraded:
                self._answer(half, head, asked, faults)
        return asked

    def _answer(self, half: Half, head: http.Head, asked: http.Head | None, faults: list[Fault]) -> None:
        """A response decides what an upgrade that was asked for becomes."""
        client = self._halves[Side.CLIENT]
        waiting = client.mode is Mode.WAITING
        if head.status != 101:
            if waiting and asked is not None and asked.upgrades:
                client.mode, self._decided = Mode.HTTP, True
            return
        if asked is not None and not asked.upgrades:
            got = "101 to a request that asked for no upgrade"
            faults.append(Fault(0, "another answer", got, "RFC 9110 §15.2.2"))
            return
        if not head.upgrades:
            faults.append(Fault(0, "Upgrade: websocket", shown(head.get("upgrade")), "RFC 6455 §4.2.2"))
        self._switched = half.upgraded = True
        half.mode = Mode.WEBSOCKET
        inflaters = deflate.agreed(head.get("sec-websocket-extensions"))
        for side, inflater in inflaters.items():
            self._halves[side].assembler.inflater = inflater
        if waiting:
            client.mode, client.upgraded, self._decided = Mode.WEBSOCKET, True, True
        if asked is not None:
            key, accept = asked.get("sec-websocket-key"), head.get("sec-websocket-accept")
            if accept != (expected := websocket.accept(key)):
                got = shown(accept) or "none"
                faults.append(Fault(0, f"Sec-WebSocket-Accept: {expected}", got, "RFC 6455 §4.2.2"))

    def _unseen_handshake(self, half: Half) -> None:
        """Frames were found without their handshake: what it agreed on is not known."""
        if not self._switched:
            self._switched = True
            for one in self._halves.values():
                one.assembler.inflater = deflate.Inflater(takeover=True)
                one.assembler.inflater.lose()
                if one.mode is Mode.WAITING:
                    one.mode, one.upgraded, self._decided = Mode.WEBSOCKET, True, True
        half.upgraded = True

    # ── WebSocket ────────────────────────────────────────────────────────────

    def _frame(self, half: Half) -> Unit | Fault | None:
        frame = websocket.parse(half.buffer)
        if not isinstance(frame, websocket.Frame):
            return frame
        length, end = frame.length, frame.end
        if length > websocket.LONGEST:
            most = f"a payload of at most {websocket.LONGEST} bytes"
            return Fault(2, most, f"{length} bytes", "RFC 6455 §10.4")
        if len(half.buffer) < end:
            half.enough = half.ends_at = end
            return None
        start, raw = self._take(half, end)
        half.enough = half.ends_at = 0
        return _cut(half, start, raw, frame).unit()


def _cut(half: Half, start: int, raw: bytes, frame: websocket.Frame) -> frames.Cut:
    """The next frame of a side, and what it is of its message."""
    payload, part = websocket.unmask(frame.key, raw[frame.head :]), None
    # Most frames by far are whole text messages, and tell all by themselves.
    plain = frame.opcode is _TEXT and frame.fin and not frame.rsv and half.assembler.idle
    if not plain and not frame.opcode.is_control:
        part = half.assembler.add(frame, payload)
    return frames.Cut(half.side, start, raw, frame, payload, part)
