"""Each plot's title is its finding; each series is told without colour; each has a text for the ear."""

from __future__ import annotations

import pytest

from tests import hostile
from utils.latency.attribution import Attribution, Share
from utils.views.plots_latency import (
    Loaded,
    Series,
    Span,
    attributed,
    distribution,
    fan_out,
    knee,
    spans,
    split,
)

SLOW, FAST = Series("slow", [4e6] * 10), Series("fast", [1e6] * 10)


def lines(plot):
    (axes,) = plot.figure.axes
    return axes.get_lines()


def test_a_distribution_tells_how_many_times_the_slowest_takes():
    plot = distribution([FAST, SLOW], "made up")
    assert plot.finding == "slow takes 4.0 × fast at the median: 4.00 ms against 1.00 ms."
    assert plot.figure.get_suptitle() == plot.finding.rstrip(".")
    assert "fast: p50 1.00 ms, p90 1.00 ms, p99 1.00 ms" in plot.description
    (axes,) = plot.figure.axes
    assert axes.get_xscale() == "log" and "(ms, logarithmic)" in axes.get_xlabel()


def test_one_series_is_told_by_its_percentiles():
    assert distribution([SLOW], "").finding == "slow: half within 4.00 ms, 99 % within 4.00 ms."


def test_series_differ_in_line_and_marker():
    plot = fan_out([SLOW, FAST], "")
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines(plot)}) == 2


def test_the_knee_is_the_last_rate_that_is_held():
    points = [Loaded(50, 50, 1e6, 2e6), Loaded(100, 100, 1.1e6, 3e6), Loaded(200, 150, 90e6, 300e6)]
    plot = knee(list(reversed(points)), "the server", "")
    assert plot.finding == (
        "the server holds 100 requests a second (median 1.10 ms); at 200 the median is 90.0 ms."
    )
    assert "50 a second: 50 granted, p50 1.00 ms, p99 2.00 ms" in plot.description


def test_without_a_knee_the_highest_rate_is_told():
    plot = knee([Loaded(50, 50, 1e6, 2e6), Loaded(100, 99, 1.1e6, 3e6)], "it", "")
    assert plot.finding == "it holds 100 requests a second (median 1.10 ms)."


def test_a_fan_out_tells_the_first_and_the_last():
    plot = fan_out([Series("to three", [1e6, 2e6, 5e6])], "")
    assert plot.finding == "to three: the first of 3 hears after 1.00 ms, the last after 5.00 ms."


def test_medians_stand_with_their_intervals():
    plot = spans([Span("off", 40e6, 39e6, 41e6), Span("on", 1e6, 0.9e6, 1.2e6)], "made up")
    assert plot.finding == "off takes 40 × on: 40.0 ms against 1.00 ms."
    assert "on: 1.00 ms, between 900 µs and 1.20 ms" in plot.description


@pytest.mark.parametrize(
    "draw",
    [lambda: distribution([], ""), lambda: knee([], "", ""), lambda: fan_out([], ""), lambda: spans([], "")],
)
def test_nothing_is_no_plot(draw):
    with pytest.raises(ValueError, match="at least one"):
        draw()


def test_the_same_facts_give_the_same_picture():
    assert distribution([SLOW, FAST], "").png() == distribution([SLOW, FAST], "").png()


def test_the_plain_text_holds_nothing_measured():
    for plot in (distribution([SLOW], "x"), fan_out([SLOW], "x"), spans([Span("one", 1, 1, 1)], "x")):
        assert not any(letter.isdigit() for letter in str(plot))


def test_hostile_names_are_drawn_as_they_stand():
    series = [Series(payload, [1e6, 2e6]) for payload in [*hostile.PAYLOADS[:12], "$x_{", "\\frac"]]
    for plot in (distribution(series, "$x_{"), fan_out(series, "$x_{")):
        assert plot.png().startswith(b"\x89PNG")


def test_an_attribution_shows_every_hop_and_what_none_explains():
    shares = (
        Share("client · main", "client", 300_000, 100_000),
        Share("server · handler", "server", 500_000, 0),
    )
    waking = Share("between hops", "wire", 50_000, 0)
    plot = attributed(Attribution(shares, waking, 850_000, 1_000_000, 3), "echo")
    assert plot.finding == "Of 1.00 ms, server · handler takes 50%; 250 µs are explained by no hop."
    (axes,) = plot.figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[-2:] == ["explained by no hop", "in all, untraced"]
    assert "client · main: 200 µs, tracing 100 µs" in plot.description
    assert "taken to cost too much" not in plot.description


def test_an_attribution_longer_than_the_total_says_so_and_goes_back_to_it():
    shares = (
        Share("client · main", "client", 300_000, 400_000),
        Share("server · handler", "server", 500_000, 0),
    )
    plot = attributed(
        Attribution(shares, Share("between hops", "wire", 50_000, 0), 850_000, 400_000, 3), "echo"
    )
    assert plot.finding == "Untraced 400 µs; traced, and without the tracer's calls, still 550 µs."
    (axes,) = plot.figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[-2:] == ["slower when traced, beyond what its calls cost", "in all, untraced"]
    (back,) = [bar for bar in axes.patches if bar.get_width() < 0]
    assert back.get_x() + back.get_width() == pytest.approx(0.4)  # ms: there the untraced total ends
    # What a correction could not take off is told, and not drawn: no bar is longer than what was traced.
    assert "client · main: 0 ns, tracing 300 µs" in plot.description
    assert "taken to cost too much (100 µs in all)" in plot.description
    assert "taken to cost too much (100 µs in all)" in axes.get_xlabel()


def test_a_split_tells_the_servers_share():
    plot = split([1e5], [8e5], [1e5], "made up")
    assert plot.finding == "Between the packets, the server takes 800 µs: 80% of the round trip."
    assert plot.png().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="at least one"):
        split([], [], [], "")
