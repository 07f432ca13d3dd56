"""Where JupyterLab opens an installed file: beside the link to the forge, one that works offline.

The rule kept here: JupyterLab shows only what lies below its root, so the
folders that Python's files are installed in are linked into it, below
``installed/``.  No path of this machine is told; what cannot be opened has no
address.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from utils.records import Excerpt

#: Names JupyterLab's root; ``make lab`` sets it.
ROOT_VARIABLE = "SOCKETIO_LAB_ROOT"

#: Set by Jupyter's server for the kernel of a document that is open in a browser.
_SESSION_VARIABLE = "JPY_SESSION_NAME"

#: The folder, below the root, of the links.
FOLDER = "installed"


def opener() -> Callable[[Excerpt], str | None] | None:
    """Gives an excerpt's file as JupyterLab names it, with its line: ``installed/…/app.py#line=7``.

    None where no JupyterLab is looking.
    """
    root = os.environ.get(ROOT_VARIABLE)
    if root is None or _SESSION_VARIABLE not in os.environ:
        return None
    places = list(_linked(Path(root)))

    def address(excerpt: Excerpt) -> str | None:
        for folder, name in places:
            if excerpt.filename.startswith(folder + os.sep):
                path = excerpt.filename[len(folder) :].replace(os.sep, "/")
                # JupyterLab counts lines from 0.
                line = "" if excerpt.current is None else f"#line={excerpt.current - 1}"
                return f"{name}{path}{line}".removeprefix("/")
        return None

    return address


def _linked(root: Path) -> Iterator[tuple[str, str]]:
    """Each folder that can be opened, and its name below ``root``; the innermost ones first."""
    for name in ("purelib", "stdlib"):
        folder = Path(sysconfig.get_path(name))
        link = root / FOLDER / folder.name
        try:
            link.parent.mkdir(exist_ok=True)
            if not link.is_symlink() or link.readlink() != folder:
                link.unlink(missing_ok=True)
                link.symlink_to(folder, target_is_directory=True)
        except OSError:  # Windows asks for a right that not everybody has
            continue
        yield str(folder), f"{FOLDER}/{folder.name}"
    yield str(root), ""
