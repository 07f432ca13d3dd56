"""Where the traffic of all connections departs from its protocols.

The rule kept here: each connection is held against the rules by itself, both
sides in the order of time; what is found is told by its message's place among
them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from utils.records import Endpoint, Message
from utils.wire.conformance import Finding, findings


def departures(messages: Sequence[Message]) -> list[tuple[int, Finding]]:
    """Each finding with the place (from 0) of its message in ``messages``, in that order."""
    connections: dict[frozenset[Endpoint], list[int]] = {}
    for place, message in enumerate(messages):
        connections.setdefault(frozenset(message.flow), []).append(place)
    found = []
    for places in connections.values():
        units = [messages[place].unit for place in places]
        by_unit = {id(unit): place for unit, place in zip(units, places, strict=True)}
        found += [(by_unit[id(finding.unit)], finding) for finding in findings(units)]
    return sorted(found, key=itemgetter(0))
