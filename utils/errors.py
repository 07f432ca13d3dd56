"""One tree of errors; each says what happened, why, and what to do next.

    LabError
    ├── InputError        what was handed in is not what it should be
    │   └── CaptureFileError    a capture or a recording cannot be read
    ├── EnvironmentLack   this machine lacks a right, a part or a port
    │   └── CaptureRightsError  packets may not be read here
    └── ProcessError      a process that the lab started did not do its part

The class says whose fault it is; ``str(error)`` is one short paragraph that a
student can act on.
"""

from __future__ import annotations


class LabError(Exception):
    """An error of the lab: ``what`` happened, ``why``, and what to do ``next_step``."""

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        self.what = what
        self.why = why
        self.next_step = next_step
        super().__init__(what, why, next_step)

    def __str__(self) -> str:
        parts = [self.what.rstrip(".") + "."]
        if self.why:
            parts.append(f"Why: {self.why.rstrip('.')}.")
        if self.next_step:
            parts.append(f"Next: {self.next_step.rstrip('.')}.")
        return " ".join(parts)


class InputError(LabError):
    """What the caller handed in is not what it should be."""


class CaptureFileError(InputError):
    """A capture file or a recording's folder cannot be read."""


class EnvironmentLack(LabError):
    """This machine lacks a right, a part or a free port."""


class CaptureRightsError(EnvironmentLack):
    """Packets may not be read by this user on this machine."""


class ProcessError(LabError):
    """A process that the lab started did not do its part."""
