"""``socketio-lab bench``: the standard comparison.

The rule kept here: what is measured is untraced, and stands beside its floor;
a part that cannot be measured here is named, and the rest is measured.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from utils.cli.console import as_json, examples, json_option, note

if TYPE_CHECKING:
    from utils.load.shown import Comparison


@click.command(
    epilog=examples(
        "socketio-lab bench",
        "socketio-lab bench stack transports",
        "socketio-lab bench nodelay --save nodelay.json",
        "socketio-lab bench --json",
    )
)
@click.argument("names", nargs=-1)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep the results in a file.")
@json_option
def command(names: tuple[str, ...], save: Path | None, for_program: bool) -> None:
    """Measure the stack: the standard comparison, or NAMES of it.

    Echo and broadcast, WebSocket and polling, payloads, compression, options,
    fan-out, load and the auction itself, each in turns with its floor (raw TCP,
    raw WebSocket).  All of it takes less than five minutes; do nothing else on
    this machine meanwhile.
    """
    from utils.load import measuring, standard, values
    from utils.load.shown import Comparison

    experiments = [standard.named(name) for name in names] or standard.STANDARD
    comparisons = []
    for experiment in experiments:
        comparisons.append(Comparison(measuring.measure(experiment, note)))
        if not for_program:
            click.echo(f"{comparisons[-1].table.text}\n")
    if save is not None:
        values.save([one.measured for one in comparisons], save)
    if for_program:
        as_json([_told(one) for one in comparisons])


def _told(comparison: Comparison) -> dict[str, Any]:
    experiment = comparison.measured.experiment
    return {
        "name": experiment.name,
        "question": experiment.question,
        "conditions": msgspec.to_builtins(comparison.measured.conditions),
        "missing": comparison.measured.missing,
        "figures": [asdict(row) for row in comparison.rows],
    }
