"""What is set aside before nbval compares outputs is enough: chance in the bytes makes no difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbval.plugin import get_sanitize_patterns

from utils import lab
from utils.capture.rights import Mode
from utils.run import Run
from utils.subject.application import Application
from utils.subject.server import Server

EVENT = "replace old value"
CAPTURES = Path(__file__).parents[1] / "captures"


@pytest.fixture(scope="module")
def patterns() -> list[tuple[re.Pattern[str], str]]:
    written = Path(__file__).with_name("nbval_sanitize.cfg").read_text(encoding="utf-8")
    found = get_sanitize_patterns(written)
    assert len(found) == written.count("\nregex")  # none is written so that nbval passes over it
    return [(re.compile(pattern), instead) for pattern, instead in found]


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
    for key in (b" \"'<", b">&\\\n", b"\t\0|0", b"aZ%[", b"{.\x7f ", b"\xc3\xff &"):
        assert compared(key) == expected, key


@pytest.mark.parametrize("mode", ["live", "tap", "replay"])
def test_the_mode_that_is_on_makes_no_difference(patterns, mode):
    child = SimpleNamespace(alive=True, info={"port": 41207}) if mode != "replay" else None
    said = repr(Server(Application.of_module("lab_server"), Mode(mode, "a reason (with more)"), child=child))
    assert mode in said
    for pattern, instead in patterns:
        said = pattern.sub(instead, said)
    assert said == "lab_server, mode MODE"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /socket.io/?t=1795556606.7174292", "GET /socket.io/?t=1795556606.71"),
        ("Date: Tue, 24 Nov 2026 21:43:29 GMT", "Date: Wed, 25 Nov 2026 01:02:03 GMT"),
        ("  7.0.0.1:32811··U", "  7.0.0.1:43749··U"),
        ("'2WR5sIZFjuh5tOLryOwciUSmvvg='", "'t8b4oRJz1tX+HnzgE3qh1DSgL0s='"),
        ("Sec-WebSocket-Key: G4wrgHHtNA12lGYo96N5pA==", "Sec-WebSocket-Key: eOEJ50sz/IEE3ml6sbl75g=="),
        (
            '<figure class="a"><i title="Engine.IO · Value · 1795556606.7174292">17</i></figure><p>',
            '<figure class="a"><b title="Engine.IO · Value · 1795556606.71">1</b>7</figure><p>',
        ),
        (
            '<span title="HTTP · Field value · 127.0.0.1:32811">7.0.0.1:32811</span>',
            '<span title="HTTP · Field value · 127.0.0.1:43749">0.0.1:43749</span>',
        ),
    ],
)
def test_what_chance_puts_into_a_handshake_makes_no_difference(patterns, one, other):
    told = set()
    for text in (one, other):
        for pattern, instead in patterns:
            text = pattern.sub(instead, text)
        told.add(text)
    assert len(told) == 1 and told != {""}
