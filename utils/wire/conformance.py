"""The conformance lens: what one connection does against the protocols' rules, with clause and unit.

The rule kept here: a finding cites the clause it holds against the traffic,
and points at the bytes; what the capture itself has missed is no finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from utils.wire.rules import Broken, Rule, all_rules
from utils.wire.units import Unit


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

    def look(self, unit: Unit) -> list[Finding]:
        """What ``unit`` breaks, or shows to have been broken."""
        found = list(_faults(unit))
        for rule in self._rules:
            found += map(_finding, rule.look(unit))
        return found

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
        if fault.clause:
            yield Finding(unit, fault.offset, f"Expected {fault.expected}.", fault.got, fault.clause)
