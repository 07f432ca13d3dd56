"""Waiting for a condition, and never for a length of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

#: A slow machine is no error: seconds.
DEADLINE = 30.0

_T = TypeVar("_T")


def eventually(condition: Callable[[], _T], what: str = "it") -> _T:
    """What ``condition`` gives as soon as that is true; fails after DEADLINE."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)
    return found
