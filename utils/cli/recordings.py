"""Recordings as words of the command line: by path, or by name.

The rule kept here: a path counts before a name; a name is looked for where
``record`` writes and among the reference recordings, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from utils.errors import InputError

if TYPE_CHECKING:
    from utils.run import Run

    _ParamType = click.ParamType[Path]
else:  # older ones are not generic
    _ParamType = click.ParamType

#: Where ``record`` writes, below the folder that it is called in.
FOLDER = "recordings"

#: The file that makes a folder a recording.
_META = "meta.json"


class RecordingType(_ParamType):
    """A recording's folder, a capture file, or a recording's name; the value is the path."""

    name = "recording"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path of what ``value`` names.  Raises InputError if there is nothing of that name."""
        return find(str(value))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, and the shell's own files."""
        names = [CompletionItem(name) for name in sorted(set(known())) if name.startswith(incomplete)]
        return names or [CompletionItem(incomplete, type="file")]


def find(word: str) -> Path:
    """Where the recording is that ``word`` names.  Raises InputError if there is none."""
    path = Path(word)
    if path.exists():
        return path
    for folder in _folders():
        if path.name == word and (folder / word / _META).is_file():
            return folder / word
    there = ", ".join(sorted(set(known())))
    raise InputError(
        f"there is no recording {word!r}",
        why=f"it is neither a file or folder here nor a recording known by name ({there or 'none'})",
        next_step="name the folder that `socketio-lab record` wrote, or a capture file",
    )


def known() -> Iterator[str]:
    """The names of the recordings that can be named."""
    for folder in _folders():
        if folder.is_dir():
            yield from (meta.parent.name for meta in folder.glob(f"*/{_META}"))


def load(path: Path) -> Run:
    """The run: of a recording's folder, or of a capture file alone."""
    from utils import lab

    return lab.load(path) if path.is_dir() else lab.read(path)


def _folders() -> tuple[Path, ...]:
    from utils import lab

    return Path(FOLDER), lab.captures()
