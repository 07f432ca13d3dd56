"""A module's import is told, and is the import that it would have been."""

from __future__ import annotations

import importlib
import sys

import pytest

from utils.tracing.arrivals import Arrivals


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "arriving.py").write_text("answer = 42\n")
    (tmp_path / "failing.py").write_text("raise ValueError('no luck')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "arriving"
    for name in ("arriving", "failing"):
        sys.modules.pop(name, None)


@pytest.fixture
def arrivals():
    one = Arrivals()
    yield one
    one.forget()
    assert one not in sys.meta_path


def test_it_is_told_after_the_import_with_the_module_whole(arrivals, module):
    told = []
    arrivals.when(module, lambda found: told.append(found.answer))
    assert told == []
    found = importlib.import_module(module)
    assert told == [42]
    assert type(found.__loader__).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars(found.__loader__)
    assert found.__spec__.origin.endswith("arriving.py")


def test_what_is_there_already_is_told_at_once(arrivals):
    told = []
    arrivals.when("sys", told.append)
    assert told == [sys]
    assert arrivals not in sys.meta_path


def test_two_who_wait_for_one_module_are_both_told(arrivals, module):
    other, told = Arrivals(), []
    arrivals.when(module, lambda found: told.append(1))
    arrivals.when(module, lambda found: told.append(2))
    other.when(module, lambda found: told.append(3))
    try:
        importlib.import_module(module)
    finally:
        other.forget()
    assert sorted(told) == [1, 2, 3]


def test_what_fails_fails_as_ever_and_what_is_not_there_is_not_there(arrivals, module):
    told = []
    for name in ("failing", "nowhere_at_all"):
        arrivals.when(name, told.append)
    with pytest.raises(ValueError, match="no luck"):
        importlib.import_module("failing")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere_at_all")
    assert told == []


def test_nobody_is_told_who_has_been_forgotten(arrivals, module):
    told = []
    arrivals.when(module, told.append)
    arrivals.forget()
    importlib.import_module(module)
    assert told == []
