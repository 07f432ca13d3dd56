"""Builds journeys that look like the real ones, for the tests of the views.

Excerpts, versions, licences and links are read from the packages installed
here; the frames' bytes are written by wsproto; only the times are made up.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
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
from wsproto.frame_protocol import FrameProtocol

from utils import libraries
from utils.records import (
    Code,
    Endpoint,
    Excerpt,
    Flow,
    Journey,
    Level,
    Library,
    Link,
    Message,
    Step,
    StepKind,
)
from utils.wire.connection import Connection
from utils.wire.units import Fault, Layer, Side, Span

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
    text = "42" + json.dumps([name, data], separators=(",", ":"))
    protocol = FrameProtocol(client=side is Side.CLIENT, extensions=[])
    (unit,) = Connection().feed(side, protocol.send_data(text))
    flow = Flow(client, SERVER) if side is Side.CLIENT else Flow(SERVER, client)
    return Message(flow, replace(unit, start=start), first_ns, first_ns)


def http_message(path: str = "/socket.io/?EIO=4&transport=polling", headers: str = "") -> Message:
    """An HTTP request of a client; ``headers`` are further lines, each with its line break."""
    raw = f"GET {path} HTTP/1.1\r\nHost: {SERVER}\r\n{headers}\r\n".encode()
    (unit,) = Connection().feed(Side.CLIENT, raw)
    return Message(Flow(ALICE, SERVER), unit, START_NS, START_NS)


def broken_message() -> Message:
    """A server's frame whose opcode the RFC leaves undefined."""
    connection = Connection()
    units = connection.feed(Side.SERVER, b"\x83\x07garbage") + connection.finish()
    return Message(Flow(SERVER, ALICE), units[0], START_NS, START_NS)


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
    message = hostile_message(text)
    step = Step(
        kind=StepKind.CALL,
        level=Level.LIBRARY,
        process=text,
        thread=text,
        title=text,
        since_ns=10,
        depth=0,
        duration_ns=20,
        library=Library(text, text, text, text),
        excerpt=Excerpt(text, text, text, ((1, text), None, (3, f"print('{text}')")), 3),
        link=Link(text, True),
        arguments=((text, text),),
        result=text,
        note=text,
        message=message,
        span=(0, 1),
    )
    inner = replace(step, depth=1, message=None, span=None)
    wire = Step(StepKind.WIRE, Level.LIBRARY, "wire", text, text, 20, 0, message=message, span=(3, 9))
    return Journey(text, START_NS, (step, inner, wire), text)


def hostile_message(text: str) -> Message:
    """A message that carries ``text``, and whose every explanation is ``text``."""
    message = event_message(text, text)
    raw = message.unit.raw
    spans = tuple(Span(at, at + 1, layer, text, text, text, text) for at, layer in enumerate(Layer))
    fault = Fault(2, text, text, text)
    unit = replace(message.unit, summary=text, faults=(fault,), _explain=lambda: spans)
    assert len(raw) > len(spans)
    return replace(message, unit=unit)
