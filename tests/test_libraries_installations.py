"""Another Python's packages are known like this one's, by its folders and their metadata."""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path

import flask
import pytest

from utils import libraries
from utils.libraries import installations, places
from utils.libraries.installations import PYTHON, Installation

METADATA = """\
Metadata-Version: 2.1
Name: flask
Version: 1.0
License: BSD-3-Clause
Project-URL: Code, https://github.com/pallets/flask/
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An old Python with an old Flask, whose metadata spells its name otherwise."""
    root = tmp_path.resolve()
    packages = root / "lib" / "python3.12" / "site-packages"
    for folder, files in {
        packages / "flask": {"__init__.py": "", "app.py": "def run():\n    return 1\n"},
        packages / "flask-1.0.dist-info": {
            "METADATA": METADATA,
            "LICENSE": "Copyright 2010 Pallets",
            "RECORD": "flask/__init__.py,,\nflask/app.py,,\nflask-1.0.dist-info/METADATA,,\nflask-1.0.dist-info/LICENSE,,\n",
        },
        packages / "left_over": {"file.py": ""},
        packages.parent: {"queue.py": ""},
    }.items():
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
    facts = {
        "python": "3.12.9",
        "standard_library": str(packages.parent),
        "folders": [str(packages), str(packages)],
        "path": [str(packages.parent), str(packages)],
    }
    found = Installation.told(facts)
    monkeypatch.setattr(places, "_installations", [installations.here()])
    libraries.know(found)
    yield found
    libraries.place.cache_clear()


def test_this_python_is_one_of_them():
    here = installations.here()
    assert here.python == platform.python_version()
    assert here.library(PYTHON) == libraries.python_library()
    assert here.library("flask") == libraries.distribution("Flask")
    assert here.library("no such library") is None
    assert Path(sysconfig.get_path("purelib")).resolve() in here.folders


def test_the_files_of_another_one_are_its_own(elsewhere):
    app = elsewhere.folders[0] / "flask" / "app.py"
    where = libraries.place(str(app))
    assert (where.library.name, where.library.version, where.path) == ("Flask", "1.0", "flask/app.py")
    assert where.library.home == "https://github.com/pallets/flask"
    assert libraries.link(str(app), 2).url.endswith("/pallets/flask/blob/1.0/src/flask/app.py#L2")
    ours = libraries.place(flask.__file__).library
    assert ours == libraries.distribution("Flask") != where.library


def test_a_module_of_its_standard_library_is_of_its_version(elsewhere):
    where = libraries.place(str(elsewhere.standard_library / "queue.py"))
    assert (where.library.name, where.library.version, where.path) == ("CPython", "3.12.9", "queue.py")


def test_a_file_that_no_distribution_names_belongs_to_none(elsewhere):
    assert libraries.place(str(elsewhere.folders[0] / "left_over" / "file.py")) is None


def test_it_states_its_versions_and_leaves_out_what_it_does_without(elsewhere):
    assert dict(elsewhere.versions()) == {"Flask": "1.0", "CPython": "3.12.9"}


def test_who_has_a_version_is_found_or_else_this_python_answers(elsewhere):
    assert libraries.holder("Flask", "1.0") is elsewhere
    assert libraries.holder("Flask", libraries.distribution("Flask").version) is installations.here()
    assert libraries.holder("Flask", "0.1") is installations.here()


def test_the_licence_is_that_of_the_version(elsewhere):
    from utils.libraries import licences

    assert licences.text("Flask", "1.0") == "Copyright 2010 Pallets"
    assert licences.text("Flask") != "Copyright 2010 Pallets"
    found = licences.of(libraries.place(str(elsewhere.folders[0] / "flask" / "app.py")).library)
    assert found.expression == "BSD-3-Clause"


def test_to_know_it_twice_is_to_know_it_once(elsewhere):
    libraries.know(Installation.told({
        "python": elsewhere.python,
        "standard_library": str(elsewhere.standard_library),
        "folders": [str(folder) for folder in elsewhere.folders],
        "path": ["/another/program", *elsewhere.path],
    }))  # fmt: skip
    assert len(places._installations) == 2


def test_what_the_launcher_tells_of_this_python_names_the_same_libraries():
    from utils.tracing.launcher import _installation

    told = Installation.told(_installation())
    assert dict(told.versions()) == dict(installations.here().versions())
    assert told.package(Path(flask.__file__).resolve()) == installations.here().package(
        Path(flask.__file__).resolve()
    )
    assert told.path == tuple(map(str, sys.path))
    assert told == installations.here()
