"""The standard comparison is well formed, and what the issue asks for is in it."""

from __future__ import annotations

import pytest

from utils import lab
from utils.errors import InputError
from utils.load import standard, values
from utils.load.standard import STANDARD


@pytest.mark.parametrize("experiment", STANDARD, ids=lambda each: each.name)
def test_names_are_unique_and_questions_are_questions(experiment):
    names = [variant.name for variant in experiment.variants]
    assert len(set(names)) == len(names)
    assert experiment.question.endswith("?")
    assert standard.named(experiment.name) is experiment


def test_payloads_go_from_ten_bytes_to_a_megabyte():
    sizes = {variant.workload.size for variant in standard.PAYLOAD.variants}
    assert min(sizes) == 10 and max(sizes) == 1_000_000


def test_on_both_sides_of_gzips_threshold_something_is_polled():
    polled = [each.workload for each in standard.COMPRESSION.variants if each.workload.speaks == "polling"]
    assert min(each.size for each in polled) < 1024 < max(each.size for each in polled)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="transports"):
        standard.named("nothing such")


@pytest.mark.parametrize("experiment", standard.BRIEF, ids=lambda each: each.name)
def test_what_a_notebook_asks_needs_no_other_environment_and_has_its_results_committed(experiment):
    assert not any(variant.subject.gevent for variant in experiment.variants)
    assert standard.brief(experiment.name) is experiment
    (kept,) = values.load(lab.measured() / f"{experiment.name}.json")
    assert kept.experiment == experiment
