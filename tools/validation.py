"""Validates the notebooks, each cell held against its outputs, in every way that packets can be seen.

The rule kept here: nbval in its strict form, two notebooks at a time, the same
outputs for all ways.  A way that this system does not allow says why, and is
no success: whoever calls decides.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from utils.capture import private, rights

ROOT = Path(__file__).resolve().parent.parent

#: What is asked of nbval: no cell is passed over that does not say so itself.
STRICT = ("--nbval", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg", "--nbval-cell-timeout=120")

#: Two workers, and each notebook whole in one of them: cells of one kernel stay in order.
PARALLEL = ("-n", "2", "--dist", "loadfile")

WAYS = ("live", "tap", "replay", "private")


@dataclass(frozen=True, slots=True)
class Round:
    """One validation of some notebooks."""

    way: str
    passed: bool
    seconds: float
    report: str  # what pytest printed

    def __str__(self) -> str:
        last = (self.report.strip().splitlines() or ["nothing was printed"])[-1]
        return f"{self.way:<8}{'✓ passed' if self.passed else '✗ failed'} in {self.seconds:.0f} s  {last}"


def refusal(way: str) -> str | None:
    """Why the notebooks cannot be validated in this way here; None if they can."""
    if way == "live":
        return rights.refusal()
    if way != "private":
        return None
    question = "from utils.capture import private; print(private.available() or '', end='')"
    done = subprocess.run(
        [*_without_rights(), sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout or (done.stderr.strip() if done.returncode else None)


def validate(way: str, notebooks: Sequence[str] = (), options: Sequence[str] = PARALLEL) -> Round:
    """Validate the ``notebooks`` (or all of them) in that way.

    In the private network, whoever has rights does without them first: it is
    made for those who have none.
    """
    paths = [f"notebooks/{name}.ipynb" for name in notebooks] or ["notebooks"]
    begun = time.monotonic()
    with _kernel(way) as (before, kernel, environment):
        pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
        done = subprocess.run(
            [*before, *pytest, *STRICT, *kernel, *options, *paths],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Round(way, done.returncode == 0, time.monotonic() - begun, done.stdout)


@contextlib.contextmanager
def _kernel(way: str) -> Iterator[tuple[Sequence[str], Sequence[str], dict[str, str]]]:
    """What stands before the command, which kernel nbval is to use, and in what environment."""
    if way != "private":
        yield (), ("--nbval-current-env",), {rights.VARIABLE: way}
        return
    # A Unix socket's path is short: the usual folders have longer names.
    with tempfile.TemporaryDirectory(prefix="lab") as folder:
        private.install(Path(folder))
        kernel = ("--nbval-kernel-name", private.NAME, "-p", "tools.unixsockets")
        environment = {
            rights.VARIABLE: "live",
            "JUPYTER_PATH": str(Path(folder, "share", "jupyter")),
            "JUPYTER_RUNTIME_DIR": str(Path(folder, "run")),
        }
        yield _without_rights(), kernel, environment


def _without_rights() -> Sequence[str]:
    """What makes an ordinary user of root: the same files, and none of the rights.

    One capability stays: without it Linux does not let root have a namespace, which it grants to others.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("setpriv"):
        return ()
    return ("setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all", "--")


@contextlib.contextmanager
def load(loops: int) -> Iterator[None]:
    """So many processes that do nothing but keep the machine busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def failed(rounds: Sequence[Round]) -> list[Round]:
    """Those that did not pass."""
    return [one for one in rounds if not one.passed]


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--way", "ways", multiple=True, type=click.Choice(WAYS), help="In this way only; may be repeated."
)
@click.option("--rounds", default=1, show_default=True, help="So many times in a row.")
@click.option("--busy", default=0, show_default=True, help="While so many loops keep the machine busy.")
def main(names: tuple[str, ...], ways: tuple[str, ...], rounds: int, busy: int) -> None:
    """Validate the notebooks (or those NAMES) in each way that this system allows."""
    done: list[Round] = []
    for way in ways or WAYS:
        if why := refusal(way):
            click.echo(f"{way:<8}✗ not here: {why}")
            if ways:
                raise SystemExit(2)
            continue
        with load(busy):
            for _ in range(rounds):
                done.append(validate(way, names))
                click.echo(str(done[-1]))
                if not done[-1].passed:
                    click.echo(done[-1].report)
    click.echo(f"{len(done)} rounds, {len(failed(done))} failed")
    raise SystemExit(bool(failed(done)) or not done)


if __name__ == "__main__":
    main()
