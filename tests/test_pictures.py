"""The pictures of the committed notebooks: each can be heard, and read without colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.image import imread
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests import builders
from tools import notebooks
from tools.pictures import Picture, pictures
from utils.latency.hops import hops
from utils.views import html, inspector, ladder, plots

PATHS = notebooks.paths()

#: The least contrast of what one has to see (WCAG 2.2, 1.4.11).
SEEN = 3.0

#: What share of the coloured pixels has to have it; the rest are tints and soft edges.
MOST_OF = 0.8


def shown(bundle):
    return new_notebook(cells=[new_code_cell("x", id="one", outputs=[new_output("display_data", bundle)])])


def luminance(pixels):
    """The relative luminance of pixels of 0 to 1 (WCAG 2.2), as an array."""
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def coloured_and_seen(png):
    """How many pixels of a picture are vivid, and how many of those stand out from its ground in grey."""
    pixels = imread(io.BytesIO(png))[..., :3].astype(float)
    ground = luminance(pixels[0, 0])
    vivid = pixels[np.ptp(pixels, axis=-1) > 0.35]
    grey = luminance(vivid)
    contrast = (np.maximum(grey, ground) + 0.05) / (np.minimum(grey, ground) + 0.05)
    return len(vivid), int((contrast >= SEEN).sum())


class TestFinding:
    @pytest.mark.parametrize(
        ("view", "kind", "said"),
        [
            (lambda: ladder.ladder(builders.bid_messages()), "svg", "Ladder: 3 messages"),
            (lambda: ladder.mermaid(builders.bid_messages()), "mermaid", "3 messages"),
            (lambda: html.message(builders.event_message()), "bytes", "replace old value"),
            (
                lambda: plots.waterfall(hops(builders.bid_journey()), builders.bid_journey()),
                "image",
                "Bar chart",
            ),
        ],
    )
    def test_each_of_our_views_can_be_heard(self, view, kind, said):
        first, *_ = pictures(shown(view()._repr_mimebundle_()))
        assert (first.cell, first.kind) == ("one", kind) and said in first.alternative

    def test_the_inspectors_strip_and_bytes_are_found(self):
        static = inspector.static(builders.event_message())
        assert any(found.alternative for found in pictures(shown({"text/html": static})))

    def test_the_byte_maps_in_a_stepper_are_not_what_it_shows(self):
        journey = html.steps(builders.bid_journey())._repr_mimebundle_()
        assert list(pictures(shown(journey))) == []

    @pytest.mark.parametrize(
        "bundle",
        [
            {"image/png": "iVBORw0KGgo="},
            {"image/svg+xml": "<svg/>"},
            {"text/html": "<img src='x.png'>"},
            {"text/html": "<img src='x.png' alt=' '>"},
            {"text/html": "<svg aria-label='a name without the role'></svg>"},
            {"text/html": "<figure class='lab-message'><pre>81</pre></figure>"},
            {"text/vnd.mermaid": "sequenceDiagram\n  A->>B: x"},
        ],
    )
    def test_what_cannot_be_heard_is_found(self, bundle):
        (found,) = pictures(shown(bundle))
        assert isinstance(found, Picture) and not found.alternative

    def test_an_ornament_says_that_it_is_one(self):
        assert list(pictures(shown({"text/html": "<svg aria-hidden='true'></svg>"}))) == []


class TestGrey:
    def test_a_waterfall_stands_out_from_its_ground(self):
        plot = plots.waterfall(hops(builders.bid_journey()), builders.bid_journey())
        vivid, seen = coloured_and_seen(plot.png())
        assert vivid > 100 and seen / vivid > MOST_OF

    def test_yellow_on_white_does_not(self):
        from matplotlib.figure import Figure

        figure = Figure()
        figure.add_subplot().barh([0, 1], [1, 2], color="yellow")
        made = io.BytesIO()
        figure.savefig(made, format="png")
        vivid, seen = coloured_and_seen(made.getvalue())
        assert vivid > 100 and seen / vivid < 0.5


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_picture_can_be_heard(path):
    for found in pictures(notebooks.read(path)):
        assert found.alternative, f"{found.cell}: {found.kind}"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_picture_can_be_read_in_grey(path):
    for found in pictures(notebooks.read(path)):
        if found.png:
            vivid, seen = coloured_and_seen(found.png)
            assert seen >= MOST_OF * vivid, (
                f"{found.cell}: {seen} of {vivid} coloured pixels stand out in grey"
            )
