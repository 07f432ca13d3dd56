"""Colours: readable on every ground, and never the only sign."""

from __future__ import annotations

import re
from itertools import product

import pytest

from utils.views import palette
from utils.wire.units import Layer


@pytest.mark.parametrize(
    ("ink", "ground"), list(product((*palette.INKS, palette.TEXT), palette.GROUNDS)), ids=lambda t: t.name
)
def test_every_ink_is_readable_on_every_ground(ink, ground):
    assert palette.contrast(ink.light, ground.light) >= 4.5
    assert palette.contrast(ink.dark, ground.dark) >= 4.5


@pytest.mark.parametrize("layer", Layer)
def test_bytes_are_readable_on_their_layers_tint(layer):
    tint = palette.FILLS[layer].tint
    assert palette.contrast(palette.DARK_INK, tint.light) >= 7
    assert palette.contrast(palette.LIGHT_INK, tint.dark) >= 7


def test_contrast_is_the_one_of_wcag():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_neighbouring_layers_differ_in_tint_and_pattern():
    for one, other in product(palette.FILLS, repeat=2):
        if one is not other:
            assert palette.FILLS[one].tint != palette.FILLS[other].tint
            assert palette.FILLS[one].pattern != palette.FILLS[other].pattern


def test_processes_differ_in_shape_as_well_as_in_colour():
    marks = palette.marks(["alice", "server", "wire", "bob", "alice"])
    assert [*marks] == ["alice", "server", "wire", "bob"]
    assert len({mark.shape for mark in marks.values()}) == 4
    assert len({mark.ink for mark in marks.values()}) == 4
    assert len({mark.hatch for mark in marks.values()}) == 4


def test_more_processes_than_marks_begin_anew():
    marks = palette.marks(f"client {n}" for n in range(5))
    assert marks["client 0"] == marks["client 2"]


def test_the_style_sheet_defines_each_tone_for_light_and_for_dark():
    css = palette.css_variables(".root")
    for tone in (*palette.INKS, *palette.GROUNDS, *(fill.tint for fill in palette.FILLS.values())):
        assert re.findall(rf"--lab-{tone.name}:(#\w+);", css) == [tone.light, tone.dark, tone.dark]
