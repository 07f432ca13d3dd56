"""``python -m utils.cluster``: one command starts a cluster, and Ctrl-C stops all of it.

The rule kept here: what is started is told in one look, and nothing is left of
it when this command ends, however it ends.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click

from utils.capture.rights import Mode
from utils.cluster.cluster import DATABASES, Cluster, Plan
from utils.cluster.proxy import Sticky
from utils.errors import LabError

_STICKY = click.Choice([one.value for one in Sticky])


@click.group(context_settings={"show_default": True, "max_content_width": 110})
def main() -> None:
    """Several processes of an application on one Redis and one database, behind nginx, without containers."""


@main.command()
@click.option("--servers", default=2, type=click.IntRange(1, 32), help="So many processes.")
@click.option("--sticky", default="cookie", type=_STICKY, help="What leads a client back.")
@click.option("--database", default="sqlite", type=click.Choice(DATABASES))
@click.option("--python", default=sys.executable, help="The Python of the servers: one with gevent, say.")
@click.argument("module")
@click.argument("arguments", nargs=-1)
def run(
    servers: int, sticky: str, database: str, python: str, module: str, arguments: tuple[str, ...]
) -> None:
    """Run ``python -m MODULE ARGUMENTS`` in several processes, until Ctrl-C.

    \b
    Each finds in its environment, behind its package's name in capitals:
      _PORT _DATABASE _MESSAGE_QUEUE _SECRET_KEY _AUCTIONEER_TOKEN _BEHIND_PROXY
    """
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    plan = Plan(module, arguments, servers, sticky, database, traced=False, python=python)
    try:
        cluster = Cluster.start(plan, Mode("tap", "nothing is recorded"))
    except LabError as error:
        raise click.ClickException(str(error)) from None
    try:
        for port, service in cluster.services.items():
            click.echo(f"{service.name:<10} 127.0.0.1:{port}")
        click.echo(f"\nOpen {cluster.url} (logs in {cluster.folder}); Ctrl-C stops all of it.")
        sys.stdout.flush()
        over.wait()
    finally:
        cluster.stop()


@main.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("module", default="lab_server")
def measure(path: Path, module: str) -> None:
    """Measure what a broadcast costs clusters of several sizes, and keep it in PATH."""
    from utils.cluster import measuring

    measuring.save(measuring.measure(module, say=click.echo), path)


if __name__ == "__main__":
    main(prog_name="python -m utils.cluster")
