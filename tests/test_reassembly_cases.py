"""Whatever TCP does to a conversation, its messages are the same; what never came is told as missing.

Each case runs over a hundred random segmentations; Wireshark is asked about a
sample of them.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import tcp_cases
from tests.conforming import conversation
from tests.tcp_cases import CASES, PORT, Wire, interleaved
from tests.wire_bytes import CONVERSATION, framed, switching, talk
from utils.capture import files
from utils.records import Message, Segment
from utils.streams.reassembly import Reassembler
from utils.views.text import packet_rows
from utils.wire.units import Layer, Side, Unit

C, S = Side.CLIENT, Side.SERVER
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)


def by_side(units: list[Unit]) -> dict[Side, list[Unit]]:
    return {side: [unit for unit in units if unit.side is side] for side in Side}


def missing(segments: list[Segment]) -> int:
    reassembler = Reassembler(PORT)
    for segment in segments:
        reassembler.add(segment)
    reassembler.finish()
    return reassembler.missing


def told(segments: list[Segment], port: int = 40001) -> dict[Side, list[Unit]]:
    reassembler = Reassembler(PORT)
    found = [message for segment in segments for message in reassembler.add(segment)]
    found += reassembler.finish()
    own = [
        message.unit for message in found if port in (message.flow.source.port, message.flow.destination.port)
    ]
    return by_side(sorted(own, key=lambda unit: unit.start))


def test_eleven_cases():
    assert len(CASES) == 11


@cases
def test_a_hundred_segmentations(case):
    expected = by_side(talk(CONVERSATION))
    for seed in range(100):
        segments = case(random.Random(seed), CONVERSATION)
        found = told(segments)
        if case is tcp_cases.a_port_used_again:
            found = {
                side: [unit for unit in units if "before" not in unit.summary and "204" not in unit.summary]
                for side, units in found.items()
            }
        assert found == expected, seed
        assert missing(segments) == 0, seed


@cases
def test_conversations_of_every_form(case):
    for seed in range(10):
        chance = random.Random(seed)
        pieces, _ = conversation(chance)
        if not pieces or case is tcp_cases.a_port_used_again:
            continue
        assert told(case(chance, pieces)) == by_side(talk(pieces)), seed


def test_several_clients_at_once():
    for seed in range(100):
        chance = random.Random(seed)
        spoken = [conversation(chance)[0] or CONVERSATION for _ in range(4)]
        segments = interleaved(chance, spoken)
        for place, pieces in enumerate(spoken):
            assert told(segments, 40001 + place) == by_side(talk(pieces)), seed


def test_from_the_middle_of_a_connection():
    """No handshake, nothing of what was said first: the frames that follow are read all the same."""
    later = CONVERSATION[8:]
    for seed in range(100):
        wire = Wire(random.Random(seed), base={C: 2**32 - 50, S: 12345})
        wire.say(later)
        found = told(wire.timed())
        assert [unit.raw for units in found.values() for unit in units] == [
            unit.raw for units in by_side(talk(CONVERSATION)[8:]).values() for unit in units
        ]
        assert all(unit.layer is Layer.WEBSOCKET for units in found.values() for unit in units)


def test_the_101_and_the_first_frame_in_one_segment():
    pieces = [*CONVERSATION[:7], (S, switching() + framed("3probe", client=False))]
    found = told(tcp_cases.large_segments(random.Random(0), pieces))
    assert [unit.summary for unit in found[S][-2:]] == ["101 Switching Protocols", "pong probe"]


def test_what_never_came_is_counted_and_told_and_the_rest_is_shown():
    whole = {unit.raw for unit in talk(CONVERSATION)}
    for seed in range(100):
        chance = random.Random(seed)
        segments = tcp_cases.in_order(chance, CONVERSATION)
        data = [place for place, one in enumerate(segments) if one.payload]
        lost = set(chance.sample(data, 3))
        kept = [one for place, one in enumerate(segments) if place not in lost]
        assert missing(kept) == sum(len(segments[place].payload) for place in lost)
        found = told(kept)
        # Nothing that came is left out, nothing is told twice.
        assert sum(len(unit.raw) for units in found.values() for unit in units) == sum(
            len(one.payload) for one in kept
        )
        for units in found.values():
            at = 0
            for unit in units:
                assert unit.start >= at
                at = unit.end
                # What a hole has cut in two is nobody's, and says so; everything else is what it was.
                assert unit.raw.lstrip(b"\r\n") in whole or unit.faults, unit
        # Each hole is told where it is, whether it cut a message in two or swallowed some whole.
        way = Wire(chance)
        for side, units in found.items():
            row = packet_rows([Message(way.flow(side), unit, 0, 0) for unit in units], whole=True)
            ends = [0, *(unit.end for unit in units)]
            for unit, end, cells in zip(units, ends, row, strict=False):
                hole = unit.start - end
                words = f"✗ {hole} byte{'s' * (hole > 1)} missing before it: "
                assert cells[5].startswith(words) == (hole > 0)


# ── the oracle: tshark -2 -o tcp.reassemble_out_of_order:TRUE ────────────────


@pytest.fixture(scope="module")
def tshark() -> str:
    found = shutil.which("tshark")
    if found is None:
        message = "tshark is not installed (Debian: apt install tshark)"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


def told_by_wireshark(tshark: str, path: Path) -> dict[Side, list[str]]:
    """The targets of the requests, and the codes of the responses, in order."""
    fields = ["tcp.srcport", "http.request.uri", "http.response.code"]
    command = [
        *(tshark, "-n", "-2", "-o", "tcp.reassemble_out_of_order:TRUE", "-d", f"tcp.port=={PORT},http"),
        *("-r", str(path), "-Y", "http", "-T", "fields"),
        *(part for name in fields for part in ("-e", name)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[Side, list[str]] = {C: [], S: []}
    for line in done.stdout.splitlines():
        port, target, code = line.split("\t")
        side = S if int(port) == PORT else C
        found[side] += [part for part in (target if side is C else code).split(",") if part]
    return found


@cases
def test_wireshark_sees_the_same_exchanges(tshark, tmp_path, case):
    path = tmp_path / "x.pcapng"
    segments = case(random.Random(5), CONVERSATION[:6] * 3)
    files.write_segments(path, segments)
    # The second word of a request is its target, of a response its code.
    ours = {
        side: [unit.raw.split(b" ")[1].decode() for unit in units] for side, units in told(segments).items()
    }
    assert told_by_wireshark(tshark, path) == ours
