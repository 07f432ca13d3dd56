"""What a fuzzer's bytes are fed to, and the laws that must hold whatever they are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.fuzz import scripts
from tests.wire_bytes import UPGRADE, in_bulk, switching, tiles, understood
from utils.capture import files
from utils.errors import LabError
from utils.streams.dissection import messages
from utils.streams.overview import bytes_missing
from utils.streams.reassembly import Reassembler
from utils.wire import body, commands, deflate, engineio, http, msgpack, socketio, websocket
from utils.wire.attachments import whole_packets
from utils.wire.conformance import findings
from utils.wire.connection import Connection
from utils.wire.offsets import payload_offset
from utils.wire.redis import RedisConnection
from utils.wire.tiling import Tiler
from utils.wire.units import Fault, Side, Unit

_POLL = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n"

#: What was said on the connection before the script begins, by the script's first byte.
BEGINNINGS: tuple[tuple[tuple[Side, bytes], ...], ...] = (
    (),
    ((Side.CLIENT, UPGRADE), (Side.SERVER, switching())),
    ((Side.CLIENT, UPGRADE), (Side.SERVER, switching("permessage-deflate"))),
    ((Side.CLIENT, UPGRADE), (Side.SERVER, switching("permessage-deflate; server_no_context_takeover"))),
    ((Side.CLIENT, _POLL),),
    ((Side.CLIENT, UPGRADE),),
)


def connection(script: bytes) -> None:
    """Any bytes, by any side, with any holes: tiled, explained, and the same however they are cut."""
    if not script:
        return
    beginning = BEGINNINGS[script[0] % len(BEGINNINGS)]
    feeds = list(scripts.read(script))
    units = _understand(beginning, feeds, 1 << 20)
    for side in Side:
        fed = (feed.data for feed in feeds if feed.side is side and feed.data is not None)
        sent = b"".join([data for said, data in beginning if said is side] + list(fed))
        assert b"".join(unit.raw for unit in units if unit.side is side) == sent, "bytes were lost or made up"
    # What was said before the script is the same every time.
    for unit in units[len(beginning) :]:
        tiles(unit)
        assert len(unit.summary) <= 120 and unit.summary.isprintable(), unit.summary
        # Each look reads the head again: a few places are enough of them.
        for at in range(0, len(unit.raw), max(17, len(unit.raw) // 5)):
            offset = payload_offset(unit, at)
            assert offset is None or offset < len(unit.payload)
    for finding in findings(units):
        assert str(finding).isprintable(), finding
    for whole in whole_packets(units):
        assert whole.unit in units
    # Small pieces for short scripts; in long ones, every feed of a byte costs as much as a message.
    cut = understood(_understand(beginning, feeds, 1 + len(script) % (7 if len(script) < 200 else 89)))
    whole = understood(units)
    # If not, by what they say: a NaN that was sent is not equal to itself.
    assert cut == whole or repr(cut) == repr(whole), "cutting makes a difference"


def redis(script: bytes) -> None:
    """The same laws for a connection to Redis."""
    feeds = list(scripts.read(script))
    units = _understand((), feeds, 1 << 20, RedisConnection())
    for side in Side:
        sent = b"".join(feed.data for feed in feeds if feed.side is side and feed.data is not None)
        assert b"".join(unit.raw for unit in units if unit.side is side) == sent, "bytes were lost or made up"
    for unit in units:
        tiles(unit)
        assert len(unit.summary) <= 120 and unit.summary.isprintable(), unit.summary
        commands.role(unit)
    size = 1 + len(script) % (7 if len(script) < 200 else 89)
    cut = understood(_understand((), feeds, size, RedisConnection()))
    assert cut == understood(units), "cutting makes a difference"


def _understand(
    beginning: tuple[tuple[Side, bytes], ...],
    feeds: list[scripts.Feed],
    size: int,
    decoder: Connection | RedisConnection | None = None,
) -> list[Unit]:
    decoder = decoder or Connection()
    units = [unit for side, data in beginning for unit in decoder.feed(side, data)]
    for side, length, data in feeds:
        if data is None:
            units += decoder.gap(side, length)
        else:
            for at in range(0, length, size):
                units += decoder.feed(side, data[at : at + size])
    return units + decoder.finish()


def decoders(data: bytes) -> None:
    """The decoders alone, one by one: deeper into their grammars than a connection lets a fuzzer come."""
    if data:
        _DECODERS[data[0] % len(_DECODERS)](data[1:])


def _payload(data: bytes) -> None:
    assert engineio.decode_payload(data).told.isprintable()
    tiler = Tiler()
    engineio.lay_payload(tiler, data)
    assert tiler.at <= len(data)


def _text(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert engineio.decode_text(text).told.isprintable()
    tiler = Tiler()
    engineio.lay_text(tiler, text)
    assert tiler.at <= len(data)


def _packet(data: bytes) -> None:
    found = socketio.decode(data.decode("utf-8", "replace"))
    # The fast way refuses, or tells the same.
    (quick,) = in_bulk([b"4" + data])
    assert quick is None or (repr(quick) == repr(found.packet) and not found.faults)


def _binary(data: bytes) -> None:
    msgpack.decode(data)
    tiler = Tiler()
    engineio.lay_binary(tiler, data)
    assert tiler.at == len(data)


def _frame(data: bytes) -> None:
    frame = websocket.parse(data)
    if isinstance(frame, websocket.Frame):
        assert 2 <= frame.head <= 14 and frame.length >= 0
        websocket.unusual(frame)


def _message(data: bytes) -> None:
    head = http.parse_head(data)
    if not isinstance(head, http.Head):
        return
    assert head.size <= len(data) and http.summary(head).isprintable()
    framed = body.begin(head, "GET")
    if not isinstance(framed, Fault) and framed.advance(data) is True:
        assert framed.end <= len(data)
        body.content(data[: framed.end], framed, head)


def _deflated(data: bytes) -> None:
    """Several messages of one window."""
    inflater = deflate.Inflater(takeover=True)
    for part in data.split(b"\0\0\xff\xff"):
        inflater.inflate(part)


_DECODERS = (_payload, _text, _packet, _binary, _frame, _message, _deflated)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    # In memory where the system has a place for it: a disk takes a hundred times as long.
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="socketio-lab-fuzz-", dir=memory if memory.is_dir() else None)


def capture(data: bytes) -> None:
    """The readers of capture files: what they hold, or one clear error."""
    path = Path(_folder().name) / "capture"
    path.write_bytes(data)
    try:
        contents = files.read(path)
    except LabError:
        return
    assert contents.packets == len(contents.segments) + contents.refused.total()
    assert (contents.ends_early is None) == (not contents.why)
    for segment in contents.segments:
        assert 0 <= segment.sequence < 1 << 32


def segments(script: bytes) -> None:
    """Any segments, in any order: by columns they give what they give one by one, and no byte is lost."""
    made = list(scripts.segments(script))
    reassembler = Reassembler(scripts.SERVER.port)
    found = [message for segment in made for message in reassembler.add(segment)] + reassembler.finish()
    one_by_one = sorted(found, key=lambda message: message.last_ns)
    columns = list(messages(made, server_port=scripts.SERVER.port))
    assert columns == one_by_one or repr(columns) == repr(one_by_one), "the two ways differ"
    assert bytes_missing(made) >= 0
    for message in columns:
        assert message.unit.raw


TARGETS: dict[str, Callable[[bytes], None]] = {
    "connection": connection,
    "redis": redis,
    "decoders": decoders,
    "capture": capture,
    "segments": segments,
}
