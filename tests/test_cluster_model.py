"""The model: fitted to made points it finds their costs; and what it says follows from them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from utils import lab
from utils.cluster.measuring import load, save
from utils.cluster.model import FULL, Measurements, Model, Point, fit

TRUE = Model(bid=4000, process=200, client=75, publish=40, delivery=20, client_bytes=100_000)
SHAPES = [(1, 8), (1, 80), (2, 40), (2, 120), (4, 8), (4, 80)]


def point(processes: int, members: int, noise: float = 1.0) -> Point:
    cpu = round(TRUE.broadcast(processes, members) * noise * 1000) * 100
    queue = round(TRUE.queue(processes) * 1000) * 100
    return Point(processes, members, members, 100, cpu, queue, 10**9, 10**8 + members * 100_000, 10**8)


def test_the_costs_that_made_the_points_are_found_again():
    found = fit([point(*shape) for shape in SHAPES])
    for name in ("bid", "process", "client", "publish", "delivery", "client_bytes"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=1e-3)
    assert all(abs(found.error(point(*shape))) < 1e-3 for shape in SHAPES)


def test_with_noise_what_is_held_out_is_predicted_as_well_as_the_noise_allows():
    chance = np.random.default_rng(1)
    found = fit([point(*shape, noise=chance.normal(1, 0.03)) for shape in SHAPES])
    assert abs(found.error(point(3, 60))) < 0.1


def test_no_cost_is_negative():
    points = [point(1, 10), point(2, 10, 0.8), point(1, 50), point(3, 50, 0.7)]
    found = fit(points)
    assert found.process == 0 and found.bid > 0 and found.client > 0


@pytest.mark.parametrize("shapes", [[(1, 10)], [(1, 10), (1, 20), (1, 30)], [(1, 10), (2, 10), (3, 10)]])
def test_points_that_cannot_tell_the_costs_apart_are_refused(shapes):
    with pytest.raises(ValueError, match="differ in processes and in members"):
        fit([point(*shape) for shape in shapes])


def test_more_clients_need_more_processes_and_the_fewest_are_told():
    need = TRUE.need(100_000, 1000, 0.5)
    assert need.processes and need.load and need.load.server <= FULL
    assert TRUE.load(need.processes - 1, 100_000, 1000, 0.5).server > FULL
    assert "servers" in need.limit


def test_every_process_hears_of_every_broadcast_and_no_number_of_them_helps_against_that():
    assert TRUE.most_broadcasts == pytest.approx(FULL * 1e6 / 200)
    need = TRUE.need(1_000_000, 10_000, 1.0)
    assert need.processes is None and "each process" in need.limit


def test_the_queue_may_be_full_first():
    narrow = Model(bid=100, process=1, client=75, publish=40, delivery=100, client_bytes=1)
    need = narrow.need(1_000_000, 10_000, 0.1)
    assert need.processes is None and need.load is not None and need.load.queue > FULL
    assert "the queue" in need.limit


def test_measurements_come_back_from_their_file(tmp_path):
    points = tuple(point(*shape) for shape in SHAPES)
    measured = Measurements({"cores": "2"}, points, points[:1])
    save(measured, tmp_path / "x.json")
    assert load(tmp_path / "x.json") == measured
    assert json.loads((tmp_path / "x.json").read_text())["conditions"] == {"cores": "2"}


def test_the_committed_measurements_predict_what_was_held_out():
    measured = load(lab.captures() / "capacity.json")
    assert {"created", "cores", "python", "application", "load"} <= set(measured.conditions)
    found = fit(measured.points)
    assert len(measured.held_out) >= 2
    assert all(abs(found.error(one)) < 0.2 for one in measured.held_out)
