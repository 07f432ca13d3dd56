"""An installed file is opened where JupyterLab can see it, and no path of this machine is told."""

from __future__ import annotations

import queue
import sys
import sysconfig
from pathlib import Path

import flask.app
import pytest

from utils.libraries import opening
from utils.records import Excerpt


def excerpt(filename: str | Path, current: int | None = 7) -> Excerpt:
    return Excerpt("x.py", str(filename), "f", ((1, "x"),), current)


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(opening.ROOT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/x.ipynb")
    return tmp_path


@pytest.mark.parametrize("module", [flask.app, queue])
@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links ask for a right there")
def test_an_installed_file_is_found_below_the_root(root, module):
    address = opening.opener()(excerpt(module.__file__))
    path, _, line = address.partition("#")
    assert line == "line=6"  # counted from 0
    assert (root / path).samefile(module.__file__)
    assert ".." not in path and not path.startswith("/")


def test_the_applications_own_file_is_named_as_it_lies(root):
    assert opening.opener()(excerpt(root / "lab_server" / "seed.py", None)) == "lab_server/seed.py"


def test_what_lies_elsewhere_has_no_address(root, tmp_path_factory):
    assert opening.opener()(excerpt(tmp_path_factory.mktemp("elsewhere") / "x.py")) is None
    assert opening.opener()(excerpt(f"{root}-not/x.py")) is None


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links ask for a right there")
def test_a_link_to_another_environment_is_made_anew(root):
    link = root / opening.FOLDER / "site-packages"
    link.parent.mkdir()
    link.symlink_to(root)
    assert opening.opener()(excerpt(flask.app.__file__)) is not None
    assert link.samefile(sysconfig.get_path("purelib"))


@pytest.mark.parametrize("missing", [opening.ROOT_VARIABLE, "JPY_SESSION_NAME"])
def test_outside_of_jupyterlab_there_is_nothing_to_open(root, monkeypatch, missing):
    monkeypatch.delenv(missing)
    assert opening.opener() is None
    assert not (root / opening.FOLDER).exists()
