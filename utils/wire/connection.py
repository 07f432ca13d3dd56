"""Both directions of one TCP connection, from HTTP to Socket.IO.

The rule kept here: the units of a side tile its bytes exactly, in order.  What
cannot be decoded is a unit too, of layer UNKNOWN, with the fault that ended
the decoding; from there on that side is shown and not guessed at.
"""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from utils.wire import deflate, engineio, explain, http, websocket
from utils.wire.tiling import shown
from utils.wire.units import EnginePacket, Fault, Layer, Side, Unit

#: The most bytes that a message of many frames may come to, and the most frames.
LONGEST_MESSAGE = 1 << 28
MOST_FRAGMENTS = 1 << 20

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class _Mode(Enum):
    """What the bytes of a side are taken for."""

    START = "nothing seen yet"
    HTTP = "HTTP"
    WAITING = "asked for a WebSocket; the answer decides"
    WEBSOCKET = "WebSocket"
    LOST = "outside every grammar"


@dataclass(slots=True)
class _Half:
    """One side's bytes that are not yet a unit, and what they may become."""

    side: Side
    mode: _Mode = _Mode.START
    start: int = 0  # offset of buffer[0] in the side's stream
    buffer: bytearray = field(default_factory=bytearray)
    enough: int = 0  # with fewer bytes than this, trying again is in vain
    inflater: deflate.Inflater | None = None
    fragments: list[bytes] = field(default_factory=list)
    fragments_size: int = 0
    opcode: websocket.Opcode = websocket.Opcode.TEXT  # of the message in fragments
    compressed: bool = False

    @property
    def opposite(self) -> Side:
        return Side.SERVER if self.side is Side.CLIENT else Side.CLIENT


class Connection:
    """Feed it both sides' bytes as they come; it gives the units that they complete."""

    def __init__(self) -> None:
        self._halves = {side: _Half(side) for side in Side}
        self._asked: deque[http.Head] = deque()  # requests without their responses yet

    def feed(self, side: Side, data: bytes | memoryview) -> list[Unit]:
        """The units that ``data``, the next bytes of ``side``, completes."""
        half = self._halves[side]
        half.buffer += data
        found = list(self._units(half))
        if half.mode is _Mode.WEBSOCKET or half.mode is _Mode.HTTP:
            # An answer to an upgrade decides what the other side's waiting bytes are.
            found += self._units(self._halves[half.opposite])
        return found

    def gap(self, side: Side, length: int) -> list[Unit]:
        """``length`` bytes of ``side`` are missing; what stood before them is given as it is."""
        half = self._halves[side]
        found = self._flush(half, Fault(len(half.buffer), "the next byte", f"{length} bytes missing"))
        half.start += length
        half.fragments.clear()
        half.fragments_size = 0
        half.mode = _Mode.WEBSOCKET if half.mode is _Mode.WEBSOCKET else _Mode.START
        if half.inflater is not None:
            half.inflater = deflate.Inflater.broken()
        return found

    def finish(self) -> list[Unit]:
        """What is left at the end of the capture."""
        found: list[Unit] = []
        for half in self._halves.values():
            found += self._until_close(half)
            found += self._flush(half, Fault(len(half.buffer), "the rest of it", "the end of the capture"))
        return found

    # ── cutting ──────────────────────────────────────────────────────────────

    def _units(self, half: _Half) -> Iterator[Unit]:
        while half.buffer and len(half.buffer) >= half.enough:
            half.enough = 0
            if half.mode is _Mode.START:
                half.mode = self._guess(half)
            unit: Unit | Fault | None = None
            if half.mode is _Mode.HTTP:
                unit = self._http(half)
            elif half.mode is _Mode.WEBSOCKET:
                unit = self._frame(half)
            elif half.mode is _Mode.LOST:
                unit = Fault(0, "nothing after what could not be decoded", "more bytes")
            if unit is None:
                return
            if isinstance(unit, Fault):
                half.mode = _Mode.LOST
                yield from self._flush(half, unit)
                return
            yield unit

    def _guess(self, half: _Half) -> _Mode:
        """What a stream that was not seen from its beginning is taken for."""
        line = bytes(half.buffer[:64]).split(b"\r\n")[0].decode("latin-1")
        if http.looks_like_http(line):
            return _Mode.HTTP
        frame = websocket.parse(half.buffer)
        if isinstance(frame, websocket.Frame) and bool(frame.key) == (half.side is Side.CLIENT):
            return _Mode.WEBSOCKET
        return _Mode.HTTP  # whose decoder will say what is wrong with it

    def _take(self, half: _Half, size: int) -> tuple[int, bytes]:
        start, raw = half.start, bytes(half.buffer[:size])
        del half.buffer[:size]
        half.start += size
        return start, raw

    def _flush(self, half: _Half, fault: Fault) -> list[Unit]:
        if not half.buffer:
            return []
        start, raw = self._take(half, len(half.buffer))
        return [Unit(half.side, Layer.UNKNOWN, start, raw, raw, summary=f"? {shown(raw)}", faults=(fault,))]

    # ── HTTP ─────────────────────────────────────────────────────────────────

    def _http(self, half: _Half) -> Unit | Fault | None:
        head = http.parse_head(half.buffer)
        if head is None or isinstance(head, Fault):
            return head
        asked = self._asked[0] if half.side is Side.SERVER and self._asked else None
        body = http.find_body(half.buffer, head, asked.method if asked else "")
        if body is None:
            if length := head.get("content-length"):
                half.enough = head.size + int(length.partition(",")[0])
            return None
        if isinstance(body, Fault):
            return body
        if body is http.UNTIL_CLOSE:
            half.enough = len(half.buffer) + (1 << 40)  # only the connection's end completes it
            return None
        return self._message(half, head, body, asked)

    def _until_close(self, half: _Half) -> Iterator[Unit]:
        """A response that ends with the connection is complete now."""
        if half.mode is not _Mode.HTTP or half.side is not Side.SERVER or not half.buffer:
            return
        head = http.parse_head(half.buffer)
        if isinstance(head, http.Head) and http.find_body(half.buffer, head, "") is http.UNTIL_CLOSE:
            end = len(half.buffer)
            body = http.Body(end, ((head.size, end),))
            yield self._message(half, head, body, self._asked[0] if self._asked else None)

    def _message(self, half: _Half, head: http.Head, body: http.Body, asked: http.Head | None) -> Unit:
        start, raw = self._take(half, body.end)
        payload = http.content(raw, body, head)
        faults: list[Fault] = []
        packets: tuple[EnginePacket, ...] = ()
        if payload is None:
            faults.append(Fault(head.size, "a body that can be inflated", "another thing", "RFC 9110 §8.4"))
        if head.status:
            request = asked
            if self._asked and (head.status >= 200 or head.status == 101):
                self._asked.popleft()
            faults += self._upgrade(head, request)
        else:
            request = head
            self._asked.append(head)
            if head.upgrades:
                half.mode = _Mode.WAITING
        polling = request is not None and "transport=polling" in request.target
        if polling and payload and (not head.status or head.status == 200) and payload not in (b"OK", b"ok"):
            found = engineio.decode_payload(payload)
            packets = found.packets
            faults += [Fault(head.size + f.offset, f.expected, f.got, f.clause) for f in found.faults]
        told = [http.summary(head), *map(engineio.summary, packets)]
        return Unit(
            side=half.side,
            layer=Layer.HTTP,
            start=start,
            raw=raw,
            payload=payload or b"",
            packets=packets,
            summary=shown(" · ".join(told), 120),
            faults=tuple(faults),
            _explain=partial(explain.http_message, raw, head, body, bool(packets)),
        )

    def _upgrade(self, head: http.Head, asked: http.Head | None) -> list[Fault]:
        """A response decides what an upgrade that was asked for becomes."""
        client, server = self._halves[Side.CLIENT], self._halves[Side.SERVER]
        if head.status == 101 and (head.upgrades or client.mode is _Mode.WAITING):
            client.mode = server.mode = _Mode.WEBSOCKET
            inflaters = deflate.agreed(head.get("sec-websocket-extensions"))
            client.inflater, server.inflater = inflaters.get(Side.CLIENT), inflaters.get(Side.SERVER)
            key = asked.get("sec-websocket-key") if asked else ""
            if key:
                digest = hashlib.sha1(key.encode("latin-1") + _GUID, usedforsecurity=False).digest()
                expected, got = base64.b64encode(digest).decode(), head.get("sec-websocket-accept")
                if got != expected:
                    return [Fault(0, f"Sec-WebSocket-Accept: {expected}", shown(got), "RFC 6455 §4.2.2")]
        elif client.mode is _Mode.WAITING and head.status >= 200:
            client.mode = _Mode.HTTP
        return []

    # ── WebSocket ────────────────────────────────────────────────────────────

    def _frame(self, half: _Half) -> Unit | Fault | None:
        frame = websocket.parse(half.buffer)
        if frame is None or isinstance(frame, Fault):
            return frame
        if len(half.buffer) < frame.end:
            half.enough = frame.end
            return None
        start, raw = self._take(half, frame.end)
        payload = websocket.unmask(frame.key, raw[frame.head :])
        faults: list[Fault] = []
        if bool(frame.key) != (half.side is Side.CLIENT):
            got = "a mask" if frame.key else "no mask"
            faults.append(Fault(1, "a mask from the client only", got, "RFC 6455 §5.1"))
        packets: tuple[EnginePacket, ...] = ()
        whole: bytes | None = payload
        if frame.opcode is websocket.Opcode.CLOSE:
            told = f"close {websocket.close_reason(payload)}"
        elif frame.opcode.is_control:
            told = f"WebSocket {frame.opcode.name.lower()} {shown(payload)}".rstrip()
        else:
            whole = self._assemble(half, frame, payload, faults)
            if whole is None:
                told = f"fragment, {len(payload)} bytes" if not faults else faults[-1].got
            else:
                packets, told = self._packets(half.opcode, whole, frame.head, faults)
        alone = frame.fin and frame.opcode is not websocket.Opcode.CONTINUATION
        return Unit(
            side=half.side,
            layer=Layer.WEBSOCKET,
            start=start,
            raw=raw,
            payload=payload if whole is None else whole,
            packets=packets,
            summary=shown(told, 120),
            faults=tuple(faults),
            _explain=partial(explain.frame, raw, frame, payload, whole, alone),
        )

    def _assemble(
        self, half: _Half, frame: websocket.Frame, payload: bytes, faults: list[Fault]
    ) -> bytes | None:
        """The whole message, inflated, if this frame ends it."""
        continues = frame.opcode is websocket.Opcode.CONTINUATION
        if continues != bool(half.fragments):
            expected = "a continuation frame" if half.fragments else "a new message"
            faults.append(Fault(0, expected, frame.opcode.name, "RFC 6455 §5.4"))
            half.fragments.clear()
            half.fragments_size = 0
        if not continues:
            half.opcode = frame.opcode
            half.compressed = bool(frame.rsv & 4)
            if frame.rsv & (4 if half.inflater is None else 0) or frame.rsv & 3:
                faults.append(Fault(0, "no reserved bit", f"RSV {frame.rsv:03b}", "RFC 6455 §5.2"))
        half.fragments.append(payload)
        half.fragments_size += len(payload) + 1
        if half.fragments_size > LONGEST_MESSAGE or len(half.fragments) > MOST_FRAGMENTS:
            faults.append(Fault(0, f"a message of at most {LONGEST_MESSAGE} bytes", "more", "RFC 6455 §10.4"))
            half.fragments.clear()
            half.fragments_size = 0
            return None
        if not frame.fin:
            return None
        whole = b"".join(half.fragments)
        half.fragments.clear()
        half.fragments_size = 0
        if half.compressed and half.inflater is not None:
            inflated = half.inflater.inflate(whole)
            if inflated is None:
                got = "a message that cannot be inflated: frames before it are missing, or it is too large"
                faults.append(Fault(frame.head, "a deflated message", got, "RFC 7692 §7.2.2"))
            return inflated
        return whole

    def _packets(
        self, opcode: websocket.Opcode, whole: bytes, head: int, faults: list[Fault]
    ) -> tuple[tuple[EnginePacket, ...], str]:
        if opcode is websocket.Opcode.BINARY:
            packet = engineio.decode_binary(whole)
            return (packet,), engineio.summary(packet)
        try:
            text = whole.decode("utf-8")
        except UnicodeDecodeError as error:
            faults.append(Fault(head + error.start, "UTF-8", f"{whole[error.start]:#04x}", "RFC 6455 §8.1"))
            return (), f"? {shown(whole)}"
        found = engineio.decode_text(text)
        faults += [Fault(head + f.offset, f.expected, f.got, f.clause) for f in found.faults]
        if not found.packets:
            return (), f"? {shown(whole)}"
        return found.packets, engineio.summary(found.packets[0])
