"""Builds journeys that look like the real ones, for the tests of the views.

Excerpts, versions, licences and links are read from the packages installed
here; the frames' bytes are written by wsproto; only the times are made up.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import engineio
import engineio.socket
import flask_socketio
import simple_websocket
import socketio
import websocket
import wsproto.connection
import wsproto.frame_protocol

from utils import libraries
from utils.records import Code, Endpoint, Flow, Journey, Level, Link, Message, Step, StepKind
from utils.wire.units import (
    EnginePacket,
    EngineType,
    Fault,
    Layer,
    Side,
    SocketPacket,
    SocketType,
    Span,
    Unit,
)

START_NS = 1_760_000_000_000_000_000
SERVER = Endpoint("127.0.0.1", 5000)
ALICE = Endpoint("127.0.0.1", 40001)
BOB = Endpoint("127.0.0.1", 40002)
CLIENTS = {ALICE.port: "alice", BOB.port: "bob"}

BID = {"auctionID": 7, "newPrice": 1250}


def event_message(
    name: str = "replace old value",
    data: Any = BID,
    *,
    side: Side = Side.CLIENT,
    client: Endpoint = ALICE,
    start: int = 512,
    first_ns: int = START_NS + 700_000,
) -> Message:
    """A Socket.IO event in one WebSocket frame, masked if the client sends it."""
    text = "42" + json.dumps([name, data], separators=(",", ":"), ensure_ascii=False)
    protocol = wsproto.frame_protocol.FrameProtocol(client=side is Side.CLIENT, extensions=[])
    raw = bytes(protocol.send_data(text))
    socket_packet = SocketPacket(SocketType.EVENT, data=[name, data])
    packet = EnginePacket(EngineType.MESSAGE, text[1:], socket_packet)
    summary = f"event {json.dumps(name, ensure_ascii=False)} {json.dumps(data, ensure_ascii=False)}"
    unit = Unit(
        side,
        Layer.WEBSOCKET,
        start,
        raw,
        text.encode(),
        (packet,),
        summary,
        (),
        partial(_explain_event, raw, text, name),
    )
    flow = Flow(client, SERVER) if side is Side.CLIENT else Flow(SERVER, client)
    return Message(flow, unit, first_ns, first_ns)


def _explain_event(raw: bytes, text: str, name: str) -> tuple[Span, ...]:
    encoded = text.encode()
    head = len(raw) - len(encoded)
    masked = raw[1] & 0x80
    key = head - 4 if masked else head
    quoted = json.dumps(name, ensure_ascii=False).encode()
    at = head + 3 + len(quoted)
    rfc = "RFC 6455, section 5.2"
    spans = [
        Span(0, 1, Layer.WEBSOCKET, "FIN, opcode", "FIN, text", "A whole text message in one frame.", rfc),
        Span(1, key, Layer.WEBSOCKET, "MASK, length", f"{len(encoded)}", "How long the payload is.", rfc),
        Span(key, head, Layer.WEBSOCKET, "Masking key", raw[key:head].hex(" "), "Undoes the mask.", rfc),
        Span(
            head,
            head + 1,
            Layer.ENGINEIO,
            "Packet type",
            "4 MESSAGE",
            "For the layer above.",
            "engine.io-protocol",
        ),
        Span(
            head + 1,
            head + 2,
            Layer.SOCKETIO,
            "Packet type",
            "2 EVENT",
            "A named event.",
            "socket.io-protocol",
        ),
        Span(head + 2, head + 3, Layer.PAYLOAD, "JSON", "[", "An array begins.", "RFC 8259, section 5"),
        Span(head + 3, at, Layer.SOCKETIO, "Event name", name, "Which handler runs.", "socket.io-protocol"),
        Span(at, at + 1, Layer.PAYLOAD, "JSON", ",", "The next element.", "RFC 8259, section 5"),
        Span(
            at + 1,
            len(raw),
            Layer.PAYLOAD,
            "Arguments",
            encoded[at + 1 - head :].decode("utf-8", "replace"),
            "What the handler is called with.",
            "RFC 8259",
        ),
    ]
    return tuple(span for span in spans if span.start < span.end)


def http_message(
    *,
    text: str = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n",
    start: int = 0,
) -> Message:
    """An HTTP request, a span a line."""
    raw = text.encode()
    spans = []
    at = 0
    for line in raw.splitlines(keepends=True):
        label = "Request line" if at == 0 else "Header" if line.strip() else "End of headers"
        spans.append(
            Span(
                at,
                at + len(line),
                Layer.HTTP,
                label,
                line.decode().rstrip(),
                "One line.",
                "RFC 9112, section 2.1",
            )
        )
        at += len(line)
    unit = Unit(
        Side.CLIENT, Layer.HTTP, start, raw, b"", (), text.split(" HTTP/")[0], (), partial(tuple, spans)
    )
    return Message(Flow(ALICE, SERVER), unit, START_NS, START_NS)


def broken_message(raw: bytes = b"\x83\x00garbage") -> Message:
    """Bytes outside the grammar, with the fault that says so."""
    fault = Fault(0, "an opcode that is defined", "opcode 3", "RFC 6455, section 5.2")
    unit = Unit(Side.SERVER, Layer.UNKNOWN, 0, raw, b"", (), "bytes outside the grammar", (fault,))
    return Message(Flow(SERVER, ALICE), unit, START_NS, START_NS)


def code_of(function: Callable[..., Any]) -> Code:
    """The record of an installed function's code."""
    code = inspect.unwrap(function).__code__
    return Code(code.co_filename, getattr(code, "co_qualname", function.__qualname__), code.co_firstlineno)


def call(
    function: Callable[..., Any],
    process: str,
    thread: str,
    *,
    since_us: float,
    depth: int = 0,
    turn: int = 1,
    took_us: float | None = 50.0,
    level: Level = Level.ESSENTIAL,
    line: int | None = None,
    arguments: Sequence[tuple[str, str]] = (),
    result: str | None = None,
    note: str = "",
    message: Message | None = None,
) -> Step:
    """A step that enters ``function``; ``line`` counts from the function's first line."""
    code = code_of(function)
    current = code.first_line + line if line is not None else code.first_line + 3
    where = libraries.place(code.filename)
    return Step(
        kind=StepKind.CALL,
        level=level,
        process=process,
        thread=thread,
        title=code.name,
        since_ns=round(since_us * 1000),
        depth=depth,
        duration_ns=None if took_us is None else round(took_us * 1000),
        library=where.library if where else None,
        excerpt=libraries.excerpt(code, current),
        link=libraries.link(code.filename, current),
        arguments=tuple(arguments),
        result=result,
        note=note,
        message=message,
        turn=turn,
    )


def moved(kind: StepKind, message: Message, process: str, thread: str, *, since_us: float, turn: int) -> Step:
    """A step at which ``message`` is sent, received, or on the wire."""
    length = len(message.unit.raw)
    wire = kind is StepKind.WIRE
    return Step(
        kind=kind,
        level=Level.LIBRARY,
        process=process,
        thread=thread,
        title=message.unit.summary if wire else f"socket.{kind.value}",
        since_ns=round(since_us * 1000),
        depth=0,
        duration_ns=None if wire else 21_000,
        note=f"{length} bytes on the wire, {thread}" if wire else f"{length} bytes, at {message.start}",
        message=message,
        span=(0, length),
        turn=turn,
    )


def handed(title: str, process: str, thread: str, *, since_us: float, turn: int, note: str) -> Step:
    """A step at which work passes into ``thread``."""
    return Step(
        StepKind.HANDOFF,
        Level.LIBRARY,
        process,
        thread,
        title,
        round(since_us * 1000),
        0,
        35_000,
        turn=turn,
        note=note,
    )


def bid_journey() -> Journey:
    """One bid: from a client's emit, through the server's threads, to two clients."""
    return Journey('event "replace old value"', START_NS, tuple(_bid_steps()), "live")


def _bid_steps() -> Iterator[Step]:
    library, essential, all_ = Level.LIBRARY, Level.ESSENTIAL, Level.ALL
    bid = event_message()
    argument = repr(BID)
    main = partial(call, process="client", thread="MainThread", turn=1, message=bid)
    yield main(
        socketio.Client.emit,
        since_us=0,
        took_us=610,
        level=library,
        line=36,
        arguments=[("event", "'replace old value'"), ("data", argument), ("namespace", "None")],
        result="None",
        note="called by <cell line: 1>, line 1",
    )
    yield main(
        socketio.Client._send_packet,
        since_us=80,
        depth=1,
        line=2,
        took_us=420,
        arguments=[("pkt", "<socketio.Packet>")],
    )
    yield main(
        socketio.packet.Packet.encode,
        since_us=101,
        depth=2,
        line=8,
        took_us=130,
        result='\'2["replace old value",{"auctionID":7,"newPrice":1250}]\'',
    )
    yield main(engineio.Client.send, since_us=260, depth=2, level=library, line=9, took_us=160)
    yield main(engineio.Client._send_packet, since_us=290, depth=3, level=essential, took_us=60)
    yield handed(
        "Queue.put → Queue.get",
        "client",
        "_write_loop",
        since_us=330,
        turn=2,
        note="put into a queue by MainThread; taken out of it here",
    )
    writer = partial(call, process="client", thread="_write_loop", turn=2, message=bid)
    yield writer(engineio.Client._write_loop, since_us=372, level=library, line=60, took_us=None)
    yield writer(
        engineio.packet.Packet.encode, since_us=391, depth=1, line=4, result="'42[\"replace old value\",…]'"
    )
    yield writer(
        websocket.WebSocket.send,
        since_us=430,
        depth=1,
        level=library,
        line=6,
        took_us=160,
        arguments=[("payload", "'42[\"replace old value\",…]'"), ("opcode", "1")],
        result=str(len(bid.unit.raw)),
    )
    yield writer(websocket.ABNF.format, since_us=470, depth=2, level=all_, line=12, took_us=61)
    yield moved(StepKind.SEND, bid, "client", "_write_loop", since_us=560, turn=2)
    yield moved(StepKind.WIRE, bid, "wire", "alice → server", since_us=700, turn=2)
    yield moved(StepKind.RECV, bid, "server", "_thread (alice)", since_us=742, turn=3)
    reader = partial(call, process="server", thread="_thread (alice)", turn=3, message=bid)
    yield reader(
        wsproto.connection.Connection.receive_data,
        since_us=770,
        level=library,
        line=12,
        took_us=90,
        arguments=[("data", f"bytes({len(bid.unit.raw)})")],
    )
    yield reader(
        wsproto.frame_protocol.FrameDecoder.process_buffer, since_us=790, depth=1, line=1, took_us=52
    )
    yield reader(wsproto.frame_protocol.FrameDecoder.parse_header, since_us=800, depth=2, level=all_, line=4)
    yield reader(wsproto.frame_protocol.XorMaskerSimple.process, since_us=830, depth=2, line=2, took_us=9)
    yield reader(simple_websocket.ws.Base._handle_events, since_us=880, level=library, line=34, took_us=41)
    yield handed(
        "Event.set → Event.wait",
        "server",
        "request (alice)",
        since_us=912,
        turn=4,
        note="an event set by _thread (alice); the wait for it over here",
    )
    request = partial(call, process="server", thread="request (alice)", turn=4, message=bid)
    yield request(
        engineio.socket.Socket._websocket_handler, since_us=980, level=library, line=90, took_us=None
    )
    yield request(
        engineio.packet.Packet.decode,
        since_us=1010,
        depth=1,
        line=6,
        arguments=[("encoded_packet", "'42[…'")],
    )
    yield request(engineio.socket.Socket.receive, since_us=1042, depth=1, line=4, took_us=410)
    yield request(
        socketio.Server._handle_eio_message, since_us=1080, depth=2, level=library, line=14, took_us=330
    )
    yield request(socketio.packet.Packet.decode, since_us=1101, depth=3, line=10)
    yield request(socketio.Server._handle_event, since_us=1180, depth=3, line=6, took_us=180)
    yield handed(
        "Thread.start → Thread.run",
        "server",
        "_handle_event_internal",
        since_us=1230,
        turn=5,
        note="a thread started by request (alice); the thread runs here",
    )
    handler = partial(call, process="server", thread="_handle_event_internal", turn=5, message=bid)
    yield handler(socketio.Server._handle_event_internal, since_us=1331, level=library, took_us=1900)
    yield handler(socketio.Server._trigger_event, since_us=1350, depth=1, line=5, took_us=1820)
    yield handler(
        flask_socketio.SocketIO._handle_event,
        since_us=1400,
        depth=2,
        level=library,
        line=7,
        took_us=1740,
        arguments=[("message", "'replace old value'"), ("namespace", "'/'"), ("sid", "redacted")],
    )
    yield handler(
        flask_socketio.emit,
        since_us=1900,
        depth=3,
        level=library,
        line=44,
        took_us=980,
        arguments=[("event", "'replaced values'"), ("args", f"({argument},)"), ("broadcast", "True")],
        note="called by handle_replace, line 21",
    )
    yield handler(flask_socketio.SocketIO.emit, since_us=1951, depth=4, line=51, took_us=900)
    yield handler(socketio.Server.emit, since_us=2010, depth=5, level=library, line=40, took_us=820)
    yield handler(socketio.manager.Manager.emit, since_us=2060, depth=6, line=12, took_us=760)
    for number, (end, name, turn) in enumerate(((ALICE, "alice", 6), (BOB, "bob", 8))):
        base = 2300 + 640 * number
        out = event_message(
            "replaced values",
            side=Side.SERVER,
            client=end,
            start=900,
            first_ns=START_NS + (base + 300) * 1000,
        )
        yield handed(
            "Queue.put → Queue.get",
            "server",
            f"writer ({name})",
            since_us=base,
            turn=turn,
            note="put into a queue by _handle_event_internal; taken out of it here",
        )
        writer = partial(call, process="server", thread=f"writer ({name})", turn=turn, message=out)
        yield writer(engineio.packet.Packet.encode, since_us=base + 60, line=4)
        yield writer(simple_websocket.ws.Base.send, since_us=base + 110, level=library, line=14, took_us=170)
        yield writer(
            wsproto.frame_protocol.FrameProtocol._serialize_frame,
            since_us=base + 160,
            depth=1,
            level=all_,
            line=3,
        )
        yield moved(StepKind.SEND, out, "server", f"writer ({name})", since_us=base + 240, turn=turn)
        yield moved(StepKind.WIRE, out, "wire", f"server → {name}", since_us=base + 300, turn=turn)
        process = "client" if name == "alice" else "bob"
        yield moved(StepKind.RECV, out, process, "_read_loop", since_us=base + 341, turn=turn + 1)
        loop = partial(call, process=process, thread="_read_loop", turn=turn + 1, message=out)
        yield loop(
            websocket.WebSocket.recv_data_frame, since_us=base + 362, level=library, line=16, took_us=70
        )
        yield loop(
            socketio.Client._handle_eio_message, since_us=base + 410, level=library, line=8, took_us=300
        )
        yield loop(socketio.Client._handle_event, since_us=base + 451, depth=1, line=6, result="None")


def bid_messages() -> tuple[Message, ...]:
    """The messages of :func:`bid_journey`, by time."""
    steps = bid_journey().steps
    return tuple(step.message for step in steps if step.kind is StepKind.WIRE and step.message)


def hostile_journey(text: str) -> Journey:
    """A journey in which every text that can come from outside is ``text``."""
    code = code_of(hostile_journey)
    message = event_message(text, text)
    library_ = libraries.Library(text, text, text, text)
    found = libraries.excerpt(code, code.first_line + 1)
    assert found is not None
    lines = tuple((number, text) for number in range(1, 4))
    step = Step(
        StepKind.CALL,
        Level.LIBRARY,
        text,
        text,
        text,
        10,
        0,
        20,
        library_,
        type(found)(text, text, text, lines, 2),
        Link(text, True),
        ((text, text),),
        text,
        text,
        message,
        (0, 1),
    )
    unlinked = Step(StepKind.WIRE, Level.LIBRARY, "wire", text, text, 20, 0, message=message, span=(3, 9))
    return Journey(text, START_NS, (step, unlinked), text)
