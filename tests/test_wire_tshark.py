"""Agreement with Wireshark on the same packets: each WebSocket frame, its bits and its payload."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conforming import EXTENSIONS, Deflater
from tests.wire_bytes import UPGRADE, framed, switching
from utils import lab
from utils.capture import files
from utils.records import Endpoint, Flow, Message, Segment
from utils.streams import dissection
from utils.wire.units import Layer, Side

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*/packets.pcapng"))
CLIENT, SERVER = Endpoint("127.0.0.1", 50_001), Endpoint("127.0.0.1", 5000)
FLOWS = {Side.CLIENT: Flow(CLIENT, SERVER), Side.SERVER: Flow(SERVER, CLIENT)}


class Frame(NamedTuple):
    """What both sides tell of a frame."""

    ports: tuple[int, int]  # of its sender and its receiver
    fin: bool
    opcode: int
    key: bytes
    length: int  # on the wire
    payload: bytes  # unmasked and inflated; of a fragmented message all, with its last frame


@pytest.fixture(scope="module")
def tshark() -> str:
    found = shutil.which("tshark")
    if found is None:
        message = "tshark is not installed (Debian: apt install tshark)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


def told_by_tshark(tshark: str, path: Path) -> list[Frame]:
    command = [
        tshark,
        "-r",
        str(path),
        "-d",
        f"tcp.port=={SERVER.port},http",
        "-Y",
        "websocket",
        "-T",
        "pdml",
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    found: list[Frame] = []
    for packet in ElementTree.fromstring(done.stdout):
        ports = [packet.find(f"./proto[@name='tcp']/field[@name='tcp.{end}port']") for end in ("src", "dst")]
        source, destination = (int(port.get("show", "")) for port in ports if port is not None)
        for proto in packet.iter("proto"):
            if proto.get("name") == "websocket":
                found.append(_frame((source, destination), proto))
            elif (data := proto.find(".//field[@name='data.data']")) is not None:
                # A binary message stands beside its last frame, not in it.
                found[-1] = found[-1]._replace(payload=bytes.fromhex(data.get("value", "")))
    return found


def _frame(ports: tuple[int, int], proto: ElementTree.Element) -> Frame:
    fields = {field.get("name"): field for field in proto.iter("field")}

    def number(name: str) -> int:
        return int(fields[name].get("show", ""), 0)

    lengths = [
        "websocket.payload_length_ext_64",
        "websocket.payload_length_ext_16",
        "websocket.payload_length",
    ]
    key = fields.get("websocket.masking_key")
    payload = [
        bytes.fromhex(field.get("value", ""))
        for field in proto.iter("field")
        if (field.get("name") or "").startswith("websocket.payload.")
    ]
    return Frame(
        ports,
        bool(number("websocket.fin")),
        number("websocket.opcode"),
        b"" if key is None else bytes.fromhex(key.get("value", "")),
        number(next(name for name in lengths if name in fields)),
        b"".join(payload),
    )


def told_by_us(path: Path) -> list[Frame]:
    return [
        Frame(
            (message.flow.source.port, message.flow.destination.port),
            bool(unit.raw[0] & 0x80),
            unit.raw[0] & 0xF,
            next((unit.raw[s.start : s.end] for s in unit.explain() if s.label == "Masking key"), b""),
            len(unit.raw) - _head(unit.raw),
            unit.payload if unit.raw[0] & 0x80 else b"",
        )
        for message in sorted(decoded(path), key=lambda message: message.last_ns)
        for unit in [message.unit]
        if unit.layer is Layer.WEBSOCKET
    ]


def _head(raw: bytes) -> int:
    return 2 + {126: 2, 127: 8}.get(raw[1] & 0x7F, 0) + (4 if raw[1] & 0x80 else 0)


def decoded(path: Path) -> Sequence[Message]:
    """Every message: of a recording as it tells who listens, of a capture by whom the first segment goes to."""
    if path in CAPTURES:
        return lab.load(path.parent).messages
    segments = files.read(path).segments
    return dissection.messages(segments, server_port=segments[0].flow.destination.port)


def written(path: Path, pieces: list[tuple[Side, bytes]], chance: random.Random) -> Path:
    """A capture of what both sides said, cut into segments at random."""
    sent = dict.fromkeys(Side, 1)
    segments = []
    for side, data in pieces:
        at = 0
        while at < len(data):
            part = data[at : at + chance.choice((1, 7, 100, 1400, 60_000))]
            other = Side.SERVER if side is Side.CLIENT else Side.CLIENT
            time_ns = 1_700_000_000_000_000_000 + 1_000_000 * len(segments)
            segments.append(Segment(time_ns, FLOWS[side], sent[side], sent[other], 0x18, part))
            sent[side] += len(part)
            at += len(part)
    files.write_segments(path, segments)
    return path


def conversation(chance: random.Random) -> Iterator[tuple[Side, bytes]]:
    """A handshake, then frames of all kinds: several at once, in fragments, with control frames between."""
    yield Side.CLIENT, UPGRADE
    yield Side.SERVER, switching()
    for _ in range(40):
        side = chance.choice(list(Side))

        def frame(payload: bytes, opcode: int, fin: bool = True, client: bool = side is Side.CLIENT) -> bytes:
            return framed(payload, opcode=opcode, fin=fin, client=client, key=chance.randbytes(4))

        said = chance.randbytes(chance.choice((1, 5, 125, 126, 4000, 65_535, 70_000)))
        text = ('42["é",' + "1" * chance.randrange(300) + "]").encode()
        match chance.randrange(4):
            case 0:
                yield side, frame(said, 2)
            case 1:
                yield side, frame(text, 1) + frame(text, 1)
            case 2:
                cut = chance.randrange(1, len(said) + 1)
                between = frame(b"are you there", chance.choice((9, 10)))
                yield side, frame(said[:cut], 2, fin=False) + between + frame(said[cut:] or b"!", 0)
            case _:
                yield side, frame(b"there", 9)
    yield Side.CLIENT, framed((1000).to_bytes(2) + b"enough", opcode=8)
    yield Side.SERVER, framed((1000).to_bytes(2), opcode=8, client=False)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.parent.name)
def test_agrees_with_wireshark_on_the_reference_captures(tshark, path):
    ours, theirs = told_by_us(path), told_by_tshark(tshark, path)
    assert bool(ours) == (b"Sec-WebSocket-Accept" in path.read_bytes())
    for ports in {frame.ports for frame in ours + theirs}:
        own = [frame for frame in ours if frame.ports == ports]
        others = [frame for frame in theirs if frame.ports == ports]
        if ports in answers_inside(path):
            # Werkzeug has written an HTTP answer, or only its page, into the WebSocket, behind
            # the last frame: Wireshark takes its text for frames; we say that it is none.
            assert own
            others = others[: len(own)]
        assert others == own


def answers_inside(path: Path) -> set[tuple[int, int]]:
    """The ports of the streams in which an HTTP answer, or only its page, follows frames."""
    return {
        (message.flow.source.port, message.flow.destination.port)
        for message in decoded(path)
        if message.unit.raw.startswith((b"HTTP/1.", b"<!DOCTYPE HTML>")) and message.unit.faults
    }


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_wireshark_on_frames_of_all_kinds(tshark, tmp_path, seed):
    chance = random.Random(seed)
    path = written(tmp_path / "made.pcapng", list(conversation(chance)), chance)
    ours = told_by_us(path)
    assert len(ours) > 40 and told_by_tshark(tshark, path) == ours


@pytest.mark.parametrize(("extension", "client", "server"), EXTENSIONS[:4])
def test_agrees_with_wireshark_on_compressed_messages(tshark, tmp_path, extension, client, server):
    """Of both sides, with the window kept and without."""
    pack = {Side.CLIENT: Deflater(client), Side.SERVER: Deflater(server)}
    pieces = [(Side.CLIENT, UPGRADE), (Side.SERVER, switching(extension))]
    for number in range(10):
        side = Side.SERVER if number % 2 else Side.CLIENT
        packed = pack[side](b'42["replaced values",%d]' % number)
        pieces.append((side, framed(packed, opcode=1, rsv=4, client=side is Side.CLIENT)))
    path = written(tmp_path / "made.pcapng", pieces, random.Random(0))
    ours = told_by_us(path)
    assert [frame.payload for frame in ours] == [b'42["replaced values",%d]' % number for number in range(10)]
    theirs = told_by_tshark(tshark, path)
    if client is not server:
        # docs/differences.md: Wireshark 4.0 takes the window from the side that keeps it.
        kept = CLIENT.port if client else SERVER.port
        first = next(frame for frame in ours if frame.ports[0] == kept)
        ours = [
            frame._replace(payload=b"") if frame.ports[0] == kept and frame is not first else frame
            for frame in ours
        ]
    assert theirs == ours
