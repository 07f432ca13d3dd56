"""Results survive their file, and whatever else is in a file is refused by name."""

from __future__ import annotations

import pytest

from utils.errors import InputError
from utils.load import statistics, values
from utils.load.values import Conditions, Experiment, Measured, Result, Subject, Turn, Variant, Workload


def turn(*milliseconds, **more):
    packed = statistics.pack(int(ms * 1e6) for ms in milliseconds)
    facts = {"count": len(milliseconds), "refused": 0, "unanswered": 0, "elapsed_ns": 1_000_000_000}
    return Turn(packed, packed, packed, client_cpu_ns=0, **(facts | more))


def measured(*results, missing=None, **conditions):
    told = {"created": "2000-01-01T00:00:00+00:00", "python": "3.11.0", "platform": "Linux", "cores": 2}
    experiment = Experiment("made up", "How long?", tuple(result.variant for result in results))
    versions = {"Flask-SocketIO": "5.0.0"}
    return Measured(experiment, results, Conditions(versions=versions, **(told | conditions)), missing or {})


def result(name, *turns, floor=False, **workload):
    return Result(Variant(name, Subject("an.echo", ("--fast",)), Workload(**workload), floor), turns)


def test_what_was_saved_is_loaded(tmp_path):
    one = measured(result("slow", turn(1, 2), turn(3)), missing={"other": "it is not here"})
    assert values.load(values.save([one], tmp_path / "results.json")) == [one]


def test_a_variant_that_was_not_measured_is_named_with_its_reason():
    one = measured(result("slow", turn(1)), missing={"gevent": "it is not installed"})
    with pytest.raises(InputError, match=r"'gevent' was not measured.*it is not installed"):
        one.result("gevent")
    with pytest.raises(InputError, match="what was measured is 'slow'"):
        one.result("fast")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no results"),
        (b"[]", "holds no results"),
        (b'{"form": 1, "measured": [{"experiment": 3}]}', "holds no results"),
        (b'{"form": 99, "measured": []}', "of form 99"),
    ],
)
def test_another_file_is_refused(tmp_path, content, complaint):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        values.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.json cannot be read"):
        values.load(tmp_path / "nothing.json")
