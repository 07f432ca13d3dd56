"""Whether this machine has what the walkthrough needs.

The rule kept here: each line is either ok or comes with the one thing to do
about it; nothing is started and nothing is changed by looking.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from utils.capture import rights
from utils.libraries import STACK
from utils.versions import pins
from utils.views.tables import Check

#: The first Python that the lab runs on (pyproject.toml says the same to pip).
OLDEST_PYTHON = (3, 11)

_ROOT = Path(__file__).resolve().parent.parent


def check() -> list[Check]:
    """Every line of the self-check, in the order in which things are needed."""
    return [_python(), *_versions(), _capture(), _browser_client()]


def _python() -> Check:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        "Python",
        platform.python_version(),
        sys.version_info >= OLDEST_PYTHON,
        f"install Python {wanted} or newer, then run `make setup`",
    )


def _versions() -> Iterator[Check]:
    for name in (*STACK, "scapy", "jupyterlab"):
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Check(name, "not installed", False, "run `make setup`")
            continue
        pin = pins.pin(name)
        yield Check(
            name, found, pin in (None, found), f"the walkthrough was checked with {pin}: run `make setup`"
        )


def _capture() -> Check:
    mode = rights.choose_mode()
    # Every mode runs every notebook: a poorer one is a fact, not a fault.
    return Check("capture", f"{mode.name}: {mode.why}", True)


def _browser_client() -> Check:
    client = _ROOT / "lab_server" / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"
    return Check(
        "browser client",
        "socket.io-client is there" if client.is_file() else "socket.io-client is missing",
        client.is_file(),
        "install Node.js with npm, then run `make setup`; everything but the auction's page works without it",
    )
