"""What a broadcast costs is measured on a real cluster, and everybody in the room hears each bid."""

from __future__ import annotations

from utils.cluster import measuring
from utils.cluster.cluster import Plan


def test_a_point_is_measured():
    plan = Plan("lab_server", ("--log-level", "warning"), 2, traced=False)
    point = measuring.measure_point(plan, clients=6, members=4, bids=5)
    assert (point.processes, point.clients, point.members, point.broadcasts) == (2, 6, 4, 5)
    assert point.servers_cpu_ns > 0 and point.queue_cpu_ns > 0 and point.elapsed_ns > 0
    assert point.memory_bytes > point.empty_bytes > 0


def test_the_points_are_told_as_they_come_with_their_conditions(monkeypatch):
    told = []
    monkeypatch.setattr(
        measuring, "measure_point", lambda plan, clients, members: _point(plan.servers, members)
    )
    measured = measuring.measure("lab_server", [(1, 2, 2)], [(2, 4, 4)], say=told.append)
    assert [point.processes for point in (*measured.points, *measured.held_out)] == [1, 2]
    assert len(told) == 2 and measured.conditions["application"] == "lab_server"


def _point(processes: int, members: int) -> measuring.Point:
    return measuring.Point(processes, members, members, 1, 1000, 1000, 1, 1, 1)
