"""What a fuzzer's bytes are fed to, and the laws that must hold whatever they are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.fuzz import scripts
from tests.wire_bytes import UPGRADE, switching, tiles, understood
from utils.capture import files
from utils.errors import LabError
from utils.wire import engineio, msgpack, socketio
from utils.wire.attachments import whole_packets
from utils.wire.conformance import findings
from utils.wire.connection import Connection
from utils.wire.offsets import payload_offset
from utils.wire.units import Side, Unit

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
    for unit in units:
        tiles(unit)
        assert len(unit.summary) <= 120 and unit.summary.isprintable(), unit.summary
        for at in range(0, len(unit.raw), 17):
            offset = payload_offset(unit, at)
            assert offset is None or offset < len(unit.payload)
    for finding in findings(units):
        assert str(finding).isprintable(), finding
    for whole in whole_packets(units):
        assert whole.unit in units
    cut = _understand(beginning, feeds, 1 + len(script) % 7)
    # By what they say: a NaN that was sent is not equal to itself.
    assert repr(understood(cut)) == repr(understood(units)), "cutting makes a difference"


def _understand(
    beginning: tuple[tuple[Side, bytes], ...], feeds: list[scripts.Feed], size: int
) -> list[Unit]:
    decoder = Connection()
    units = [unit for side, data in beginning for unit in decoder.feed(side, data)]
    for side, length, data in feeds:
        if data is None:
            units += decoder.gap(side, length)
        else:
            for at in range(0, length, size):
                units += decoder.feed(side, data[at : at + size])
    return units + decoder.finish()


def decoders(data: bytes) -> None:
    """The packet decoders alone: deeper into their grammars than frames let a fuzzer come."""
    engineio.decode_payload(data)
    engineio.decode_text(data.decode("utf-8", "surrogateescape"))
    socketio.decode(data.decode("utf-8", "replace"))
    msgpack.decode(data)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="socketio-lab-fuzz-")


def capture(data: bytes) -> None:
    """The readers of capture files: what they hold, or one clear error."""
    path = Path(_folder().name) / "capture"
    path.write_bytes(data)
    try:
        contents = files.read(path)
    except LabError:
        return
    assert contents.packets >= len(contents.segments)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "connection": connection,
    "decoders": decoders,
    "capture": capture,
}
