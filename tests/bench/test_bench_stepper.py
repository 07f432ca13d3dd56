"""How long a reader waits for the next of 5,000 steps."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from tests import builders
from utils.records import Level
from utils.views.page import page

pytestmark = [pytest.mark.bench, pytest.mark.browser]

STEPS = 5000

#: Goes on by 200 steps; gives how long each took to its next frame, in ms.
WALK = """async () => {
    const root = document.querySelector(".lab-stepper");
    const took = [];
    for (let n = 0; n < 200; n++) {
        const begin = performance.now();
        root.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
        document.body.offsetHeight;
        took.push(performance.now() - begin);
        await new Promise(requestAnimationFrame);
    }
    return took;
}"""


def journey_of(count):
    journey = builders.bid_journey()
    rounds = count // len(journey.steps) + 1
    steps = [replace(step, turn=step.turn + 100 * n) for n in range(rounds) for step in journey.steps]
    return replace(journey, steps=tuple(steps[:count]))


@pytest.mark.parametrize("level", [Level.LIBRARY, Level.ALL])
def test_next_is_as_quick_among_thousands_as_among_a_few(chromium, tmp_path, level, capsys):
    found = {}
    for count in (250, STEPS):
        file = tmp_path / f"{count}.html"
        file.write_text(page(journey_of(count), level), encoding="utf-8")
        tab = chromium.new_page()
        tab.goto(file.as_uri())
        tab.wait_for_selector(".lab-position")
        shown = tab.evaluate("performance.now()")
        took = tab.evaluate(WALK)
        found[count] = (median(took), max(took), shown, tab.locator(".lab-stepper *").count())
        tab.close()
    with capsys.disabled():
        for count, (middle, worst, shown, nodes) in found.items():
            print(
                f"\n{count} steps: next {middle:.1f} ms (worst {worst:.1f}), shown {shown:.0f} ms, {nodes} elements"
            )
    assert found[STEPS][0] < 50
    assert found[STEPS][0] < 4 * found[250][0] + 4
    assert found[STEPS][3] < 1000
