"""The versions that the walkthrough was checked with: those of constraints.txt.

The rule kept here: a project without that file, or a line that pins nothing,
is no error; there is just no version to compare with.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

FILE = Path(__file__).resolve().parents[2] / "constraints.txt"


@cache
def pins(path: Path = FILE) -> dict[str, str]:
    """Canonical name → pinned version."""
    return dict(_read(path))


def pin(distribution: str) -> str | None:
    """The version that ``distribution`` is pinned to, or None."""
    return pins().get(canonicalize_name(distribution))


def _read(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            requirement = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue
        for specifier in requirement.specifier:
            if specifier.operator == "==":
                yield canonicalize_name(requirement.name), specifier.version
