"""A comparison's table, ratios and plots say the same as its results."""

from __future__ import annotations

import pytest

from tests.test_load_values import measured, result, turn
from utils.load.shown import Comparison


@pytest.fixture
def comparison():
    return Comparison(
        measured(
            result("raw TCP", turn(0.1, 0.1), turn(0.1, 0.1), floor=True, rate=None),
            result("small", turn(1, 1), turn(1, 1), rate=None),
            result("large", turn(4, 4), turn(4, 4), rate=None, size=1000),
            result("open", turn(2, 2, load=1.5), turn(2, 2, load=0.5), rate=50.0),
            result("told", turn(3, by_client=(1_000_000, 3_000_000)), clients=2, mark="n"),
            missing={"gevent": "It is not here."},
        )
    )


def test_each_figure_has_the_floor_of_its_own_size_beside_it(comparison):
    times = {row.name: row.times_floor for row in comparison.rows}
    assert times["small"] == pytest.approx(10, rel=1e-2)
    assert times["large"] is None and times["raw TCP"] is None


def test_the_99th_percentile_is_told_only_of_an_open_load(comparison):
    assert [row.name for row in comparison.rows if row.p99 is not None] == ["open", "told"]


def test_the_table_says_the_question_the_conditions_and_what_is_missing(comparison):
    text = comparison.table.text
    assert text.startswith("How long?\n")
    assert "load of 0.0 to 1.5" in text and "capture off, tracing off" in text
    assert "not measured: gevent. It is not here." in text
    assert repr(comparison) == text
    assert comparison._repr_mimebundle_()["text/plain"] == text


def test_a_ratio_is_of_medians(comparison):
    assert comparison.ratio("large", "small").value == pytest.approx(4, rel=1e-2)
    assert comparison.p50("open") == pytest.approx(2e6, rel=1e-2)


def test_the_quiet_are_the_middle_of_the_fastest_quarter():
    found = Comparison(measured(result("echo", turn(1, 1, 2, 9), turn(1, 8, 9, 9))))
    assert found.quiet("echo") == pytest.approx(1e6, rel=1e-2)
    assert found.p50("echo") > 2 * found.quiet("echo")


def test_plots_are_of_what_was_asked_for(comparison):
    assert comparison.medians("small", "large").finding.startswith("large takes 4.0 × small")
    assert "small takes 10 × raw TCP" in comparison.distribution("raw TCP", "small").finding
    assert "open" not in comparison.fan_out().text and "told" in comparison.fan_out().text
    assert comparison.knee("it").text.startswith("Latency of it against load: 2 rates")
