"""What a hand-out is shown with: reveal.js and Mermaid, from npm, as package-lock.json names them.

The rule kept here: fetched once, whole or not at all; the folder's name tells
what was asked for, so a changed lock file fetches anew.  A hand-out carries
the licences of what it carries.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from handouts.course import ROOT
from utils.errors import EnvironmentLack

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"

#: File of an npm package → its name in a hand-out.
MERMAID = {
    "@mermaid-js/tiny/dist/mermaid.tiny.js": "mermaid.js",
    "@mermaid-js/tiny/LICENSE": "mermaid.LICENSE.txt",
}
REVEAL = {
    "reveal.js/dist/reveal.js": "reveal.js",
    "reveal.js/dist/reveal.css": "reveal.css",
    "reveal.js/LICENSE": "reveal.LICENSE.txt",
}


def packages() -> Path:
    """The folder of the npm packages, fetched if they are not here yet.

    Raises EnvironmentLack if npm is missing, or cannot fetch them.
    """
    lock = (HERE / "package-lock.json").read_bytes()
    folder = ROOT / "build" / f"npm-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.exists():
        _fetch(folder)
    return folder / "node_modules"


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise EnvironmentLack(
            "the hand-outs cannot be made",
            why="reveal.js and Mermaid come from npm, and there is no npm here",
            next_step="install it (on Debian: apt install npm), then call again",
        )
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, scratch)
        command = [npm, "ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = done.stderr.strip().splitlines()
            reason = said[-1] if said else "it does not say why"
            raise EnvironmentLack(
                "the hand-outs cannot be made",
                why=f"npm could not fetch reveal.js and Mermaid ({reason})",
                next_step="check the network, then call again; it is asked for once",
            )
        # Another build may have been quicker; then its folder is as good.
        with contextlib.suppress(OSError):
            Path(scratch).rename(folder)
            Path(scratch).mkdir()  # for the one that tidies up


def copy(wanted: dict[str, str], own: list[str], to: Path) -> None:
    """Copy files of npm packages, and of static/, into the folder ``to``."""
    to.mkdir(parents=True)
    found = packages()
    for source, name in wanted.items():
        shutil.copyfile(found / source, to / name)
    for name in own:
        shutil.copyfile(STATIC / name, to / name)
