"""A reference capture, damaged in any way: what it holds is shown, and what is broken is labelled."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests import links
from tests.conforming import conversation
from tests.fuzz.seeds import mutated
from tests.tcp_cases import CASES, in_order, interleaved
from tests.traffic import said, segments
from tests.wire_bytes import CONVERSATION, tiles
from utils import lab
from utils.capture import files
from utils.errors import CaptureFileError
from utils.records import Segment
from utils.run import Run
from utils.views.view import MERMAID
from utils.wire.units import Layer, Side

#: The recordings of the project.
RECORDED = sorted((Path(__file__).parents[1] / "captures").glob("*/packets.pcapng"))


def reference(folder: Path) -> list[Path]:
    """Twenty captures: the recordings, and made ones of every form, every TCP case, and several kinds of file."""
    chance = random.Random(20)

    def write(name: str, made: Iterable[Segment]) -> Path:
        files.write_segments(folder / name, list(made))
        return folder / name

    found = [*RECORDED[:8]]
    found += [
        write(f"case{number}.pcapng", case(chance, CONVERSATION)) for number, case in enumerate(CASES[:4])
    ]
    found.append(
        write("clients.pcapng", interleaved(chance, [CONVERSATION, conversation(chance)[0], CONVERSATION]))
    )
    found.append(write("deflated.pcapng", segments(said(chance, 30, deflated=True, fragments=0.1, odd=0.2))))
    for link_type, name in ((1, "VLAN"), (113, "Linux cooked"), (0, "BSD loopback, < 30")):
        (form,) = [form for form in links.FORMS if form.name == name]
        packets, sequence = [], 1
        for said_by, data in CONVERSATION[:6]:
            if said_by is Side.CLIENT:  # the packets of links.py go one way
                packets.append(form.packet(chance.choice((4, 6)), links.tcp(data, sequence)))
                sequence += len(data)
        found.append(folder / f"link{link_type}.pcap")
        found[-1].write_bytes(links.pcap(link_type, *packets))
    for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)):
        found.append(folder / f"packed.{name}")
        found[-1].write_bytes(pack(found[-5].read_bytes()))
    seed = 0
    while len(found) < 20:
        seed += 1
        pieces, _ = conversation(random.Random(seed))
        found.append(
            write(
                f"forms{seed}.pcapng",
                in_order(chance, pieces) if len(pieces) > 4 else in_order(chance, CONVERSATION),
            )
        )
    return found


def show(run: Run) -> None:
    """Everything that needs no calls; whatever it holds, it is text without control characters."""
    for view in (run.packets(), run.findings(), run.ladder()):
        assert all(character.isprintable() or character == "\n" for character in str(view))
        assert "<script" not in view._repr_mimebundle_()["text/html"].lower()
    assert run.mermaid().rich[MERMAID].startswith("sequenceDiagram")
    for number, message in enumerate(run.messages, 1):
        if number % 16 == 0:
            assert str(run.inspect(number))
        tiles(message.unit)
        if message.unit.layer is Layer.UNKNOWN:
            assert message.unit.faults, message.unit


def damaged(whole: list[Segment], chance: random.Random) -> list[Segment]:
    """The segments after an accident: some lost, some twice, some late, some with other bytes, or with markup."""
    found = list(whole)
    for _ in range(chance.choice((1, 2, 5, 20))):
        at = chance.randrange(len(found))
        match chance.randrange(5):
            case 0 if len(found) > 1:
                del found[at]
            case 1:
                found.insert(chance.randrange(len(found)), found[at])
            case 2:
                found.insert(chance.randrange(len(found)), found.pop(at))
            case 3:
                found[at] = replace(found[at], payload=found[at].payload.replace(b'"sid"', b"<script"))
            case _:
                found[at] = replace(found[at], payload=mutated(found[at].payload, chance))
    return found


def damage(each: int, folder: Path) -> None:
    """So many damages of each of the captures."""
    chance = random.Random(each)
    wholes = reference(folder)
    assert len(wholes) == 20
    for number in range(each * len(wholes)):
        whole = wholes[number % len(wholes)]
        path = folder / "damaged.pcapng"
        kind = chance.randrange(3)
        data = whole.read_bytes()
        if kind == 0:
            path.write_bytes(mutated(data, chance))
        elif kind == 1:
            path.write_bytes(data[: chance.randrange(len(data))])
        else:
            files.write_segments(path, damaged(list(files.read(whole).segments), chance))
        try:
            run = lab.read(path)
        except CaptureFileError as error:
            assert (
                kind != 2 and error.why and error.next_step
            )  # the file itself, not what it holds, was damaged
            continue
        contents = files.read(path)
        if contents.ends_early is not None:
            assert f"ends early, at byte {contents.ends_early}: {contents.why}" in repr(run)
        elif kind == 1 and not contents.refused:
            # Only a cut between two packets leaves a file that is whole.
            assert whole.suffix in (".pcap", ".pcapng")
        try:
            show(run)
        except Exception as error:
            kept = folder / f"failing-{number}.pcapng"
            path.rename(kept)
            pytest.fail(f"{type(error).__name__}: {error} ({kept})")


def test_two_hundred_damaged_captures(tmp_path):
    damage(10, tmp_path)


@pytest.mark.soak
def test_twenty_thousand_damaged_captures(tmp_path):
    damage(1000, tmp_path)
