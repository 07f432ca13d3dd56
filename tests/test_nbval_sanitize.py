"""What is set aside before nbval compares outputs is enough: chance in the bytes makes no difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import RawConfigParser
from dataclasses import replace
from pathlib import Path

import pytest

from utils import lab
from utils.run import Run

EVENT = "replace old value"
CAPTURES = Path(__file__).parents[1] / "captures"


@pytest.fixture(scope="module")
def patterns() -> list[tuple[re.Pattern[str], str]]:
    written = RawConfigParser()
    written.read(Path(__file__).with_name("nbval_sanitize.cfg"))
    return [(re.compile(written[name]["regex"]), written[name]["replace"]) for name in written.sections()]


def masked_with(run: Run, key: bytes) -> Run:
    """The same run, had the client chosen ``key``."""
    unit = run.events(EVENT)[0].unit
    head = unit.raw[: -len(unit.payload) - 4]
    fresh = head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(unit.payload))
    segments = [
        replace(segment, payload=segment.payload.replace(unit.raw, fresh))
        for segment in run.recording.segments
    ]
    assert sum(fresh in segment.payload for segment in segments) == 1
    return Run(replace(run.recording, segments=tuple(segments)))


def outputs(run: Run) -> Iterator[str]:
    for view in (run.bytes(EVENT), run.packets(event=EVENT), run.stepper(EVENT)):
        bundle = view._repr_mimebundle_()
        shown = bundle[0] if isinstance(bundle, tuple) else bundle
        yield from (text for text in shown.values() if isinstance(text, str))


def test_the_masking_key_makes_no_difference(patterns):
    def compared(key: bytes) -> list[str]:
        found = []
        for text in outputs(masked_with(run, key)):
            for pattern, instead in patterns:
                text = pattern.sub(instead, text)
            found.append(text)
        return found

    run = lab.load(CAPTURES / "one_bid")
    expected = compared(b"\x81\x99\xaa\xbb")
    for byte in b" \"'<>&\\\n\t\0|0aZ%[{.\x7f\xc3\xff":
        for at in range(4):
            key = bytearray(b"\x81\x99\xaa\xbb")
            key[at] = byte
            assert compared(bytes(key)) == expected, bytes(key)
