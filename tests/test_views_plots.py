"""Plots state their finding with its number, and can be read without being seen."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from matplotlib.image import imread

from tests import builders, hostile
from tests.markup_reader import Reader
from utils.latency.hops import Hop, hops
from utils.views import wording
from utils.views.plots import drawable, waterfall


@pytest.fixture
def journey():
    return builders.bid_journey()


def test_the_title_names_the_longest_hop_and_its_share(journey):
    plot = waterfall(
        [Hop("client · main", "client", 0, 300_000), Hop("wire", "wire", 300_000, 400_000)], journey
    )
    assert plot.finding.startswith("The longest hop, client · main, takes 300 µs of 400 µs (75%).")
    assert plot.figure.get_suptitle() == "The longest hop, client · main, takes 300 µs of 400 µs (75%)"


def test_a_traced_run_says_so_everywhere(journey):
    plot = waterfall(hops(journey), journey)
    warning = "Traced run: times include the tracer's own cost."
    (axes,) = plot.figure.axes
    for told in (plot.text, plot.finding, plot.description, axes.get_title(loc="left")):
        assert warning in told
    untraced = waterfall(hops(journey), replace(journey, traced=False))
    assert "racer" not in untraced.finding + untraced.description


def test_there_is_one_bar_a_hop_at_its_place_and_in_ms(journey):
    found = hops(journey)
    (axes,) = waterfall(found, journey).figure.axes
    begin = min(hop.start_ns for hop in found)
    assert [bar.get_x() for bar in axes.patches] == pytest.approx(
        [(hop.start_ns - begin) / 1e6 for hop in found]
    )
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(
        [hop.duration_ns / 1e6 for hop in found]
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == [hop.label for hop in found]
    assert axes.get_xlabel().endswith("(ms)")
    assert [note.get_text() for note in axes.texts] == [wording.duration(hop.duration_ns) for hop in found]


def test_processes_differ_in_hatch_as_well_as_in_colour(journey):
    found = hops(journey)
    (axes,) = waterfall(found, journey).figure.axes
    hatches = {hop.process: bar.get_hatch() for hop, bar in zip(found, axes.patches, strict=True)}
    assert len(set(hatches.values())) == len(hatches)


def test_a_notebook_shows_an_image_with_its_description_and_caption(journey):
    plot = waterfall(hops(journey), journey)
    bundle = plot._repr_mimebundle_()
    read = Reader(bundle["text/html"])
    (image,) = read.find("img")
    assert image["alt"] == plot.description
    assert read.text == plot.finding
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert "\n" not in bundle["text/html"]


def test_the_plain_text_holds_nothing_measured(journey):
    plot = waterfall(hops(journey), journey)
    assert str(plot) == repr(plot) == plot._repr_mimebundle_()["text/plain"]
    assert str(plot).startswith('Latency of event "replace old value", hop by hop: 12 hops.')


def test_the_same_facts_give_the_same_picture(journey):
    assert waterfall(hops(journey), journey).png() == waterfall(hops(journey), journey).png()


def test_no_hop_is_no_waterfall(journey):
    with pytest.raises(ValueError, match="at least one hop"):
        waterfall([], journey)


def test_a_hop_of_no_time_is_drawn(journey, tmp_path):
    picture = tmp_path / "plot.png"
    picture.write_bytes(waterfall([Hop("wire", "wire", 5, 5)], journey).png())
    assert imread(picture).shape[2] == 4


def test_a_character_that_the_font_lacks_is_a_box():
    assert drawable("aé→\U00020000\n") == r"aé→□\n"


def test_hostile_labels_are_drawn_as_they_stand(journey):
    labels = [*hostile.PAYLOADS, "$x_{", "\\frac", "👩‍👩‍👧"]
    plot = waterfall([Hop(label, label, 0, 9) for label in labels], journey)
    assert plot.png().startswith(b"\x89PNG")


@hostile.each_payload
def test_no_payload_becomes_markup(payload, journey, monkeypatch):
    plot = waterfall([Hop(payload, payload, 0, 9)], replace(journey, name=payload))
    monkeypatch.setattr(type(plot), "png", lambda self: b"")  # drawn in the test above
    read = Reader(plot._repr_mimebundle_()["text/html"])
    assert [tag for tag, _ in read.elements] == ["figure", "img", "figcaption"]
    assert set(read.find("img")[0]) == {"alt", "src", "width", "style"}
    assert wording.visible(payload) in read.find("img")[0]["alt"]
