"""Makes the latency lab's committed results anew: ``python -m tools.measured``.

The rule kept here: what a notebook replays was measured by the same words with
which it measures live.
"""

from __future__ import annotations

import click

from utils import lab
from utils.load import measuring, split, standard, values


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Measure the brief comparisons (or those NAMES) into measured/."""
    folder = lab.measured()
    folder.mkdir(exist_ok=True)
    for experiment in standard.BRIEF:
        if not names or experiment.name in names:
            path = values.save([measuring.measure(experiment)], folder / f"{experiment.name}.json")
            click.echo(f"{path.name}: {path.stat().st_size:,} bytes")
    if not names or "apart" in names:
        split.save(split.capture(standard.APART), folder / "apart.json")


if __name__ == "__main__":
    main()
