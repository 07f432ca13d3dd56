"""A reference capture, damaged in any way: what it holds is shown, and what is broken is labelled."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.seeds import mutated
from tests.wire_bytes import tiles
from utils import lab
from utils.capture import files
from utils.errors import CaptureFileError
from utils.records import Segment
from utils.run import Run
from utils.wire.units import Layer

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*/packets.pcapng"))


def show(run: Run) -> None:
    """Everything that needs no calls; whatever it holds, it is text without control characters."""
    for view in (run.packets(), run.findings()):
        assert all(character.isprintable() or character == "\n" for character in str(view))
        assert "<script" not in view._repr_mimebundle_()["text/html"].lower()
    for message in run.messages:
        tiles(message.unit)
        if message.unit.layer is Layer.UNKNOWN:
            assert message.unit.faults, message.unit


def damaged(segments: list[Segment], chance: random.Random) -> list[Segment]:
    """The segments after an accident: some lost, some twice, some late, some with other bytes, or with markup."""
    found = list(segments)
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


def damage(runs: int, folder: Path) -> None:
    chance = random.Random(runs)
    for number in range(runs):
        whole = chance.choice(CAPTURES)
        path = folder / "damaged.pcapng"
        if number % 2:
            path.write_bytes(mutated(whole.read_bytes(), chance))
        else:
            files.write_segments(path, damaged(files.read(whole).segments, chance))
        try:
            run = lab.read(path)
        except CaptureFileError:
            assert number % 2  # the file itself, not what it holds, was damaged
            continue
        try:
            show(run)
        except Exception as error:
            kept = folder / f"failing-{number}.pcapng"
            path.rename(kept)
            pytest.fail(f"{type(error).__name__}: {error} ({kept})")


def test_a_hundred_damaged_captures(tmp_path):
    damage(100, tmp_path)


@pytest.mark.soak
def test_ten_thousand_damaged_captures(tmp_path):
    damage(10_000, tmp_path)
