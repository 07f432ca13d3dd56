"""The conformance lens: what one connection does against the protocols' rules, with clause and unit.

The rule kept here: a finding cites the clause it holds against the traffic,
and points at the bytes; what the capture itself has missed is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from utils.wire.rules import Broken, Rule, all_rules
from utils.wire.units import Fault, Layer, Side, Unit

_PAGE = re.compile(rb"\s*<(?:!doctype|html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from a protocol."""

    unit: Unit
    offset: int  # into the unit's raw
    rule: str  # what the protocol asks for, in one sentence
    got: str  # what happened instead
    clause: str

    def __str__(self) -> str:
        side, place = self.unit.side.value, self.unit.start + self.offset
        return f"{self.clause}: {self.rule} Got: {self.got} ({side}, byte {place}: {self.unit.summary})"


class Lens:
    """Looks at the units of one connection, both sides, in the order of time."""

    def __init__(self) -> None:
        self._rules: list[Rule] = all_rules()
        self._broken: dict[Side, tuple[int, tuple[Fault, ...]]] = {}  # where bytes that nobody decodes end

    def look(self, unit: Unit) -> list[Finding]:
        """What ``unit`` breaks, or shows to have been broken."""
        found = [] if self._goes_on(unit) else list(_faults(unit))
        for rule in self._rules:
            found += map(_finding, rule.look(unit))
        return found

    def _goes_on(self, unit: Unit) -> bool:
        """Whether it is more of what was told already: bytes that nobody decodes, for the same reason."""
        if unit.layer is not Layer.UNKNOWN:
            return False
        before = self._broken.get(unit.side)
        self._broken[unit.side] = unit.end, unit.faults
        return before == (unit.start, unit.faults)

    def finish(self) -> list[Finding]:
        """What was still owed when the capture ended."""
        return [_finding(broken) for rule in self._rules for broken in rule.finish()]


def findings(units: Iterable[Unit]) -> tuple[Finding, ...]:
    """All findings about one connection."""
    lens = Lens()
    found = [finding for unit in units for finding in lens.look(unit)]
    return (*found, *lens.finish())


def _finding(broken: Broken) -> Finding:
    return Finding(broken.unit, broken.offset, broken.rule, broken.got, broken.clause)


def _faults(unit: Unit) -> Iterator[Finding]:
    """The decoders' faults; those without a clause tell of the capture, not of the sender."""
    for fault in unit.faults:
        if fault.clause.startswith("RFC 6455") and _PAGE.match(unit.raw):
            # Left-over frames, read as HTTP/0.9, are answered with a page and without a head.
            rule = "Inside a WebSocket there are frames, and nothing else."
            yield Finding(unit, 0, rule, "an HTML page", "RFC 6455 §5")
        elif fault.clause:
            yield Finding(unit, fault.offset, f"Expected {fault.expected}.", fault.got, fault.clause)
